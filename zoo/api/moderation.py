"""Endpoints for moderators: make projects, add galaxies, and decide where people can't."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi import APIRouter, Request
from sqlalchemy import func, select

from gateway.api.problems import responses
from gateway.core import errors
from gateway.sky import SURVEYS
from zoo.api.dependencies import Moderator, WiredZoo
from zoo.api.measuring import Slug
from zoo.api.results import project_out
from zoo.api.schemas import (
    ClosedIn,
    LabelOut,
    ModeratedPerson,
    ModerationOut,
    OutlierOut,
    ProjectIn,
    ProjectOut,
    QuarantineIn,
    TargetsOut,
)
from zoo.api.uploads import BAD_TABLE, uploaded_table
from zoo.database.models import MeasurementRow, PersonRow, ProjectRow, TargetRow
from zoo.errors import NameTaken, NotAllowed, NotThere
from zoo.projects.targets import add_targets, project_of
from zoo.statistics.outliers import outliers
from zoo.statistics.selection import Stage, stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from zoo.tables import TakenTable

router = APIRouter(tags=["moderation"])

_REFUSED = responses(errors.Unauthorized, NotAllowed, NotThere)


@router.post(
    "/api/projects",
    summary="Make a project",
    status_code=201,
    responses=responses(errors.Unauthorized, NotAllowed, NameTaken),
)
def add(services: WiredZoo, _: Moderator, sent: ProjectIn) -> ProjectOut:
    """Make a project without galaxies."""
    if sent.survey is not None and sent.survey not in SURVEYS:
        raise errors.BadRequest(f"There is no survey {sent.survey}; there are {', '.join(SURVEYS)}.")
    if sent.highest_deg - sent.lowest_deg < 10:  # two steps of the coarse lattice
        raise errors.BadRequest("The range of a project is at least 10 degrees wide.")
    with services.database.write() as session:
        if session.scalar(select(ProjectRow.id).where(ProjectRow.slug == sent.slug)) is not None:
            raise NameTaken(f"There is a project {sent.slug} already.")
        project = ProjectRow(**sent.model_dump(), created_at=time.time())
        session.add(project)
    return project_out(services, project)


@router.post(
    "/api/projects/{slug}/targets",
    summary="Add galaxies",
    description="The body is a table (CSV, VOTable, FITS…) with a column of PGC numbers, positions, or names of files "
    "in the zoo's folder of pictures; or a form with such a table in its field `table`.",
    responses={**_REFUSED, **BAD_TABLE},
)
async def upload(request: Request, services: WiredZoo, _: Moderator, slug: Slug) -> TargetsOut:
    """Add the galaxies of a table; rows that can't be used are told, and names that are known stay as they are."""
    content, filename = await uploaded_table(request, services.settings)

    def take() -> TakenTable:
        with services.database.write() as session:
            project = project_of(session, slug)
            most, has_file = services.settings.max_targets, services.pictures.has
            return add_targets(session, project, content, filename, most=most, has_file=has_file)

    taken = await asyncio.to_thread(take)
    services.snapshots.expire()
    return TargetsOut.model_validate(taken)


@router.get("/api/projects/{slug}/moderation", summary="What waits for a moderator", responses=_REFUSED)
def waiting(services: WiredZoo, _: Moderator, slug: Slug) -> ModerationOut:
    """List galaxies that people can't settle or reject, measurements far from labels, and everybody who measures."""
    with services.database.read() as session:
        project = project_of(session, slug)
        targets = {row.id: row for row in session.scalars(select(TargetRow).where(TargetRow.project_id == project.id))}
        measured = dict(
            session.execute(
                select(MeasurementRow.person_id, func.count())
                .where(MeasurementRow.undone_at.is_(None))
                .group_by(MeasurementRow.person_id)
            ).all()
        )
        people = session.scalars(select(PersonRow).order_by(PersonRow.id)).all()
    snapshot = services.snapshots.now(project.id)
    galaxies = []
    for number, label in snapshot.labels.items():
        row = targets[number]
        unsettled = stage(label, is_test=label.galaxy in snapshot.test) is Stage.MODERATOR
        if not unsettled and not label.reject and not row.closed:
            continue
        why = "people do not agree" if unsettled else label.reject.replace("_", "-") or "closed by a moderator"
        galaxies.append(
            LabelOut(
                target=number,
                name=row.name,
                why=why,
                people=label.people,
                inclination_deg=label.mean_deg,
                error_deg=label.error_deg,
                network_deg=row.network_deg,
                closed=row.closed,
            )
        )
    calibration = snapshot.calibration
    said = snapshot.measurements.where(np.isin(snapshot.measurements.person, list(snapshot.counted)))
    names = {row.id: row.key_name or "" for row in people}
    places = {int(person): place for place, person in enumerate(calibration.person)}
    return ModerationOut(
        galaxies=tuple(galaxies),
        outliers=tuple(
            OutlierOut(
                target=one.galaxy,
                name=targets[one.galaxy].name,
                person=one.person,
                person_name=names[one.person],
                inclination_deg=one.inclination_deg,
                label_deg=one.label_deg,
                residual_deg=one.residual_deg,
                scales=one.scales,
            )
            for one in outliers(said, calibration, list(snapshot.labels.values()))
        ),
        people=tuple(
            ModeratedPerson(
                person=row.id,
                name=names[row.id],
                measured=measured.get(row.id, 0),
                standards=_of(calibration.standards, places.get(row.id), 0),
                failed=_of(calibration.failed, places.get(row.id), 0),
                bias_deg=_of(calibration.bias_deg, places.get(row.id), None),
                scatter=_of(calibration.scatter, places.get(row.id), None),
                counted=row.id in snapshot.counted,
                quarantined=row.quarantined or bool(_of(calibration.quarantined, places.get(row.id), 0)),
                reason=row.quarantine_reason,
            )
            for row in people
            if row.id in measured
        ),
    )


def _of(values: NDArray[Any], place: int | None, otherwise: Any) -> Any:
    return otherwise if place is None else values[place].item()


@router.post("/api/people/{number}/quarantine", summary="Stop counting a person, or begin again", responses=_REFUSED)
def quarantine(services: WiredZoo, _: Moderator, number: int, sent: QuarantineIn) -> QuarantineIn:
    """Count what a person measured no more, or count it again; nothing is deleted."""
    with services.database.write() as session:
        person = session.get(PersonRow, number)
        if person is None:
            raise NotThere(f"There is no person {number}.")
        person.quarantined, person.quarantine_reason = sent.quarantined, sent.reason
    services.snapshots.expire()
    return sent


@router.post("/api/projects/{slug}/targets/{number}", summary="Close a galaxy, or open it again", responses=_REFUSED)
def close(services: WiredZoo, _: Moderator, slug: Slug, number: int, sent: ClosedIn) -> ClosedIn:
    """Ask people about a galaxy no more, or again."""
    with services.database.write() as session:
        project = project_of(session, slug)
        target = session.get(TargetRow, number)
        if target is None or target.project_id != project.id:
            raise NotThere(f"The project {slug} has no galaxy of number {number}.")
        target.closed = sent.closed
    services.snapshots.expire()
    return sent
