"""Tables on disk, read a few rows at a time, so that a table of any length needs no more memory than a short one."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Protocol

from gateway import errors
from gateway.render import Column
from gateway.tables import reader, untrusted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

ROWS_AT_ONCE = 1000
HEAD_BYTES = 64
_INT64_DIGITS = 18
_SINGLE_BYTES = 4


class TableFile(Protocol):
    """A table that can be read as often as needed."""

    @property
    def names(self) -> Sequence[str]:
        """Names of its columns of one value a row; columns of arrays are left out."""

    def columns(self) -> Sequence[Column]:
        """Describe the columns; of a CSV, by what all of its cells turn out to be."""

    def records(self, only: Collection[str] | None = None) -> Iterator[Mapping[str, Any]]:
        """Read the rows from the first one on: column name to an int, a float, text, or None for an empty cell.

        A CSV's cells are text. ``only`` names the columns that are wanted, where leaving out the others saves work.
        """

    def cells(self) -> Iterator[Mapping[str, Any]]:
        """Read the rows as :meth:`columns` describes them, a CSV's numbers as numbers."""


def open_table(path: Path, *, comments: bool = True) -> TableFile:
    """Open a table, recognising its format by its content.

    Parameters
    ----------
    path : Path
        CSV, ECSV, VOTable, FITS or Parquet.
    comments : bool
        Whether lines of a CSV that start with ``#`` are none of its rows.

    Raises
    ------
    errors.BadTable
        It can't be read.
    """
    try:
        with path.open("rb") as file:
            file_format = reader.format_of(file.read(HEAD_BYTES))
        if file_format == "csv":
            return _Csv(path, comments=comments)
        return _Parquet(path) if file_format == "parquet" else _Loaded(path, file_format)
    except errors.InclinetError:
        raise
    except FileNotFoundError:
        raise errors.BadTable(f"There is no table {path}.") from None
    except (PermissionError, IsADirectoryError) as error:
        raise errors.BadTable(f"The table {path} can't be read: {error.strerror}.") from None
    except ImportError as error:
        raise errors.BadTable(f"To read {path}, {error.name} has to be installed.") from None
    # the readers meet damage with errors of a dozen kinds
    except Exception as error:
        raise reader.damaged(str(path)) from error


class _Csv:
    def __init__(self, path: Path, *, comments: bool) -> None:
        self._path, self._comments = path, comments
        first = next(self.records(), None)
        if first is None:
            raise errors.BadTable(f"The table {path} is empty.")
        self.names = tuple(first)
        self._kinds: dict[str, str] | None = None

    def columns(self) -> Sequence[Column]:
        if self._kinds is None:
            self._kinds = dict.fromkeys(self.names, "")
            for record in self.records():
                for name, kind in self._kinds.items():
                    if kind != "str" and (text := record.get(name)):
                        self._kinds[name] = _widest(kind, text)
        return [Column(name, kind or "str", "") for name, kind in self._kinds.items()]

    def records(self, only: Collection[str] | None = None) -> Iterator[Mapping[str, Any]]:
        del only  # a line is read whole in any case
        try:
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                yield from reader.csv_records(file, comments=self._comments)
        except UnicodeDecodeError:
            said = f"The table {self._path} is neither text in UTF-8 nor VOTable, FITS or Parquet."
            raise errors.BadTable(said) from None

    def cells(self) -> Iterator[Mapping[str, Any]]:
        reading: dict[str, Callable[[str], Any]] = {"int": _whole, "float": float, "str": str}
        kinds = {column.name: reading[column.kind] for column in self.columns()}
        for record in self.records():
            yield {name: _plain(kind(text)) if (text := record.get(name)) else None for name, kind in kinds.items()}


def _whole(text: str) -> int | None:
    return None if text.strip().lower() == "nan" else int(text)


def _widest(kind: str, text: str) -> str:
    """Tell what a column holds that was of ``kind`` before this cell."""
    if text.strip().lower() == "nan":
        return kind
    digits = text.strip().removeprefix("-")
    if "_" in text or (digits.isdecimal() and digits.startswith("0") and digits != "0"):
        return "str"  # what looks so is a label
    if kind != "float" and digits.isdecimal() and len(digits) <= _INT64_DIGITS:
        return "int"
    try:
        float(text)
    except ValueError:
        return "str"
    return "float"


class _Parquet:
    def __init__(self, path: Path) -> None:
        from pyarrow import parquet, types  # noqa: PLC0415 - 0.2 s that only such a table is worth

        self._path = path
        with parquet.ParquetFile(path) as file:
            fields = [field for field in file.schema_arrow if not types.is_nested(field.type)]
        self.names = tuple(field.name for field in fields)
        self._narrow = {field.name for field in fields if types.is_float32(field.type)}
        self._columns = []
        for field in fields:
            whole = types.is_integer(field.type) or types.is_boolean(field.type)
            kind = "int" if whole else "float" if types.is_floating(field.type) else "str"
            said = {name.decode(): text.decode("utf-8", "replace") for name, text in (field.metadata or {}).items()}
            self._columns.append(
                Column(field.name, kind, said.get("description", ""), said.get("unit"), said.get("ucd"))
            )

    def columns(self) -> Sequence[Column]:
        return self._columns

    def records(self, only: Collection[str] | None = None) -> Iterator[Mapping[str, Any]]:
        from pyarrow import parquet  # noqa: PLC0415 - as above

        names = [name for name in self.names if only is None or name in only]
        with parquet.ParquetFile(self._path) as file:
            for batch in file.iter_batches(ROWS_AT_ONCE, columns=names):
                columns = [
                    [_plain(_short(value) if name in self._narrow else value) for value in batch[name].to_pylist()]
                    for name in names
                ]
                for values in zip(*columns, strict=True):
                    yield dict(zip(names, values, strict=True))

    def cells(self) -> Iterator[Mapping[str, Any]]:
        return self.records()


class _Loaded:
    """ECSV, VOTable and FITS by columns: those of FITS stay on disk, the others are in memory."""

    def __init__(self, path: Path, file_format: str) -> None:
        from astropy.table import Table  # noqa: PLC0415 - 0.5 s and 40 MB that only such a table is worth

        if file_format == "votable":
            # a table from elsewhere must not name files of this machine to be read along
            untrusted.look(path.read_bytes(), file_format, None)
        options = {"fits": {"memmap": True}}.get(file_format, reader.READER_OPTIONS.get(file_format, {}))
        self._table = Table.read(path, format=file_format, **options)
        self.names = tuple(name for name in self._table.colnames if getattr(self._table[name], "ndim", 0) == 1)

    def columns(self) -> Sequence[Column]:
        kinds = {"f": "float", "i": "int", "u": "int", "b": "int"}
        return [
            Column(
                name,
                kinds.get(column.dtype.kind, "str"),
                str(column.description or ""),
                None if column.unit is None else str(column.unit),
                column.meta.get("ucd"),
            )
            for name in self.names
            for column in (self._table[name],)
        ]

    def records(self, only: Collection[str] | None = None) -> Iterator[Mapping[str, Any]]:
        names = [name for name in self.names if only is None or name in only]
        for start in itertools.count(0, ROWS_AT_ONCE):
            if start >= len(self._table):
                return
            columns = [self._values(name, slice(start, start + ROWS_AT_ONCE)) for name in names]
            for values in zip(*columns, strict=True):
                yield dict(zip(names, values, strict=True))

    def cells(self) -> Iterator[Mapping[str, Any]]:
        return self.records()

    def _values(self, name: str, rows: slice) -> list[Any]:
        column = self._table[name][rows]
        single = column.dtype.kind == "f" and column.dtype.itemsize == _SINGLE_BYTES
        return [_plain(_short(value) if single else value) for value in column.tolist()]


def _short(value: float | None) -> float | None:
    """Give a single-precision number the digits that it was written with: 0.1, not 0.10000000149011612."""
    import numpy as np  # noqa: PLC0415 - the readers of such tables have loaded it

    return value if value is None else float(str(np.float32(value)))


def _plain(value: Any) -> Any:
    """Return a cell as an int, a float, text, or None where it is empty."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return None if value != value else value  # noqa: PLR0124 - not a number is an empty cell
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    return int(value) if isinstance(value, int) else str(value)
