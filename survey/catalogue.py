"""From what is asked to partitions: row ranges of Parquet or NumPy files that a worker reads by itself."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import parquet

from gateway import errors
from gateway.client.tablefile import open_table
from gateway.tables.columns import COLUMNS, recognise
from survey import source as sources
from survey import storage
from survey.errors import SurveyError
from survey.pixels import Pixels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from survey.source import Source

STAGED = "_catalogue.parquet"
"""The question as workers read it, in the output folder, where it did not come as Parquet. ``_``: no result."""

_FINGERPRINT = b"inclinet.input"


@dataclass(frozen=True, slots=True)
class Piece:
    """A file of a catalogue and its number of rows."""

    url: str
    rows: int


@dataclass(frozen=True, slots=True)
class Partition:
    """What one task does: rows ``start`` to ``stop`` of a file, which are row ``first`` and on of the catalogue."""

    number: int
    url: str
    start: int
    stop: int
    first: int

    @property
    def rows(self) -> int:
        """How many."""
        return self.stop - self.start

    @property
    def last(self) -> int:
        """Row of the catalogue after the last one."""
        return self.first + self.rows


def partitions(pieces: Iterable[Piece], size: int) -> list[Partition]:
    """Cut a catalogue into partitions of ``size`` rows; the last one of each file may have fewer."""
    cut: list[Partition] = []
    first = 0
    for piece in pieces:
        for start in range(0, piece.rows, size):
            stop = min(start + size, piece.rows)
            cut.append(Partition(len(cut), piece.url, start, stop, first))
            first += stop - start
    return cut


def pieces(source: Source, out: str, *, size: int) -> tuple[Piece, ...]:
    """Make a source ready for workers.

    Parameters
    ----------
    source : Source
    out : str
        Output folder, where what is not Parquet or NumPy is rewritten as Parquet, unless it was by an earlier run.
    size : int
        Rows of a partition: rewritten files have row groups of that size, so that a worker reads its own rows only.

    Raises
    ------
    SurveyError
        It can't be read, or has no rows, or no column says what to ask.
    """
    if source.form is sources.Form.PIXELS:
        found = [_of_pixels(source.files[0])]
    elif source.form is sources.Form.PARQUET:
        found = [_of_parquet(url) for url in source.files]
    else:
        staged = storage.join(out, STAGED)
        if not _is_staged(staged, source.fingerprint):
            _stage(source, staged, size)
        found = [_of_parquet(staged)]
    if not sum(piece.rows for piece in found):
        raise SurveyError(f"{source.location} has no rows.")
    return tuple(piece for piece in found if piece.rows)


def records(partition: Partition) -> tuple[list[dict[str, Any]], Sequence[str]]:
    """Read a partition of a Parquet file: its records, and the names of their columns.

    Only what :mod:`gateway.tables` recognises is read, of those row groups that hold the partition's rows.

    Raises
    ------
    OSError
        As the store does.
    """
    with storage.open_for_reading(partition.url) as opened, parquet.ParquetFile(opened) as file:
        names = _recognised(file.schema_arrow)
        groups, before, seen = [], 0, 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if seen + rows <= partition.start:
                before = seen + rows
            elif seen < partition.stop:
                groups.append(group)
            seen += rows
        table = file.read_row_groups(groups, columns=names)
        return table.slice(partition.start - before, partition.rows).to_pylist(), names


def _recognised(schema: Any) -> list[str]:
    wanted = {spelling for spellings in COLUMNS.values() for spelling in spellings}
    return [name for name in schema.names if name.strip().lower() in wanted]


def _of_pixels(url: str) -> Piece:
    try:
        pixels = Pixels(url)
    except OSError as error:
        raise SurveyError(f"{url} can't be read: {error}.") from error
    pixels.close()
    return Piece(url, pixels.rows)


def _of_parquet(url: str) -> Piece:
    try:
        with storage.open_for_reading(url) as opened, parquet.ParquetFile(opened) as file:
            recognise(file.schema_arrow.names)
            return Piece(url, file.metadata.num_rows)
    except errors.BadTable as error:
        raise SurveyError(f"{url}: {error.detail}") from error
    except (OSError, pa.ArrowException) as error:
        raise SurveyError(f"{url} can't be read: {error}.") from error


def _is_staged(url: str, fingerprint: str) -> bool:
    if not storage.exists(url):
        return False
    with storage.open_for_reading(url) as opened:
        known = parquet.read_schema(opened).metadata or {}
    return bool(known.get(_FINGERPRINT) == fingerprint.encode())


def _stage(source: Source, url: str, size: int) -> None:
    """Rewrite a source as Parquet of text columns, a few rows in memory at a time."""
    with tempfile.TemporaryDirectory(prefix="inclinet-survey-") as folder, _questions(source, Path(folder)) as asked:
        names, rows = asked
        schema = pa.schema([(name, pa.string()) for name in names], {_FINGERPRINT: source.fingerprint.encode()})
        made = Path(folder) / STAGED
        with parquet.ParquetWriter(made, schema, compression="zstd") as writer:
            group: list[dict[str, Any]] = []
            for row in rows:
                group.append({name: None if (cell := row.get(name)) is None else str(cell) for name in names})
                if len(group) == size:
                    writer.write_table(pa.Table.from_pylist(group, schema))
                    group = []
            if group:
                writer.write_table(pa.Table.from_pylist(group, schema))
        storage.put(made, url)


@contextmanager
def _questions(source: Source, folder: Path) -> Iterator[tuple[list[str], Iterable[Mapping[str, Any]]]]:
    """Names of the columns that are recognised, and the records, of a table or a list of images."""
    if source.form is sources.Form.IMAGES:
        yield ["key", "file"], ({"key": key, "file": url} for key, url in sources.keys(source))
        return
    fs, path = storage.locate(source.files[0])
    local = Path(path)
    try:
        if not storage.is_local(fs):
            local = folder / "table"
            fs.get_file(path, str(local))
        table = open_table(local)
        columns = [name for name in recognise(table.names).values() if name is not None]
        yield columns, table.records(columns)
    except errors.BadTable as error:
        said = error.detail.replace(str(local), source.location)
        raise SurveyError(said if source.location in said else f"{source.location}: {said}") from error
    except OSError as error:
        raise SurveyError(f"{source.location} can't be read: {error}.") from error
