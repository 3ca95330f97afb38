"""Writes the result as one table: CSV, ECSV, VOTable, FITS or Parquet, with units, descriptions and UCDs.

Rows are written one by one, so that the memory does not grow with the table; astropy makes everything before and after
them. FITS and Parquet need the number of rows and the length of the texts beforehand, which a first pass through the
rows finds.

Places of the metadata:

- ECSV: unit, description and ``meta: {ucd: ...}`` of each column, as astropy reads them.
- VOTable: FIELD attributes and DESCRIPTION.
- FITS: TUNIT, TNULL, and TCOMM and TUCD, which TOPCAT and STILTS read and write.
- Parquet: astropy's ``table_meta_yaml``, and a VOTable header without data as in the VOParquet convention (IVOA, 2025).
"""

from __future__ import annotations

import csv
import io
import itertools
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from batch import storage
from batch.errors import BatchError
from batch.outputs.results import COLUMNS, votable_header
from gateway.tables import results

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from batch.conversion.own_columns import OwnColumns
    from gateway.tables.results import Column

    Rows = Callable[[], Iterable[Sequence[Any]]]

_REHEARSED = 1000
_AT_ONCE = 2000
_FITS_BLOCK = 2880
_FITS_COLUMNS = 999
_NO_INTEGER = -(2**63)
_DTYPES = {"float": "f8", "int": "i8", "str": "U1"}


def format_of(suffix: str) -> str | None:
    """Return the format of a file by its suffix, or None."""
    return _SUFFIXES.get(suffix.lower())


def suffixes() -> str:
    """Return the known suffixes, for people."""
    return ", ".join(_SUFFIXES)


def rehearse(out: str, own: OwnColumns | None) -> None:
    """Write the first rows to a buffer, so that a format that can't hold the columns fails before anything is asked.

    Raises
    ------
    BatchError
        The format can't hold the columns.
    """
    carried = own.columns() if own is not None else {}
    first = list(itertools.islice(own.cells(), _REHEARSED)) if own is not None else []
    empty = (None,) * len(COLUMNS)
    columns = (*COLUMNS, *carried.values())
    try:
        write(io.BytesIO(), _format(out), columns, lambda: ((*empty, *cells) for cells in first), {})
    except (ValueError, TypeError, OverflowError) as error:
        said = str(error).partition("\n")[0][:200].removesuffix(".")
        raise BatchError(f"{out} can't hold the columns of the table ({said}); choose another format.") from error


def convert(
    out: str, own: OwnColumns | None, rows: Callable[[], Iterable[results.Row]], about: Mapping[str, str]
) -> None:
    """Write a result as one table. The file appears whole or not at all, and replaces an earlier one only then.

    Parameters
    ----------
    out : str
        Path or URL; its suffix decides the format.
    own : OwnColumns, optional
        Columns of the input table to copy.
    rows : callable
        Returns a new iterator over the rows of the result, in order.
    about : mapping
        Facts about the table as a whole.

    Raises
    ------
    OSError
        The table can't be written.
    """
    columns = (*COLUMNS, *(own.columns().values() if own is not None else ()))
    names = [column.name for column in COLUMNS]

    def all_cells() -> Iterator[Sequence[Any]]:
        beside = own.cells() if own is not None else itertools.repeat(())
        for row, cells in zip(rows(), beside, strict=False):
            yield (*map(row.__getitem__, names), *cells)

    with storage.writing(out) as file:
        write(file, _format(out), columns, all_cells, about)


def _format(out: str) -> str:
    found = format_of(Path(out).suffix)
    assert found is not None  # noqa: S101 - checked before anything was asked
    return found


def write(file: BinaryIO, file_format: str, columns: Sequence[Column], rows: Rows, about: Mapping[str, str]) -> None:
    """Write a table.

    Parameters
    ----------
    file : binary file, open for writing
    file_format : str
        Result of :func:`format_of`.
    columns : sequence of Column
    rows : callable
        Returns a new iterator over the rows; each has one value per column: float, int, text without control
        characters, or None for an empty cell.
    about : mapping
        Facts about the table as a whole, where the format can hold them.
    """
    _WRITERS[file_format](file, columns, rows, about)


def _csv(file: BinaryIO, columns: Sequence[Column], rows: Rows, about: Mapping[str, str]) -> None:
    del about  # a line that is neither header nor row would break most readers
    with _text(file) as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([column.name for column in columns])
        writer.writerows(rows())


def _ecsv(file: BinaryIO, columns: Sequence[Column], rows: Rows, about: Mapping[str, str]) -> None:
    with _text(file) as text:
        _empty(columns, about).write(text, format="ascii.ecsv", delimiter=",")
        # the quotes keep a text that starts with # from being a comment
        csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC).writerows(rows())


def _votable(file: BinaryIO, columns: Sequence[Column], rows: Rows, about: Mapping[str, str]) -> None:
    before, after = votable_header(columns, about).split("  </TABLE>", 1)
    file.write(f"{before}   <DATA>\n    <TABLEDATA>\n".encode())
    file.writelines(map(results.votable_row, rows()))
    file.write(f"    </TABLEDATA>\n   </DATA>\n  </TABLE>{after}".encode())


def _fits(file: BinaryIO, columns: Sequence[Column], rows: Rows, about: Mapping[str, str]) -> None:
    from astropy.io import fits  # takes 0.5 s, for FITS only

    if len(columns) > _FITS_COLUMNS:
        raise ValueError(f"a FITS table has at most {_FITS_COLUMNS} columns, not {len(columns)}")
    count, widths = _measure(columns, rows, len_of=lambda text: len(text.encode()))
    codes = {"float": "D", "int": "K"}
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column(
                column.name,
                codes.get(column.kind) or f"{widths[column.name]}A",
                unit=column.unit,
                null=_NO_INTEGER if column.kind == "int" else None,
            )
            for column in columns
        ],
        nrows=0,
        name="INCLINATIONS",
    )
    header = table.header
    header["NAXIS2"] = count
    for number, column in enumerate(columns, 1):
        for word, text in (("TUCD", column.ucd), ("TCOMM", column.description)):
            if text:
                header.set(f"{word}{number}", _ascii(text), after=f"TFORM{number}")
    for name, value in about.items():
        header[name[:8].upper()] = _ascii(value)
    file.write(fits.PrimaryHDU().header.tostring().encode("ascii"))
    file.write(header.tostring().encode("ascii"))
    types = {"float": ">f8", "int": ">i8"}
    dtype = np.dtype([(column.name, types.get(column.kind) or f"S{widths[column.name]}") for column in columns])
    file.writelines(
        np.array([tuple(map(_fits_cell, row, columns)) for row in some], dtype).tobytes() for some in _batches(rows())
    )
    file.write(bytes(-count * dtype.itemsize % _FITS_BLOCK))


def _fits_cell(value: Any, column: Column) -> Any:
    if column.kind == "str":
        return "" if value is None else value.encode()
    if value is None:
        return float("nan") if column.kind == "float" else _NO_INTEGER
    return value


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()


def _parquet(file: BinaryIO, columns: Sequence[Column], rows: Rows, about: Mapping[str, str]) -> None:
    from astropy.table import meta

    _, widths = _measure(columns, rows, len_of=len)
    metadata = {
        "table_meta_yaml": "\n".join(meta.get_yaml_from_table(_empty(columns, about))),
        "IVOA.VOTable-Parquet.version": "1.0",
        "IVOA.VOTable-Parquet.content": votable_header(columns, about),
        **{f"table::len::{column.name}": str(widths[column.name]) for column in columns if column.kind == "str"},
    }
    kinds = {"float": pa.float64(), "int": pa.int64(), "str": pa.string()}
    schema = pa.schema([(column.name, kinds[column.kind]) for column in columns], metadata=metadata)
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for some in _batches(rows(), 20 * _AT_ONCE):
            arrays = [
                # astropy's reader accepts no null in a text column
                pa.array(["" if value is None else value for value in values] if column.kind == "str" else values, kind)
                for column, kind, values in zip(columns, schema.types, zip(*some, strict=True), strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _measure(columns: Sequence[Column], rows: Rows, len_of: Callable[[str], int]) -> tuple[int, dict[str, int]]:
    """Return the number of rows, and the greatest length of each text column (at least 1)."""
    places = [index for index, column in enumerate(columns) if column.kind == "str"]
    widths, count = dict.fromkeys(places, 1), 0
    for row in rows():
        count += 1
        for place in places:
            if row[place] is not None:
                widths[place] = max(widths[place], len_of(row[place]))
    return count, {columns[place].name: width for place, width in widths.items()}


def _batches(rows: Iterable[Sequence[Any]], size: int = _AT_ONCE) -> Iterator[list[Sequence[Any]]]:
    waiting = iter(rows)
    while some := list(itertools.islice(waiting, size)):
        yield some


def _empty(columns: Sequence[Column], about: Mapping[str, str]) -> Any:
    """Return an astropy table of these columns without rows."""
    from astropy.table import Column as TableColumn
    from astropy.table import Table

    return Table(
        [
            TableColumn(
                [],
                column.name,
                _DTYPES[column.kind],
                unit=column.unit,
                description=column.description or None,
                meta={"ucd": column.ucd} if column.ucd else None,
            )
            for column in columns
        ],
        meta=dict(about),
    )


@contextmanager
def _text(file: BinaryIO) -> Iterator[TextIO]:
    """Yield a text file that writes to a binary file and leaves it open."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    yield text
    text.detach()


_WRITERS = {"csv": _csv, "ecsv": _ecsv, "votable": _votable, "fits": _fits, "parquet": _parquet}
_SUFFIXES = {
    ".csv": "csv",
    ".ecsv": "ecsv",
    ".vot": "votable",
    ".votable": "votable",
    ".xml": "votable",
    ".fits": "fits",
    ".fit": "fits",
    ".parquet": "parquet",
    ".pq": "parquet",
}
