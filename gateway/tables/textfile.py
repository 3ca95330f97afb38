"""Tables of text lines: CSV with any separator, columns parted by spaces, VizieR's TSV, RDB, what databases print."""

from __future__ import annotations

import csv
import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway import errors
from gateway.tables.columns import recognise
from gateway.tables.table import EXTRA, Field
from gateway.tables.text import WESTERN, encoding_of, lines
from gateway.tables.words import UNITS, words_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from gateway.tables.data import Data

csv.field_size_limit(1 << 24)  # a description may be long; a quotation mark that is never closed must not take it all
_SEPARATORS = ",;\t|"
_SPACE = " "
_REMARKS = ("#", "!", "%")
"""What lines above a header begin with."""
_HEAD_LINES = 24
_COMMENT_LINES = 20_000
_RULE = frozenset("-=+|: \t,;")
_SEP_LINE = re.compile(r"\"?sep=(.)\"?")
_RDB_TYPE = re.compile(r"\d*[SNMD]")
_NUMBER = re.compile(r"\s*[+-]?(?:\d|\.\d).*")
_FOOTER = re.compile(r"\(\d+ rows?\)")
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
class _Layout:
    """How the lines of a table are read.

    Attributes
    ----------
    separator : str
        A space for columns that any number of spaces part.
    names : list of str
        Of the columns; an empty one is of no use.
    skip : int
        Lines of the file before the first row.
    units : list of str
        As a line below the header says them, or none.
    """

    separator: str
    names: list[str]
    skip: int
    units: list[str] = field(default_factory=list)


class TextFile:
    """A table of text.

    Parameters
    ----------
    data : Data
    comments : bool
        Whether lines that start with ``#`` are none of its rows.

    Raises
    ------
    errors.BadTable
        There is no header.
    """

    def __init__(self, data: Data, *, comments: bool = True) -> None:
        self._data, self._comments = data, comments
        self._encoding = encoding_of(data)
        self.notes: list[str] = []
        if self._encoding == WESTERN:
            self.notes.append("The table is not text in UTF-8 and was read as Windows-1252 (Latin-1).")
        with lines(data, self._encoding) as text:
            self._layout = _layout(text, comments=comments)
        named = itertools.zip_longest(self._layout.names, self._layout.units, fillvalue="")
        self.fields = [Field(name, unit=unit or None) for name, unit in named if name]

    def records(self, only: Collection[str] | None = None) -> Iterator[Mapping[str, Any]]:
        """Read the rows; ``only`` changes nothing, as a line is read whole in any case."""
        del only
        layout = self._layout
        with lines(self._data, self._encoding) as text:
            yield from _rows(itertools.islice(text, layout.skip, None), layout, comments=self._comments)


def _rows(text: Iterable[str], layout: _Layout, *, comments: bool) -> Iterator[Mapping[str, Any]]:
    told = _Lines(text, layout, comments=comments)
    reader = csv.reader(told, delimiter=layout.separator, skipinitialspace=True)
    while True:
        told.within = False
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            at = reader.line_num + layout.skip
            raise errors.BadTable(f"The table is damaged at its line {at}: {error}.") from None
        yield _record(cells, layout)


class _Lines:
    """The lines of rows: a comment between rows is passed over, and a ``#`` within quotes is no comment.

    Attributes
    ----------
    within : bool
        Whether a row has begun, which then goes on to the next line; set to False where one ended.
    """

    def __init__(self, text: Iterable[str], layout: _Layout, *, comments: bool) -> None:
        self._text, self._comments = text, comments
        self._spaced = layout.separator == _SPACE
        self._ruled = layout.separator in "| "
        self.within = False

    def __iter__(self) -> Iterator[str]:
        """Yield what the csv module is to read."""
        for line in self._text:
            if not self.within:
                bare = line.strip()
                if not bare or (self._comments and line.startswith("#")):
                    continue
                if self._ruled and (_is_rule(bare) or _FOOTER.fullmatch(bare)):
                    continue
                self.within = True
                yield bare.replace("\t", " ") + "\n" if self._spaced else line
            else:
                yield line
        if self.within:
            raise errors.BadTable("A quotation mark is opened in the table and never closed.")


def _record(cells: Sequence[str], layout: _Layout) -> Mapping[str, Any]:
    count = len(layout.names)
    record: dict[str, Any] = {name: cell for name, cell in zip(layout.names, cells, strict=False) if name}
    if len(cells) < count:
        record.update((name, "") for name in layout.names[len(cells) :] if name)
        if layout.separator == _SPACE:
            # with a cell missing, nobody knows which
            record[EXTRA] = [f"a row of {len(cells)} cells under {count} columns"]
    elif len(cells) > count and (extra := [cell for cell in cells[count:] if cell.strip()]):
        record[EXTRA] = extra
    return record


@dataclass(slots=True)
class _Top:
    """The first lines of a table: what parts its cells if it says so, comments, others, and which lines these are."""

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
        elif top.head or not _is_rule(bare):
            top.head.append(bare)
            top.places.append(number)
            if len(top.head) >= _HEAD_LINES:
                break
    return top


def _layout(text: Iterable[str], *, comments: bool) -> _Layout:
    """Find the header, and what parts the columns."""
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
    """Refuse a header that goes on in the next line: its columns would be those of another table."""
    try:
        next(csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True), None)
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise errors.BadTable("The header has a quotation mark that its line does not close.") from None


def _commented(remarks: Sequence[tuple[int, str]], head: Sequence[str], separator: str | None) -> Iterator[_Layout]:
    """Read the last comments as headers, as numpy and TOPCAT write them."""
    for number, remark in reversed(remarks[-5:]):
        line = remark.lstrip("".join(_REMARKS)).strip()
        if line:
            found = _of_header(line, head, number + 1, separator)
            if _tells(found.names):
                yield found


def _of_header(line: str, below: Sequence[str], skip: int, separator: str | None) -> _Layout:
    separator = separator or _separator(line, below)
    return _Layout(separator, [name.strip().strip("\0") for name in _cells(line, separator)], skip)


def _cells(line: str, separator: str) -> list[str]:
    if separator == _SPACE:
        line = line.strip().replace("\t", " ")
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return line.split(separator)


def _separator(line: str, below: Sequence[str]) -> str:
    """Tell what parts the columns: what cuts the header most, else spaces where they cut all lines alike."""
    best = max(_SEPARATORS, key=lambda one: len(_cells(line, one)))
    if len(_cells(line, best)) > 1:
        if best == "," and below and all(len(_cells(one, ",")) == 1 for one in below) and len(_cells(line, _SPACE)) > 1:
            return _SPACE
        return best
    spaced = _cells(line, _SPACE)
    if any(_NUMBER.fullmatch(cell) for cell in spaced):
        return best
    if len(spaced) > 1 and all(len(_cells(one, _SPACE)) == len(spaced) for one in below):
        whole, parted = _roles([line.strip()]), _roles(spaced)
        if len(parted) > 1 or (parted and not whole):
            return _SPACE
    if len(spaced) > 1 and len(_roles(spaced)) > 1 and not _roles([line.strip()]):
        return _SPACE
    return best


def _roles(names: Sequence[str]) -> set[str]:
    try:
        return set(recognise(names).uses)
    except errors.BadTable:
        return set()


def _tells(names: Sequence[str]) -> bool:
    return bool(_roles(names))


def _below(layout: _Layout, after: Sequence[str], places: Sequence[int]) -> _Layout:
    """Take the lines of units, types and dashes below a header for what they are."""
    rows = [_cells(line, layout.separator) for line in after]
    for line, number in zip(after, places, strict=True):
        if layout.separator != "," and _is_rule(line.strip()):
            layout.units = [_unit(cell) for cell in rows[0]] if number != places[0] else []
            layout.skip = number + 1
            return layout
    if rows and layout.separator == "\t" and all(_RDB_TYPE.fullmatch(cell.strip()) for cell in rows[0]):
        layout.skip = places[0] + 1
    elif rows and _are_units(rows[0]):
        layout.units = [_unit(cell) for cell in rows[0]]
        layout.skip = places[0] + 1
    return layout


def _is_rule(line: str) -> bool:
    """Tell whether a line only parts others, as ``----+----`` does."""
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
