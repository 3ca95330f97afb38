"""Tables of text lines: CSV with any separator, columns separated by spaces, VizieR's TSV, RDB, databases' output."""

from __future__ import annotations

import csv
import itertools
import re
from typing import TYPE_CHECKING, Any

from gateway.core import errors
from gateway.core.numbers import number
from gateway.tables.files.layout import SPACE, Layout, is_rule, layout_of
from gateway.tables.files.text import WESTERN, encoding_of, lines
from gateway.tables.table import EXTRA, Field

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from gateway.tables.data import Data

csv.field_size_limit(1 << 24)  # long descriptions are allowed, but an unclosed quotation mark must not swallow the file
_FOOTER = re.compile(r"\(\d+ rows?\)|\d+ rows? in set.*")
_CLOSED = re.compile(r"\"[ ]+(?=[,;\t|\r\n])")


class TextFile:
    """A table of text.

    Parameters
    ----------
    data : Data
    comments : bool
        Whether lines that start with ``#`` are comments.

    Raises
    ------
    errors.BadTable
        The table has no header.
    """

    def __init__(self, data: Data, *, comments: bool = True) -> None:
        self._data, self._comments = data, comments
        self._encoding = encoding_of(data)
        self.notes: list[str] = []
        if self._encoding == WESTERN:
            self.notes.append("The table is not text in UTF-8 and was read as Windows-1252 (Latin-1).")
        with lines(data, self._encoding) as text:
            self._layout = layout_of(text, comments=comments)
        named = itertools.zip_longest(self._layout.names, self._layout.units, fillvalue="")
        self.fields = [Field(name, unit=unit or None) for name, unit in named if name]

    def records(self, only: Collection[str] | None = None) -> Iterator[Mapping[str, Any]]:
        """Yield the rows; ``only`` has no effect, since a line is read as a whole in any case."""
        del only
        layout = self._layout
        with lines(self._data, self._encoding) as text:
            yield from _rows(itertools.islice(text, layout.skip, None), layout, comments=self._comments)


def _rows(text: Iterable[str], layout: Layout, *, comments: bool) -> Iterator[Mapping[str, Any]]:
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
        if len(told.row) > 1:
            _check_quotes(told.row, cells, layout, reader.line_num + layout.skip)
        yield _record(cells, layout)


def _check_quotes(row: Sequence[str], cells: Sequence[str], layout: Layout, last: int) -> None:
    """Raise an error for a row of several lines if an unclosed quotation mark has swallowed other rows.

    In that case the mark that seems to close it opens another cell, with text after it; or the lines between are rows.
    """
    parted = layout.separator
    closed = [line if parted == SPACE else _CLOSED.sub('"', line) for line in row]
    try:
        next(csv.reader(closed, delimiter=parted, skipinitialspace=True, strict=True))
        swallowed = any(_are_like(cells, part, parted) for cell in cells for part in cell.splitlines()[1:])
    except csv.Error:
        swallowed = True
    if swallowed:
        raise errors.BadTable(
            f"A quotation mark that is opened at line {last - len(row) + 1} of the table is closed in the wrong place, "
            f"at line {last}: rows between would be lost. Write a mark within a cell twice, and the cell within two."
        )


def _are_like(cells: Sequence[str], line: str, separator: str) -> bool:
    """Return whether a line has numbers in the same columns as the row."""
    parts = line.split(separator)
    numbers = [place for place, cell in enumerate(cells) if number(cell.strip()) is not None]
    return (
        len(parts) == len(cells)
        and bool(numbers)
        and all(number(parts[place].strip()) is not None for place in numbers)
    )


class _Lines:
    """The lines of the rows: comments between rows are skipped, and a ``#`` within quotes is no comment.

    Attributes
    ----------
    within : bool
        Whether a row continues in the next line; the reader sets it to False where a row ends.
    row : list of str
        Lines of the last row.
    """

    def __init__(self, text: Iterable[str], layout: Layout, *, comments: bool) -> None:
        self._text, self._comments = text, comments
        self._spaced = layout.separator == SPACE
        self._ruled = layout.separator in "| "
        self.within = False
        self.row: list[str] = []

    def __iter__(self) -> Iterator[str]:
        """Yield the lines for the csv module."""
        for line in self._text:
            if not self.within:
                bare = line.strip()
                if not bare or (self._comments and line.startswith("#")):
                    continue
                if self._ruled and (is_rule(bare) or _FOOTER.fullmatch(bare)):
                    continue
                self.within, self.row = True, [line]
                yield bare.replace("\t", " ") + "\n" if self._spaced else line
            else:
                self.row.append(line)
                yield line
        if self.within:
            raise errors.BadTable("A quotation mark is opened in the table and never closed.")


def _record(cells: Sequence[str], layout: Layout) -> Mapping[str, Any]:
    count = len(layout.names)
    record: dict[str, Any] = {name: cell for name, cell in zip(layout.names, cells, strict=False) if name}
    if len(cells) < count:
        record.update((name, "") for name in layout.names[len(cells) :] if name)
        if layout.separator == SPACE:
            # when a cell is missing, it is not known which one
            record[EXTRA] = [f"a row of {len(cells)} cells under {count} columns"]
    elif len(cells) > count and (extra := [cell for cell in cells[count:] if cell.strip()]):
        record[EXTRA] = extra
    return record
