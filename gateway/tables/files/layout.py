"""Finds the header of a table of text, the separator of its cells, and the lines that are no rows."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.core import errors
from gateway.tables.header.columns import recognise
from gateway.tables.header.words import UNITS, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_SEPARATORS = ",;\t|"
SPACE = " "
_REMARKS = ("#", "!", "%")
"""Characters that begin comments above a header."""
_HEAD_LINES = 24
_COMMENT_LINES = 20_000
_RULE = frozenset("-=+|: \t,;")
_SEP_LINE = re.compile(r"\"?sep=(.)\"?")
_RDB_TYPE = re.compile(r"\d*[SNMD]")
_NUMBER = re.compile(r"\s*[+-]?(?:\d|\.\d).*")
_OTHER_UNITS = {
    "mag",
    "km/s",
    "mpc",
    "kpc",
    "pc",
    "jy",
    "mjy",
    "yr",
    "s",
    "min",
    "m",
    "cm",
    "nm",
    "um",
    "none",
    "null",
    "h",
}


@dataclass(slots=True)
class Layout:
    """Layout of the lines of a table.

    Attributes
    ----------
    separator : str
        Separator of the cells; a space means any number of spaces.
    names : list of str
        Names of the columns; a column with an empty name is ignored.
    skip : int
        Number of lines before the first row.
    units : list of str
        Units from a line below the header; empty where there is none.
    """

    separator: str
    names: list[str]
    skip: int
    units: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Top:
    """The first lines of a table: declared separator, comments, other lines, and the numbers of these lines."""

    separator: str | None = None
    remarks: list[tuple[int, str]] = field(default_factory=list)
    head: list[str] = field(default_factory=list)
    places: list[int] = field(default_factory=list)


def _top(text: Iterable[str], *, comments: bool) -> _Top:
    top = _Top()
    for number, line in enumerate(text):
        bare = line.strip("\r\n\ufeff")
        if not bare.strip():
            continue
        if not top.head and (said := _SEP_LINE.fullmatch(bare.strip())):
            top.separator = said[1]
        elif comments and bare.startswith("#" if top.head else _REMARKS):
            if not top.head and len(top.remarks) < _COMMENT_LINES:
                top.remarks.append((number, bare))
        elif top.head or not is_rule(bare):
            top.head.append(bare)
            top.places.append(number)
            if len(top.head) >= _HEAD_LINES:
                break
    return top


def layout_of(text: Iterable[str], *, comments: bool) -> Layout:
    """Find the header, and the separator of the columns.

    Parameters
    ----------
    text : iterable of str
        Lines of the table from the first one on.
    comments : bool
        Whether lines that start with ``#`` are comments.

    Raises
    ------
    errors.BadTable
        The table has no header.
    """
    top = _top(text, comments=comments)
    commented = _commented(top.remarks, top.head, top.separator)
    if not top.head:
        found = next(commented, None)
        if found is None:
            raise errors.BadTable("The table holds no line that is not a comment.")
        return found
    layout = _of_header(top.head[0], top.head[1:], top.places[0] + 1, top.separator)
    _refuse_open_quotes(top.head[0], layout.separator)
    if not _tells(layout.names) or any(_NUMBER.fullmatch(name) for name in layout.names):
        for found in commented:
            if len(found.names) == len(_cells(top.head[0], found.separator)):
                found.skip = top.places[0]
                return found
    return _below(layout, top.head[1:3], top.places[1:3])


def _refuse_open_quotes(line: str, separator: str) -> None:
    """Raise an error for a header that continues in the next line: its columns would be wrong."""
    try:
        next(csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True), None)
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise errors.BadTable("The header has a quotation mark that its line does not close.") from None


def _commented(remarks: Sequence[tuple[int, str]], head: Sequence[str], separator: str | None) -> Iterator[Layout]:
    """Yield layouts with the last comments as headers, as numpy and TOPCAT write them."""
    for number, remark in reversed(remarks[-5:]):
        line = remark.lstrip("".join(_REMARKS)).strip()
        if line:
            found = _of_header(line, head, number + 1, separator)
            if _tells(found.names):
                yield found


def _of_header(line: str, below: Sequence[str], skip: int, separator: str | None) -> Layout:
    separator = separator or _separator(line, below)
    return Layout(separator, [name.strip().strip("\0") for name in _cells(line, separator)], skip)


def _cells(line: str, separator: str) -> list[str]:
    if separator == SPACE:
        line = line.strip().replace("\t", " ")
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return line.split(separator)


def _separator(line: str, below: Sequence[str]) -> str:
    """Return the separator that splits the header into most cells; spaces where they split all lines alike."""
    best = max(_SEPARATORS, key=lambda one: len(_cells(line, one)))
    if len(_cells(line, best)) > 1:
        if best == "," and below and all(len(_cells(one, ",")) == 1 for one in below) and len(_cells(line, SPACE)) > 1:
            return SPACE
        return best
    spaced = _cells(line, SPACE)
    if any(_NUMBER.fullmatch(cell) for cell in spaced):
        return best
    if len(spaced) > 1 and all(len(_cells(one, SPACE)) == len(spaced) for one in below):
        whole, parted = _roles([line.strip()]), _roles(spaced)
        if len(parted) > 1 or (parted and not whole):
            return SPACE
    if len(spaced) > 1 and len(_roles(spaced)) > 1 and not _roles([line.strip()]):
        return SPACE
    return best


def _roles(names: Sequence[str]) -> set[str]:
    try:
        return set(recognise(names).uses)
    except errors.BadTable:
        return set()


def _tells(names: Sequence[str]) -> bool:
    return bool(_roles(names))


def _below(layout: Layout, after: Sequence[str], places: Sequence[int]) -> Layout:
    """Return the layout without the lines of units, types and dashes below the header."""
    rows = [_cells(line, layout.separator) for line in after]
    for line, number in zip(after, places, strict=True):
        if layout.separator != "," and is_rule(line.strip()):
            layout.units = [_unit(cell) for cell in rows[0]] if number != places[0] else []
            layout.skip = number + 1
            return layout
    if rows and layout.separator == "\t" and all(_RDB_TYPE.fullmatch(cell.strip()) for cell in rows[0]):
        layout.skip = places[0] + 1
    elif rows and _are_units(rows[0]):
        layout.units = [_unit(cell) for cell in rows[0]]
        layout.skip = places[0] + 1
    return layout


def is_rule(line: str) -> bool:
    """Return whether a line only separates others, as ``----+----`` does."""
    return ("---" in line or "===" in line) and _RULE.issuperset(line)


def _unit(cell: str) -> str:
    return cell.strip().strip("[]()").strip()


def _are_units(cells: Sequence[str]) -> bool:
    said = [_unit(cell).strip("\"'").lower() for cell in cells if cell.strip()]
    known = [cell for cell in said if _is_angle(cell)]
    return bool(known) and all(cell in known or cell in _OTHER_UNITS or not cell.strip("-") for cell in said)


def _is_angle(cell: str) -> bool:
    words = words_of(cell)
    return (len(words) == 1 and words[0] in UNITS) or re.fullmatch(r"[hd]+:m+:s+", cell) is not None
