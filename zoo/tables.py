"""Tables that moderators upload: galaxies to measure, and galaxies of known inclination."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.core import errors
from gateway.tables import reader
from gateway.tables.cells.rows import question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gateway.tables.cells.rows import Row

# names of the networks' answers in our own tables, and of the Hubble stage in catalogues
INCLINATION, SPREAD, STAGE = ("inclination_deg",), ("stdev_deg",), ("hubble_stage", "ty", "ttype")
_RANGE = {INCLINATION: (0.0, 90.0), SPREAD: (0.0, 90.0), STAGE: (-10.0, 12.0)}
_TOLD = 100


@dataclass(frozen=True, slots=True)
class TakenTable:
    """Outcomes of a table's rows: taken, known from before, and left out with the first reasons."""

    taken: int
    known: int
    left_out: int
    reasons: tuple[str, ...]


def take_rows(
    content: bytes, filename: str, *, most: int, take: Callable[[Row, Mapping[str, Any]], bool]
) -> TakenTable:
    """Read a table of galaxies and call ``take`` for each row with a galaxy.

    Parameters
    ----------
    content : bytes
        Table in a format of :func:`gateway.tables.reader.read_table`, with PGC numbers, positions or names of files.
    filename : str
    most : int
        Most rows of the table.
    take : callable
        Receives a row and its cells of inclination, spread and stage (:func:`number`); returns whether it was new. It
        raises an ``errors.TargetError`` for a row that can't be used.

    Raises
    ------
    errors.BadTable, errors.TableTooLarge
    """
    taken = known = 0
    reasons = []
    for place, row, cells in _rows(content, filename, most):
        try:
            if row.problem is not None:
                raise errors.BadTarget(row.problem.detail)
            new = take(row, cells)
        except errors.TargetError as error:
            reasons.append(f"Row {place}: {error.detail}")
            continue
        taken, known = taken + new, known + (not new)
    return TakenTable(taken, known, len(reasons), tuple(reasons[:_TOLD]))


def _rows(content: bytes, filename: str, most: int) -> Iterator[tuple[int, Row, Mapping[str, Any]]]:
    table = reader.read_table(content, filename, most=most)
    reading = reader.columns_of(table)
    more = [field.name for field in table.fields if field.name.lower() in {*INCLINATION, *SPREAD, *STAGE}]
    records = reader.records_of(table, {*reading.columns, *more}, most=most, filename=filename)
    for place, record in enumerate(records):
        yield place + 1, question(place, record, reading), {name.lower(): record.get(name) for name in more}


def name_of(row: Row) -> str:
    """Return the name of a row's galaxy: its key, or its PGC number where that is the key."""
    asked = row.target
    return f"PGC {asked.pgc}" if asked is not None and asked.pgc is not None and row.key.isdigit() else row.key


def number(cells: Mapping[str, Any], names: tuple[str, ...]) -> float | None:
    """Return the first number in these columns that is within its range; None where there is none."""
    least, most = _RANGE[names]
    for name in names:
        try:
            value = float(cells.get(name) or "nan")
        except (TypeError, ValueError):
            continue
        if math.isfinite(value) and least <= value <= most:
            return value
    return None
