"""Projects: galaxies that people measure together, and the tables that they come from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from gateway.core import errors
from gateway.sky.positions import parse_position
from gateway.tables import reader
from gateway.tables.cells.rows import question
from zoo.database.models import MeasurementRow, ProjectRow, TargetRow
from zoo.errors import NotThere

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from gateway.tables.cells.rows import Row

# how `inclinet batch` and other tables of ours call what networks said, and what catalogues call the stage
_NETWORK, _SPREAD, _STAGE = ("inclination_deg",), ("stdev_deg",), ("hubble_stage", "ty", "ttype")
_RANGE = {_NETWORK: (0.0, 90.0), _SPREAD: (0.0, 90.0), _STAGE: (-10.0, 12.0)}
_TOLD = 100


@dataclass(frozen=True, slots=True)
class TakenTable:
    """What became of the rows of a table: taken, known from before, and left out with the reasons of the first."""

    taken: int
    known: int
    left_out: int
    reasons: tuple[str, ...]


def project_of(session: Session, slug: str) -> ProjectRow:
    """Return the project of a slug.

    Raises
    ------
    NotThere
    """
    found = session.scalar(select(ProjectRow).where(ProjectRow.slug == slug))
    if found is None:
        raise NotThere(f"There is no project {slug[:40]}.")
    return found


def add_targets(
    session: Session, project: ProjectRow, content: bytes, filename: str, *, most: int, has_file: Callable[[str], bool]
) -> TakenTable:
    """Add the galaxies of a table to a project; a name that the project has already is left as it is.

    Parameters
    ----------
    session : Session
        Of a transaction that writes.
    project : ProjectRow
    content : bytes
        A table as :func:`gateway.tables.reader.read_table` takes it, of PGC numbers, positions or names of files.
        Columns ``inclination_deg`` and ``stdev_deg``, as ``inclinet batch`` writes them, are what networks said.
    filename : str
    most : int
        Rows of the table.
    has_file : callable
        Whether there is a picture of a name.

    Raises
    ------
    errors.BadTable, errors.TableTooLarge
    """
    table = reader.read_table(content, filename, most=most)
    reading = reader.columns_of(table)
    more = [field.name for field in table.fields if field.name.lower() in {*_NETWORK, *_SPREAD, *_STAGE}]
    records = reader.records_of(table, {*reading.columns, *more}, most=most, filename=filename)
    known = set(session.scalars(select(TargetRow.name).where(TargetRow.project_id == project.id)))
    taken = before = 0
    reasons = []
    for number, record in enumerate(records):
        row = question(number, record, reading)
        try:
            target = _target(project, row, {name.lower(): record.get(name) for name in more}, has_file)
        except errors.TargetError as error:
            reasons.append(f"Row {number + 1}: {error.detail}")
            continue
        if target.name in known:
            before += 1
            continue
        known.add(target.name)
        session.add(target)
        taken += 1
    return TakenTable(taken, before, len(reasons), tuple(reasons[:_TOLD]))


def _target(project: ProjectRow, row: Row, more: Mapping[str, Any], has_file: Callable[[str], bool]) -> TargetRow:
    if row.problem is not None:
        raise errors.BadTarget(row.problem.detail)
    if row.file is not None and not has_file(row.file):
        raise errors.BadTarget(f"There is no picture {row.file[:80]} in the zoo's folder of pictures.")
    asked = row.target
    if asked is not None and asked.pgc is None and asked.ra is None:
        raise errors.BadTarget("A galaxy of the zoo needs a PGC number, a position or the name of a file.")
    position = parse_position(asked.ra, asked.dec or "") if asked is not None and asked.ra is not None else None
    return TargetRow(
        project_id=project.id,
        name=f"PGC {asked.pgc}" if asked is not None and asked.pgc is not None and row.key.isdigit() else row.key,
        pgc=asked.pgc if asked is not None else None,
        ra_deg=position[0] if position else None,
        dec_deg=position[1] if position else None,
        fov_arcmin=asked.fov_arcmin if asked is not None else None,
        position_angle_deg=asked.position_angle_deg if asked is not None else None,
        hubble_stage=_number(more, _STAGE),
        file=row.file,
        network_deg=_number(more, _NETWORK),
        network_spread_deg=_number(more, _SPREAD),
        closed="",
    )


def _number(cells: Mapping[str, Any], names: tuple[str, ...]) -> float | None:
    least, most = _RANGE[names]
    for name in names:
        try:
            value = float(cells.get(name) or "nan")
        except (TypeError, ValueError):
            continue
        if math.isfinite(value) and least <= value <= most:
            return value
    return None


def counts(session: Session, project_id: int) -> dict[str, int]:
    """Return how many targets a project has, how many of them are left out, measurements, and people."""
    targets, excluded = session.execute(
        select(func.count(TargetRow.id), func.count(func.nullif(TargetRow.closed, ""))).where(
            TargetRow.project_id == project_id
        )
    ).one()
    measured, people = session.execute(
        select(func.count(MeasurementRow.id), func.count(MeasurementRow.person_id.distinct())).where(
            MeasurementRow.project_id == project_id,
            MeasurementRow.undone_at.is_(None),
            MeasurementRow.target_id.is_not(None),
        )
    ).one()
    return {"targets": targets, "closed": excluded, "measurements": measured, "people": people}
