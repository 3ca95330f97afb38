"""Read tables of targets as people have them: CSV, ECSV, VOTable, FITS, Parquet."""

from __future__ import annotations

import csv
import io
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from gateway import errors
from gateway.tables.columns import COLUMNS
from gateway.tables.untrusted import check_rows, look

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# what astropy's readers are told; the ID of a column may be any word
READER_OPTIONS = {"votable": {"use_names_over_ids": True}}


def read_table(data: bytes, filename: str = "", *, most: int | None = None) -> list[Mapping[str, Any]]:
    """Read a table's records, recognising the format by its content.

    Parameters
    ----------
    data : bytes
        CSV (comma, semicolon or tab), ECSV, VOTable, FITS or Parquet.
    filename : str
        Only named in the error.
    most : int, optional
        Rows that are taken; a table of more is recognised before it is unfolded in memory.

    Raises
    ------
    errors.BadTable
        It can't be read.
    errors.TableTooLarge
        It has more than ``most`` rows.
    """
    if not data.strip():
        raise errors.BadTable("The table is empty.")
    try:
        file_format = format_of(data)
        if file_format == "parquet":
            return _parquet(data, most)
        return _csv(data, most) if file_format == "csv" else _astropy(data, file_format, most)
    except errors.InclinetError:
        raise
    # the readers meet damage with errors of a dozen kinds
    except Exception as error:
        raise damaged(filename) from error


def damaged(filename: str = "") -> errors.BadTable:
    """Return the error for a table that its reader can't make sense of."""
    named = f" {filename}" if filename else ""
    return errors.BadTable(f"The table{named} is damaged, or not CSV, ECSV, VOTable, FITS or Parquet.")


def format_of(head: bytes) -> str:
    """Recognise a table's format by its first bytes: ``csv`` or ``parquet``, else what astropy calls it."""
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"SIMPLE  ="):
        return "fits"
    if head.startswith(b"# %ECSV"):
        return "ascii.ecsv"
    return "votable" if head.lstrip()[:1] == b"<" else "csv"


def _csv(data: bytes, most: int | None) -> list[Mapping[str, Any]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise errors.BadTable("The table is neither text in UTF-8 nor VOTable, FITS or Parquet.") from None
    records = list(islice(csv_records(io.StringIO(text, newline="")), most and most + 1))
    check_rows(len(records), most)
    return records


def csv_records(lines: Iterable[str], *, comments: bool = True) -> Iterator[Mapping[str, Any]]:
    """Read the records of CSV, separated by comma, semicolon or tab, as the lines come.

    Parameters
    ----------
    lines : iterable of str
        With their ends. Empty ones are passed over.
    comments : bool
        Whether those that start with ``#`` are passed over too.

    Raises
    ------
    errors.BadTable
        There is no header.
    """
    telling = (line for line in lines if line.strip() and not (comments and line.startswith("#")))
    header = next(telling, None)
    if header is None:
        raise errors.BadTable("The table holds no line that is not a comment.")
    delimiter = max(",;\t", key=header.count)
    reader = csv.DictReader(
        chain([header], telling), delimiter=delimiter, skipinitialspace=True, restkey="", restval=""
    )
    for row in reader:
        yield {key: value for key, value in row.items() if key}


def _astropy(data: bytes, file_format: str, most: int | None) -> list[Mapping[str, Any]]:
    from astropy.table import Table  # noqa: PLC0415 - 0.5 s and 40 MB that only such a table is worth

    look(data, file_format, most)
    table = Table.read(io.BytesIO(data), format=file_format, **READER_OPTIONS.get(file_format, {}))
    check_rows(len(table), most)
    names = [name for name in table.colnames if getattr(table[name], "ndim", 1) == 1]
    columns = [table[name].tolist() for name in names]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _parquet(data: bytes, most: int | None) -> list[Mapping[str, Any]]:
    try:
        from pyarrow import parquet  # noqa: PLC0415 - as above
    except ImportError:
        raise errors.BadTable(
            "This gateway was installed without its Parquet reader; send the table as CSV, VOTable or FITS.",
        ) from None
    wanted = {spelling for spellings in COLUMNS.values() for spelling in spellings}
    file = parquet.ParquetFile(io.BytesIO(data))
    check_rows(file.metadata.num_rows, most)
    columns = [name for name in file.schema_arrow.names if name.lower() in wanted]
    records: list[Mapping[str, Any]] = file.read(columns=columns).to_pylist()
    return records
