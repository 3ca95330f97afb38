"""Projects: galaxies that people measure together, and the import of their tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from gateway.core import errors
from gateway.sky.positions import parse_position
from zoo.database.models import MeasurementRow, ProjectRow, TargetRow
from zoo.errors import NotThere
from zoo.tables import INCLINATION, SPREAD, STAGE, name_of, number, take_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from gateway.tables.cells.rows import Row
    from zoo.tables import TakenTable


def project_of(session: Session, slug: str) -> ProjectRow:
    """Return the project with a slug.

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
    """Add the galaxies of a table to a project; galaxies whose names it has already stay unchanged.

    Parameters
    ----------
    session : Session
        Writing transaction.
    project : ProjectRow
    content : bytes
        The table. Columns ``inclination_deg`` and ``stdev_deg``, as in ``inclinet batch``, are the networks' answers.
    filename : str
    most : int
        Parameter of :func:`zoo.tables.take_rows`, which also defines the errors.
    has_file : callable
        Returns whether a picture of this name exists.

    """
    known = set(session.scalars(select(TargetRow.name).where(TargetRow.project_id == project.id)))

    def take(row: Row, cells: Mapping[str, Any]) -> bool:
        target = _target(project, row, cells, has_file)
        if target.name in known:
            return False
        known.add(target.name)
        session.add(target)
        return True

    return take_rows(content, filename, most=most, take=take)


def _target(project: ProjectRow, row: Row, cells: Mapping[str, Any], has_file: Callable[[str], bool]) -> TargetRow:
    if row.file is not None and not has_file(row.file):
        raise errors.BadTarget(f"There is no picture {row.file[:80]} in the zoo's folder of pictures.")
    asked = row.target
    if asked is not None and asked.pgc is None and asked.ra is None:
        raise errors.BadTarget("A galaxy of the zoo needs a PGC number, a position or the name of a file.")
    position = parse_position(asked.ra, asked.dec or "") if asked is not None and asked.ra is not None else None
    return TargetRow(
        project_id=project.id,
        name=name_of(row),
        pgc=asked.pgc if asked is not None else None,
        ra_deg=position[0] if position else None,
        dec_deg=position[1] if position else None,
        fov_arcmin=asked.fov_arcmin if asked is not None else None,
        position_angle_deg=asked.position_angle_deg if asked is not None else None,
        hubble_stage=number(cells, STAGE),
        file=row.file,
        network_deg=number(cells, INCLINATION),
        network_spread_deg=number(cells, SPREAD),
        closed="",
    )


def counts(session: Session, project_id: int) -> dict[str, int]:
    """Return the numbers of a project's targets, excluded targets, measurements, and people."""
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
