"""Tables of text lines: CSV with any separator, columns separated by spaces, VizieR's TSV, RDB, databases' output."""

from __future__ import annotations

import csv
import itertools
import re
from typing import TYPE_CHECKING, Any

from gateway.core import errors
from gateway.tables.files.layout import SPACE, Layout, is_rule, layout_of
from gateway.tables.files.text import WESTERN, encoding_of, lines
from gateway.tables.table import EXTRA, Field

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from gateway.tables.data import Data

csv.field_size_limit(1 << 24)  # long descriptions are allowed, but an unclosed quotation mark must not swallow the file
_FOOTER = re.compile(r"\(\d+ rows?\)")


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
        yield _record(cells, layout)


class _Lines:
    """The lines of the rows: comments between rows are skipped, and a ``#`` within quotes is no comment.

    Attributes
    ----------
    within : bool
        Whether a row continues in the next line; the reader sets it to False where a row ends.
    """

    def __init__(self, text: Iterable[str], layout: Layout, *, comments: bool) -> None:
        self._text, self._comments = text, comments
        self._spaced = layout.separator == SPACE
        self._ruled = layout.separator in "| "
        self.within = False

    def __iter__(self) -> Iterator[str]:
        """Yield the lines for the csv module."""
        for line in self._text:
            if not self.within:
                bare = line.strip()
                if not bare or (self._comments and line.startswith("#")):
                    continue
                if self._ruled and (is_rule(bare) or _FOOTER.fullmatch(bare)):
                    continue
                self.within = True
                yield bare.replace("\t", " ") + "\n" if self._spaced else line
            else:
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
