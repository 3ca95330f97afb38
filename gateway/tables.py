"""Tables of targets as people have them: CSV, VOTable, FITS, Parquet, or records of JSON."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from gateway import errors
from gateway.domain import Target
from gateway.guard import check_rows, look

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

COLUMNS: dict[str, tuple[str, ...]] = {
    "key": ("key", "id", "row_id", "target_id"),
    "pgc": ("pgc", "pgc_number", "leda", "al1"),
    "name": ("name", "objname", "object", "galaxy", "target", "object_name", "main_id"),
    "ra": ("ra", "ra_deg", "raj2000", "_raj2000", "ra_j2000", "ra_icrs", "alpha", "al2000", "s_ra"),
    "dec": ("dec", "dec_deg", "dej2000", "_dej2000", "decj2000", "de_icrs", "dec_icrs", "delta", "de2000", "s_dec"),
    "fov": ("fov", "fov_arcmin", "field_of_view"),
    "pa": ("pa", "position_angle", "position_angle_deg", "anglepa"),
    "file": ("file", "filename", "file_name", "image", "path"),
}
"""What each kind of column is called, in the spellings of the usual catalogues; case does not matter."""

# what astropy's readers are told; the ID of a column may be any word
READER_OPTIONS = {"votable": {"use_names_over_ids": True}}


@dataclass(frozen=True, slots=True)
class Row:
    """One question of a table.

    Attributes
    ----------
    number : int
        Position in the table, from 0.
    key : str
        The row's own: its key column, else what it asks about.
    target : Target, optional
    file : str, optional
        Name of an image sent along, instead of a target.
    problem : errors.InclinetError, optional
        Why the row asks nothing that can be answered; then there is neither target nor file.
    """

    number: int
    key: str
    target: Target | None = None
    file: str | None = None
    problem: errors.InclinetError | None = None


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


def rows(records: Sequence[Mapping[str, Any]], files: Iterable[str] = ()) -> list[Row]:
    """Turn records into questions; a record that asks nothing answerable becomes a row with a problem.

    Parameters
    ----------
    records : sequence of mapping
        Column name to value.
    files : iterable of str
        Names of images sent along. Without records each is a row of its own.

    Raises
    ------
    errors.BadTable
        No column is recognised.
    """
    available = list(files)
    if not records:
        return [Row(number, name, file=name) for number, name in enumerate(available)]
    columns, sent = recognise(name for record in records for name in record), frozenset(available)
    return [question(number, record, columns, sent) for number, record in enumerate(records)]


def recognise(names: Iterable[str]) -> dict[str, str | None]:
    """Tell which column is of which kind; raises :class:`~gateway.errors.BadTable` where none says what to ask.

    Parameters
    ----------
    names : iterable of str
        Of the table's columns.

    Returns
    -------
    dict
        From each kind of :data:`COLUMNS` to the column's name as the table spells it, or None.
    """
    spelt = {name.strip().lower(): name for name in names}
    columns = {
        kind: next((spelt[spelling] for spelling in spellings if spelling in spelt), None)
        for kind, spellings in COLUMNS.items()
    }
    if not any(columns[kind] for kind in ("pgc", "name", "ra", "file")):
        raise errors.BadTable(
            f"None of the columns ({', '.join(list(spelt.values())[:12])}) is recognised; "
            "pgc, name, ra with dec, or file is needed.",
        )
    return columns


def question(
    number: int,
    record: Mapping[str, Any],
    columns: Mapping[str, str | None],
    files: Container[str] | None = None,
) -> Row:
    """Turn one record into a question.

    Parameters
    ----------
    number : int
        Position in the table, from 0.
    record : mapping
        Column name to value.
    columns : mapping
        What :func:`recognise` returned for the table.
    files : container of str, optional
        Names of the images sent along; any name will do unless given.
    """
    cells = {kind: _text(record.get(name)) if name else "" for kind, name in columns.items()}
    asked = (
        f"PGC {cells['pgc']}"
        if cells["pgc"]
        else cells["name"] or f"{cells['ra']} {cells['dec']}".strip() or cells["file"]
    )
    key = cells["key"] or asked or f"row {number + 1}"
    try:
        if cells["file"]:
            return Row(number, key, file=_sent_along(cells["file"], files))
        return Row(number, key, target=_target(cells))
    except errors.BadTarget as problem:
        return Row(number, key, problem=problem)


def _sent_along(name: str, files: Container[str] | None) -> str:
    if files is not None and name not in files:
        raise errors.BadTarget(f"No image named {name} was sent along.")
    return name


def _target(cells: Mapping[str, str]) -> Target:
    fov, angle = _number(cells["fov"], "field of view"), _number(cells["pa"], "position angle")
    if cells["pgc"]:
        number = _number(cells["pgc"], "PGC number")
        if number is None or number != int(number):
            raise errors.BadTarget(f"The PGC number {cells['pgc']} is not a whole number.")
        return Target(pgc=int(number), fov_arcmin=fov, position_angle_deg=angle)
    if cells["name"]:
        return Target(name=cells["name"], fov_arcmin=fov, position_angle_deg=angle)
    if cells["ra"]:
        return Target(ra=cells["ra"], dec=cells["dec"], fov_arcmin=fov, position_angle_deg=angle)
    raise errors.BadTarget("The row has no PGC number, name, position or image.")


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    return str(value).strip()


def _number(text: str, what: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise errors.BadTarget(f"The {what} {text[:40]!r} is not a number.")
    return value
