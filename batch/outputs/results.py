"""The one schema of results, and a partition's rows as a Parquet file with metadata."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import json as json_reader
from pyarrow import parquet

from batch import storage
from gateway.tables import results
from gateway.tables.results import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gateway.tables.cells.rows import Row

ROW = Column("row", "int", "Row of the table that was asked, from 0", ucd="meta.record")
ASKED = Column("asked", "str", "What was asked: target or image", ucd="meta.note")
COLUMNS = (ROW, results.KEY, ASKED, *(one for one in results.BATCH_COLUMNS if one is not results.KEY))
"""The columns of every result."""

PREFIX = "inclinet."
_KINDS = {"float": pa.float64(), "int": pa.int64(), "str": pa.string()}


def clean(text: str) -> str:
    """Return text that every table format can hold unchanged: printable, without space around it."""
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text.strip()


def record_of(row: Row, cells: Mapping[str, Any]) -> results.Row:
    """Return a row of the result: the question (as in the row unless the cells hold it), the answer or the problem."""
    record: results.Row = dict.fromkeys(column.name for column in COLUMNS)
    for name, value in cells.items():
        record[name] = (clean(value) or None) if isinstance(value, str) else value
    if row.warnings and not record["problem_type"]:
        # a gateway that got only the target does not know which cells of the row were left out
        said = record["warnings"] or ""
        record["warnings"] = " ".join([*(clean(one) for one in row.warnings if clean(one) not in said), said]).strip()
    key, asked = clean(row.key) or f"row {row.number + 1}", record["asked"] or _asked(row)
    return record | {"row": row.number, "key": key, "asked": asked}


def _asked(row: Row) -> str | None:
    if row.target is None:
        return clean(row.file) if row.file else None
    how = {"fov": row.target.fov_arcmin, "pa": row.target.position_angle_deg}
    said = "".join(f" {name}={value:.10g}" for name, value in how.items() if value is not None)
    return clean(row.target.asked + said)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of the outcomes of some rows.

    Attributes
    ----------
    rows, answered : int
    problems : mapping
        Number of rows by kind of problem, with key and sentence of the first one.
    unanswered : int
        Rows whose problem may pass; a partition with such a row is not done.
    """

    rows: int = 0
    answered: int = 0
    problems: Mapping[str, tuple[int, str, str]] = field(default_factory=dict)
    unanswered: int = 0

    def __add__(self, other: Tally) -> Tally:
        problems = dict(self.problems)
        for kind, (count, key, sentence) in other.problems.items():
            before = problems.get(kind, (0, key, sentence))
            problems[kind] = (before[0] + count, *before[1:])
        unanswered = self.unanswered + other.unanswered
        return Tally(self.rows + other.rows, self.answered + other.answered, problems, unanswered)


def tally(rows: Iterable[results.Row]) -> Tally:
    """Return the tally of rows of a result."""
    total = Tally()
    for row in rows:
        kind = row["problem_type"]
        total += Tally(1, 0, {kind: (1, row["key"], row["problem"] or "")}) if kind else Tally(1, 1)
    return total


def encoded(
    rows: list[results.Row], about: Mapping[str, str], *, columns: Sequence[Column] = COLUMNS, header: str = ""
) -> bytes:
    """Write rows as a Parquet file.

    Parameters
    ----------
    rows : list of dict
    about : mapping
        Metadata of the file.
    columns : sequence of Column
    header : str
        Result of :func:`votable_header`, if other programs are to read the file.
    """
    metadata = {f"{PREFIX}{name}": text for name, text in about.items()}
    if header:
        metadata |= {"IVOA.VOTable-Parquet.version": "1.0", "IVOA.VOTable-Parquet.content": header}
    written = io.BytesIO()
    parquet.write_table(table_of(rows, schema_of(columns, metadata)), written, compression="zstd")
    return written.getvalue()


def schema_of(columns: Sequence[Column], metadata: Mapping[str, str] | None = None) -> Any:
    """Return the Arrow schema of columns; units, UCDs and descriptions are metadata of the fields."""
    fields = [
        pa.field(
            one.name,
            _KINDS[one.kind],
            nullable=one not in {ROW, results.KEY},
            metadata={
                name: text
                for name, text in (("description", one.description), ("unit", one.unit), ("ucd", one.ucd))
                if text
            },
        )
        for one in columns
    ]
    return pa.schema(fields, metadata)


def table_of(rows: Sequence[Mapping[str, Any]], schema: Any) -> Any:
    """Return rows as an Arrow table; keys outside of the schema are left out.

    The conversion goes through JSON, because ``pyarrow.Table.from_pylist`` imports pandas where it is installed: a
    second and 40 MB in every process of a batch, which has no other use for it.
    """
    text = "\n".join(map(json.dumps, rows)).encode()
    options = json_reader.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    # one block for all, because no row may cross the end of a block
    reading = json_reader.ReadOptions(use_threads=False, block_size=len(text) + 1)
    return json_reader.read_json(io.BytesIO(text), reading, options).cast(schema)


def decoded(url: str) -> tuple[list[results.Row], dict[str, str]]:
    """Return the rows of a file, and its metadata.

    Raises
    ------
    OSError, pyarrow.ArrowException
        The file does not exist, or is damaged.
    """
    table = parquet.ParquetFile(io.BytesIO(storage.read(url))).read()
    return table.to_pylist(), _about(table.schema)


def summary(url: str) -> tuple[Tally, dict[str, str]]:
    """Return a file's tally and its metadata, read from its footer alone.

    Raises
    ------
    ValueError, OSError, pyarrow.ArrowException
        The file is damaged, or not one of a batch.
    """
    with storage.open_for_reading(url) as opened, parquet.ParquetFile(opened) as file:
        about = _about(file.schema_arrow)
        try:
            problems = {kind: (count, key, said) for kind, (count, key, said) in json.loads(about["problems"]).items()}
            return Tally(file.metadata.num_rows, int(about["answered"]), problems), about
        except (KeyError, AttributeError) as missing:
            raise ValueError(f"it does not say its {missing}") from missing


def _about(schema: Any) -> dict[str, str]:
    known = {name.decode(): text.decode() for name, text in (schema.metadata or {}).items()}
    return {name.removeprefix(PREFIX): text for name, text in known.items() if name.startswith(PREFIX)}


def votable_header(columns: Sequence[Column], about: Mapping[str, str] | None = None) -> str:
    """Return columns as a VOTable without data, which TOPCAT and astropy read from a Parquet file's metadata.

    The convention is VOParquet 1.0 (IVOA Note, 2025-01-16).
    """
    from astropy.io.votable import writeto  # takes 0.5 s and 40 MB, for no worker
    from astropy.io.votable.tree import Info

    document = results.votable(columns)
    # the ID of an INFO must differ from those of the columns
    infos = [Info(ID=f"about_{name}", name=name, value=value) for name, value in (about or {}).items()]
    document.resources[0].infos.extend(infos)
    written = io.BytesIO()
    writeto(document, written)
    return written.getvalue().decode()
