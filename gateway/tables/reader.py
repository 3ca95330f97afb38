"""Reads tables of targets in any usual format, which is recognised by the content."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gateway.core import errors
from gateway.tables.data import Data
from gateway.tables.files import formats, packed
from gateway.tables.files.jsonfile import JsonFile
from gateway.tables.files.textfile import TextFile
from gateway.tables.header.columns import recognise
from gateway.tables.table import EXTRA
from gateway.tables.untrusted import check_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from gateway.tables.header.column_use import Reading
    from gateway.tables.table import Table

MOST_BYTES = 100_000_000
"""Default size limit of an uploaded compressed table after unpacking, bytes."""


def open_table(path: Path, *, comments: bool = True) -> Table:
    """Open a table on disk, which is read a few rows at a time where its format allows it.

    Parameters
    ----------
    path : Path
        File in CSV and other text, ECSV, VOTable, FITS, Parquet or JSON, optionally compressed with gzip, bzip2 or xz.
    comments : bool
        Whether lines of a CSV that start with ``#`` are comments.

    Raises
    ------
    errors.BadTable
        The table can't be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(formats.HEAD_BYTES)
        if packed.is_packed(head):
            return _opened(packed.unpacked_file(path), comments=comments)
        return _opened(Data(path, str(path)), comments=comments)
    except errors.GatewayError:
        raise
    except FileNotFoundError:
        raise errors.BadTable(f"There is no table {path}.") from None
    except (PermissionError, IsADirectoryError) as error:
        raise errors.BadTable(f"The table {path} can't be read: {error.strerror}.") from None
    except ImportError as error:
        raise errors.BadTable(f"To read {path}, {error.name} has to be installed.") from None
    # the readers raise a dozen kinds of errors for damaged files
    except Exception as error:
        raise damaged(str(path)) from error


def read_table(content: bytes, filename: str = "", *, most: int | None = None, most_bytes: int = MOST_BYTES) -> Table:
    """Read an uploaded table.

    Parameters
    ----------
    content : bytes
        Content in a format of :func:`open_table`.
    filename : str
        Name of the file, for errors only.
    most : int, optional
        Most rows that are accepted; a larger table is refused before it is unpacked in memory.
    most_bytes : int
        Size limit of a compressed table after unpacking, bytes.

    Raises
    ------
    errors.BadTable
        The table can't be read.
    errors.TableTooLarge
        The table has more than ``most`` rows, or too many bytes.
    """
    try:
        if packed.is_packed(content[: formats.HEAD_BYTES]):
            content = packed.unpacked_bytes(content, most_bytes)
        return _opened(Data(content, filename), most=most)
    except errors.GatewayError:
        raise
    # the readers raise a dozen kinds of errors for damaged files
    except Exception as error:
        raise damaged(filename) from error


def columns_of(table: Table, choice: Mapping[str, str] | None = None) -> Reading:
    """Recognise the columns of a table by ``columns.recognise``, and add the table's notes to the warnings.

    Raises
    ------
    errors.BadTable
        No column names a galaxy; the error also tells what was left out of the table.
    """
    try:
        reading = recognise(table.fields, choice)
    except errors.BadTable as error:
        raise errors.BadTable(" ".join([error.detail, *table.notes])) from None
    return replace(reading, warnings=(*table.notes, *reading.warnings))


def records_of(
    table: Table, only: Collection[str], *, most: int | None = None, filename: str = ""
) -> list[Mapping[str, Any]]:
    """Return the rows of an uploaded table; errors as :func:`read_table`."""
    only = {*only, EXTRA}
    rows: list[Mapping[str, Any]] = []
    try:
        for record in table.records(only):
            check_rows(len(rows) + 1, most)
            rows.append(record)
    except errors.GatewayError:
        raise
    except Exception as error:
        raise damaged(filename) from error
    return rows


def damaged(filename: str = "") -> errors.BadTable:
    """Return the error for a table that its reader can't read."""
    named = f" {filename}" if filename else ""
    return errors.BadTable(f"The table{named} is damaged, or not CSV, ECSV, VOTable, FITS or Parquet.")


def _opened(data: Data, *, most: int | None = None, comments: bool = True) -> Table:
    with data.open() as file:
        head = file.read(formats.HEAD_BYTES)
    if not head.strip() and len(head) < formats.HEAD_BYTES:
        raise errors.BadTable("The table is empty.")
    file_format = formats.format_of(head)
    if file_format == formats.TEXT:
        return TextFile(data, comments=comments)
    if file_format == formats.JSON:
        return JsonFile(data, most=most)
    if file_format == formats.PARQUET:
        try:
            from gateway.tables.files.parquetfile import ParquetFile  # an extra, takes 30 MB

            return ParquetFile(data, most=most)
        except ImportError:
            raise errors.BadTable(
                "This gateway was installed without its Parquet reader; send the table as CSV, VOTable or FITS.",
            ) from None
    from gateway.tables.files.astropyfile import AstropyFile  # takes 0.9 s and 30 MB, for such tables only

    return AstropyFile(data, file_format, most=most)
