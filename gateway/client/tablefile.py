"""Tables on disk as what can be carried along: of text, what kind of values each column holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.core import errors
from gateway.tables import reader
from gateway.tables.jsonfile import JsonFile
from gateway.tables.results import Column
from gateway.tables.textfile import TextFile

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from gateway.tables.table import Field, Table

_INT64_MOST = 2**63 - 1
_EXACT_DIGITS = 15
"""Digits of a whole number that a float keeps in any case."""
_LONG = "long"
"""What a column of whole numbers is while it is looked through, if some have more digits than a float keeps."""


class TableFile:
    """A table that can be read as often as needed.

    Parameters
    ----------
    table : gateway.tables.table.Table
    path : Path
        Named in errors.

    Attributes
    ----------
    table : gateway.tables.table.Table
    names : tuple of str
        Of its columns of one value a row; columns of arrays are left out.
    """

    def __init__(self, table: Table, path: Path) -> None:
        self.table = table
        self.names = tuple(one.name for one in table.fields)
        self._loose = isinstance(table, (TextFile, JsonFile))
        if self._loose and next(iter(table.records()), None) is None:
            raise errors.BadTable(f"The table {path} is empty.")
        self._columns: Sequence[Column] | None = None

    def columns(self) -> Sequence[Column]:
        """Describe the columns; of text, by what all of their cells turn out to be."""
        if self._columns is None:
            kinds = self._kinds() if self._loose else {}
            self._columns = [_column(one, kinds.get(one.name, one.kind)) for one in self.table.fields]
        return self._columns

    def records(self, only: Collection[str] | None = None) -> Iterator[Mapping[str, Any]]:
        """Read the rows from the first one on; see :class:`gateway.tables.table.Table`."""
        return self.table.records(only)

    def cells(self) -> Iterator[Mapping[str, Any]]:
        """Read the rows as :meth:`columns` describes them, numbers of a text as numbers."""
        made = {column.name: _MADE[column.kind] for column in self.columns()}
        for record in self.table.records():
            yield {
                name: None if (value := record.get(name)) is None or value == "" else make(value)
                for name, make in made.items()
            }

    def _kinds(self) -> dict[str, str]:
        kinds = dict.fromkeys(self.names, "")
        for record in self.table.records():
            for name, kind in kinds.items():
                value = record.get(name)
                if kind != "str" and value is not None and value != "":
                    kinds[name] = _widest(kind, value)
        return {name: {"": "str", _LONG: "int"}.get(kind, kind) for name, kind in kinds.items()}


def open_table(path: Path, *, comments: bool = True) -> TableFile:
    """Open a table, recognising its format by its content; errors as :func:`gateway.tables.reader.open_table`."""
    return TableFile(reader.open_table(path, comments=comments), path)


def _column(one: Field, kind: str) -> Column:
    return Column(one.name, kind, one.description, one.unit, one.ucd)


def _widest(kind: str, value: Any) -> str:
    """Tell what a column holds that was of ``kind`` before this cell."""
    text = value.strip() if isinstance(value, str) else str(value)
    digits = text.removeprefix("-")
    if text.lower() == "nan":
        return kind
    if isinstance(value, bool):
        return kind or "int"
    if digits.isdecimal():
        return _widest_whole(kind, digits)
    try:
        float(text)
    except ValueError:
        return "str"
    return "str" if kind == _LONG or "_" in text else "float"


def _widest_whole(kind: str, digits: str) -> str:
    is_label = digits.startswith("0") and digits != "0"
    # no format of a result holds a larger one as a number
    if is_label or len(digits) > len(str(_INT64_MOST)) or int(digits) > _INT64_MOST:
        return "str"
    if len(digits) > _EXACT_DIGITS:
        return "str" if kind == "float" else _LONG
    return kind or "int"


def _whole(value: Any) -> int | None:
    return None if isinstance(value, str) and value.strip().lower() == "nan" else int(value)


def _float(value: Any) -> float | None:
    number = float(value)
    return None if number != number else number  # noqa: PLR0124 - not a number is an empty cell


_MADE: dict[str, Callable[[Any], Any]] = {"int": _whole, "float": _float, "str": str}
