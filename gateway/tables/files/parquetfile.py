"""Tables as Parquet: reads a few rows at a time, and only the wanted columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pyarrow import Table, parquet, types

from gateway.core import errors
from gateway.tables.files.parquet_metadata import Declared, declared
from gateway.tables.table import ROWS_AT_ONCE, Field, plain, short
from gateway.tables.untrusted import check_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from gateway.tables.data import Data

_INT64_MOST = 2**63 - 1


class ParquetFile:
    """A Parquet file.

    Parameters
    ----------
    data : Data
    most : int, optional
        Most rows that are accepted.

    Raises
    ------
    errors.BadTable, errors.TableTooLarge
    """

    def __init__(self, data: Data, *, most: int | None = None) -> None:
        self._data, self.notes = data, list[str]()
        with data.open() as opened, parquet.ParquetFile(opened) as file:
            check_rows(file.metadata.num_rows, most)
            self._rows = file.metadata.num_rows
            self.fields, self._narrow, arrays = fields_of(file.schema_arrow)
            self._huge = {one.name for one in self.fields if _is_uint64(file.schema_arrow, one.name)}
        if arrays:
            self.notes.append(f"Left out, as a row holds several values there: {', '.join(arrays[:5])}.")
        self._declare_huge()

    def records(self, only: Collection[str] | None = None) -> Iterator[Mapping[str, Any]]:
        """Read the rows."""
        names = [one.name for one in self.fields if only is None or one.name in only]
        if not names:
            yield from ({} for _ in range(self._rows))
            return
        for columns in self._batches(names):
            for values in zip(*columns, strict=True):
                yield dict(zip(names, values, strict=True))

    def _batches(self, names: list[str]) -> Iterator[list[list[Any]]]:
        with self._data.open() as opened, parquet.ParquetFile(opened) as file:
            for batch in file.iter_batches(ROWS_AT_ONCE, columns=names):
                table = Table.from_batches([batch]).flatten()
                yield [
                    [plain(short(value) if name in self._narrow else value) for value in table[name].to_pylist()]
                    for name in names
                ]

    def _declare_huge(self) -> None:
        """Declare columns of unsigned 64-bit integers to be text, since no format of a result holds them otherwise."""
        for name in self._huge:
            values = (value for columns in self._batches([name]) for value in columns[0] if value is not None)
            if any(value > _INT64_MOST for value in values):
                self.fields = [replace(one, kind="str") if one.name == name else one for one in self.fields]


def fields_of(schema: Any) -> tuple[list[Field], set[str], list[str]]:
    """Return the columns with one value per row, the names in single precision, and the names with several values.

    The members of a struct are columns of their own, ``position.ra``.

    Raises
    ------
    errors.BadTable
        Two columns have one name.
    """
    fields, narrow, arrays = [], set(), []
    of_file = declared(schema.metadata)
    for name, kind, metadata in _leaves(schema):
        if types.is_nested(kind):
            arrays.append(name)
            continue
        whole = types.is_integer(kind) or types.is_boolean(kind)
        here = of_file.get(name, Declared())
        said = {key.decode(): text.decode("utf-8", "replace") for key, text in (metadata or {}).items()}
        fields.append(
            Field(
                name,
                "int" if whole else "float" if types.is_floating(kind) else "str",
                said.get("unit", here.unit),
                said.get("ucd", here.ucd),
                said.get("description", here.description),
                here.frame,
            )
        )
        if types.is_float32(kind):
            narrow.add(name)
    names = [one.name for one in fields]
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise errors.BadTable(f"{names.count(twice)} columns are called {twice[:60]!r}; rename all but one.")
    return fields, narrow, arrays


def _leaves(schema: Any) -> Iterator[tuple[str, Any, Any]]:
    for one in schema:
        if types.is_struct(one.type):
            yield from ((f"{one.name}.{inner.name}", inner.type, inner.metadata) for inner in one.type)
        else:
            yield one.name, one.type, one.metadata


def _is_uint64(schema: Any, name: str) -> bool:
    return any(leaf == name and types.is_uint64(kind) for leaf, kind, _ in _leaves(schema))
