"""The input table's own columns, copied to the result; columns of text get the type that all their cells have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from batch import storage
from batch.errors import BatchError
from batch.inputs.source import Form
from batch.outputs.results import COLUMNS, clean
from gateway.core import errors
from gateway.tables import reader
from gateway.tables.files.jsonfile import JsonFile
from gateway.tables.files.textfile import TextFile
from gateway.tables.results import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from batch.inputs.source import Source
    from gateway.tables.table import Table

_INT64_MOST = 2**63 - 1
_EXACT_DIGITS = 15


class OwnColumns:
    """The columns with one value per row of a source's tables.

    Parameters
    ----------
    source : Source
        Source whose tables are read.

    Raises
    ------
    BatchError
        The columns can't be read, or are in an object store.
    """

    def __init__(self, source: Source) -> None:
        if source.form not in {Form.TABLE, Form.PARQUET}:
            raise BatchError(f"{source.location} is no table, and has no columns to carry along.")
        if not all(storage.is_local(storage.locate(url)[0]) for url in source.files):
            raise BatchError(f"Columns of {source.location} can only be carried along from a disk of this machine.")
        self._name = source.location
        try:
            self._tables = [reader.open_table(Path(url)) for url in source.files]
            self._kinds = _kinds(self._tables)
        except errors.BadTable as error:
            raise BatchError(error.detail) from None

    def columns(self) -> dict[str, Column]:
        """Return the columns by their names in the table, renamed where a column of the result has the name."""
        taken = {column.name.lower() for column in COLUMNS}
        carried = {}
        for one in self._tables[0].fields:
            name = clean(one.name) or "column"
            while name.lower() in taken:
                name = f"in_{name}"
            taken.add(name.lower())
            kind = self._kinds.get(one.name, one.kind)
            carried[one.name] = Column(name, kind, clean(one.description), one.unit or None, one.ucd)
        return carried

    def cells(self) -> Iterator[tuple[Any, ...]]:
        """Yield the cells of the columns, a tuple per row, with numbers in text converted.

        Raises
        ------
        BatchError
            The table is damaged.
        """
        made = {name: _MADE[column.kind] for name, column in self.columns().items()}
        try:
            for table in self._tables:
                for record in table.records():
                    yield tuple(_cell(record.get(name), make) for name, make in made.items())
        except errors.GatewayError as error:
            raise BatchError(error.detail) from None
        # the readers raise a dozen kinds of errors for damaged files
        except Exception as error:
            raise BatchError(reader.damaged(self._name).detail) from error


def _kinds(tables: Sequence[Table]) -> dict[str, str]:
    """Return the types of text columns: the type that all of their cells have."""
    found: dict[str, set[str]] = {}
    for table in tables:
        if not isinstance(table, (TextFile, JsonFile)):
            continue
        found |= {one.name: found.get(one.name, set()) for one in table.fields}
        for record in table.records():
            for name, kinds in found.items():
                value = record.get(name)
                if "str" not in kinds and value is not None and value != "":
                    kinds.add(_kind(value))
    return {name: _common(kinds - {"nan"}) for name, kinds in found.items()}


def _kind(value: Any) -> str:
    """Return the type of a cell; ``long`` is an integer with more digits than a float always keeps."""
    text = str(value).strip()
    digits = text.removeprefix("-")
    if isinstance(value, bool) or text.lower() == "nan":
        return "int" if isinstance(value, bool) else "nan"
    if digits.isdecimal():
        is_label = digits.startswith("0") and digits != "0"
        # no format of a result holds a larger integer as a number
        is_huge = len(digits) > len(str(_INT64_MOST)) or int(digits) > _INT64_MOST
        return "str" if is_label or is_huge else "long" if len(digits) > _EXACT_DIGITS else "int"
    try:
        float(text)
    except ValueError:
        return "str"
    return "str" if "_" in text else "float"


def _common(kinds: set[str]) -> str:
    if not kinds or "str" in kinds or {"long", "float"} <= kinds:
        return "str"
    return "float" if "float" in kinds else "int"


def _cell(value: Any, make: Callable[[Any], Any]) -> Any:
    return None if value is None or value == "" else make(value)


def _whole(value: Any) -> int | None:
    return None if isinstance(value, str) and value.strip().lower() == "nan" else int(value)


def _float(value: Any) -> float | None:
    number = float(value)
    return None if number != number else number  # noqa: PLR0124 - NaN is an empty cell


def _text(value: Any) -> str | None:
    return clean(str(value)) or None


_MADE: Mapping[str, Callable[[Any], Any]] = {"int": _whole, "float": _float, "str": _text}
