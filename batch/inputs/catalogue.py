"""Splits the input into partitions: row ranges of Parquet or NumPy files, read by the engine that measures them."""

from __future__ import annotations

import itertools
import json
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import parquet

from batch import storage
from batch.errors import BatchError
from batch.inputs import source as sources
from batch.inputs.images import Pictures
from batch.outputs.partitions import Partition, recorded
from batch.outputs.results import table_of
from gateway.core import errors
from gateway.tables.cells.rows import Row, question
from gateway.tables.files.parquetfile import fields_of
from gateway.tables.folders import FilesIn
from gateway.tables.header import size_columns
from gateway.tables.header.column_use import Reading
from gateway.tables.header.columns import recognise
from gateway.tables.reader import columns_of, damaged, open_table
from gateway.tables.table import EXTRA, short

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from batch.inputs.source import Source
    from gateway.tables.table import Table

STAGED = "_catalogue.parquet"
"""Name of the input rewritten as Parquet, in the partitions' folder. The ``_`` marks it as no result."""

_READING = b"inclinet.reading"
_LEAST_ROWS = 2000
"""Fewest rows of a row group, since each partition reads the file's metadata of all groups."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A file of a catalogue, its number of rows, and the use of its columns, in sentences."""

    url: str
    rows: int
    notes: tuple[str, ...] = ()


def partitions(pieces: Iterable[Piece], size: int) -> list[Partition]:
    """Return the partitions of files, each with ``size`` rows; the last one of each file may have fewer."""
    cut: list[Partition] = []
    first = 0
    for piece in pieces:
        for start in range(0, piece.rows, size):
            stop = min(start + size, piece.rows)
            cut.append(Partition(len(cut), piece.url, start, stop, first))
            first += stop - start
    return cut


def pieces(source: Source, out: str, *, size: int, choice: Mapping[str, str] | None = None) -> tuple[Piece, ...]:
    """Return the files of a source, in which partitions are row ranges.

    Parameters
    ----------
    source : Source
    out : str
        Folder of a batch, in which other formats than Parquet or NumPy are rewritten as Parquet, unless an earlier run
        did it.
    size : int
        Rows of a partition; row groups of a rewritten file have as many, so that a partition reads no other's rows.
    choice : mapping, optional
        Column by role, where a person chose it.

    Raises
    ------
    BatchError
        The source can't be read, has no rows, or has no column that names galaxies.
    """
    if source.form is sources.Form.PIXELS:
        found = [_of_pixels(source.files[0])]
    elif source.form is sources.Form.PARQUET:
        found = [_of_parquet(url, choice) for url in source.files]
    else:
        staged = storage.join(out, STAGED)
        # a folder with an earlier run of the batch has its catalogue already
        if recorded(out) is None or not storage.exists(staged):
            _stage(source, staged, size, choice)
        found = [_of_parquet(staged, choice)]
    if not sum(piece.rows for piece in found):
        raise BatchError(f"{source.location} has no rows.")
    return tuple(piece for piece in found if piece.rows)


def roles(source: Source, choice: Mapping[str, str] | None = None) -> set[str]:
    """Return the roles of a table's columns; empty for images or model inputs.

    Raises
    ------
    BatchError
        The table can't be read, or no column names galaxies.
    """
    if source.form is sources.Form.PARQUET:
        with _opened(source.files[0], choice) as (_, reading):
            return set(reading.uses)
    if source.form is sources.Form.TABLE:
        with _questions(source, choice) as (reading, _):
            return set(reading.uses)
    return set()


def sizes(source: Source) -> dict[str, str]:
    """Return the columns with the sizes of a table's galaxies, by role.

    Raises
    ------
    BatchError
        The table can't be read.
    """
    if source.form is sources.Form.TABLE:
        with _table(source) as table:
            return size_columns.find(table.fields)
    with _file(source.files[0]) as file:
        return size_columns.find(fields_of(file.schema_arrow)[0])


def rows_of(partition: Partition, source: Source, choice: Mapping[str, str] | None = None) -> list[Row]:
    """Read the rows of a partition.

    Parameters
    ----------
    partition : Partition
    source : Source
    choice : mapping, optional
        Column by role, where a person chose it.

    Raises
    ------
    OSError
        The store raised an error.
    """
    if source.form is sources.Form.PIXELS:
        return [
            Row(partition.first + n, str(partition.first + n), file=str(partition.start + n))
            for n in range(partition.rows)
        ]
    found, reading = records(partition, choice)
    # whether an object store has an image is found out only when it is read
    there = FilesIn(Path(source.base)) if storage.is_local(storage.locate(source.base)[0]) else None
    return [question(partition.first + n, record, reading, there, lasting=True) for n, record in enumerate(found)]


def records(partition: Partition, choice: Mapping[str, str] | None = None) -> tuple[list[dict[str, Any]], Reading]:
    """Read a partition of a Parquet file: its records, and the use of their columns.

    Only the columns that :mod:`gateway.tables` uses are read, of the row groups with the partition's rows.

    Raises
    ------
    OSError
        The store raised an error.
    """
    with storage.open_for_reading(partition.url) as opened, parquet.ParquetFile(opened) as file:
        reading, names, narrow = _reading(file.schema_arrow, choice)
        groups, before, seen = [], 0, 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if seen + rows <= partition.start:
                before = seen + rows
            elif seen < partition.stop:
                groups.append(group)
            seen += rows
        table = file.read_row_groups(groups, columns=names).flatten()
    found: list[dict[str, Any]] = table.slice(partition.start - before, partition.rows).to_pylist()
    for record in found:
        record.update((name, short(record[name])) for name in narrow)
        if record.get(EXTRA, EXTRA) is None:
            del record[EXTRA]
    return found, reading


def _reading(schema: Any, choice: Mapping[str, str] | None) -> tuple[Reading, list[str], list[str]]:
    """Return the use of the columns, the names of those that are used, and the names in single precision."""
    saved = (schema.metadata or {}).get(_READING)
    fields, narrow, _ = fields_of(schema)
    reading = Reading.restored(json.loads(saved)) if saved else recognise(fields, choice)
    used = reading.columns | ({EXTRA} if saved else set())
    return reading, [one.name for one in fields if one.name in used], [name for name in narrow if name in used]


def _of_pixels(url: str) -> Piece:
    try:
        with closing(Pictures(url)) as pictures:
            return Piece(url, pictures.rows)
    except OSError as error:
        raise BatchError(f"{url} can't be read: {error}.") from error


def _of_parquet(url: str, choice: Mapping[str, str] | None) -> Piece:
    with _opened(url, choice) as (file, reading):
        return Piece(url, file.metadata.num_rows, tuple(reading.sentences()))


@contextmanager
def _opened(url: str, choice: Mapping[str, str] | None) -> Iterator[tuple[Any, Reading]]:
    """Open a Parquet file; yield it and the use of its columns."""
    with _file(url) as file:
        yield file, _reading(file.schema_arrow, choice)[0]


@contextmanager
def _file(url: str) -> Iterator[Any]:
    try:
        with storage.open_for_reading(url) as opened, parquet.ParquetFile(opened) as file:
            yield file
    except errors.BadTable as error:
        raise BatchError(f"{url}: {error.detail}") from error
    except (OSError, pa.ArrowException) as error:
        raise BatchError(f"{url} can't be read: {error}.") from error


def _stage(source: Source, url: str, size: int, choice: Mapping[str, str] | None) -> None:
    """Rewrite a source as Parquet of text columns, a few rows in memory at a time."""
    with _questions(source, choice) as (reading, rows):
        names = [*dict.fromkeys(name for use in (*reading.uses.values(), *reading.more_names) for name in use.columns)]
        about = {_READING: json.dumps(reading.saved()).encode()}
        # surplus cells of a text row are its problem, which has to be kept with the row
        schema = pa.schema([(name, pa.string()) for name in (*names, EXTRA)], about)
        with storage.writing(url) as made, parquet.ParquetWriter(made, schema, compression="zstd") as writer:
            texts = ({name: _text(row.get(name)) for name in (*names, EXTRA)} for row in rows)
            while group := list(itertools.islice(texts, max(size, _LEAST_ROWS))):
                writer.write_table(table_of(group, schema))


def _text(cell: Any) -> str | None:
    if isinstance(cell, list):
        return ", ".join(map(str, cell))
    return None if cell is None else str(cell)


@contextmanager
def _questions(
    source: Source, choice: Mapping[str, str] | None
) -> Iterator[tuple[Reading, Iterable[Mapping[str, Any]]]]:
    """Yield the use of the columns, and the records, of a table or a list of images."""
    if source.form is sources.Form.IMAGES:
        yield recognise(["key", "file"]), ({"key": key, "file": url} for key, url in sources.keys(source))
        return
    with _table(source) as table:
        reading = columns_of(table, choice)
        yield reading, _undamaged(table.records(reading.columns), source.location)


@contextmanager
def _table(source: Source) -> Iterator[Table]:
    """Open a table that is not Parquet, on disk or in a store."""
    fs, path = storage.locate(source.files[0])
    local = Path(path)
    with tempfile.TemporaryDirectory(prefix="inclinet-batch-") as folder:
        try:
            if not storage.is_local(fs):
                local = Path(folder, "table")
                fs.get_file(path, str(local))
            yield open_table(local)
        except errors.BadTable as error:
            said = error.detail.replace(str(local), source.location)
            raise BatchError(said if source.location in said else f"{source.location}: {said}") from error
        except OSError as error:
            raise BatchError(f"{source.location} can't be read: {error}.") from error


def _undamaged(rows: Iterator[Mapping[str, Any]], location: str) -> Iterator[Mapping[str, Any]]:
    try:
        yield from rows
    except (errors.GatewayError, OSError):
        raise
    # the readers raise a dozen kinds of errors for damaged files
    except Exception as error:
        raise damaged(location) from error
