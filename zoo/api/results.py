"""Endpoints for results: progress, agreement, and tables to train on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from fastapi import APIRouter, Query, Response
from sqlalchemy import select

from gateway.api.problems import responses
from gateway.core import errors
from gateway.tables import results as tables
from gateway.tables.results import Format
from zoo import statistics
from zoo.api.dependencies import Anyone, Moderator, Person, WiredZoo
from zoo.api.measuring import Slug
from zoo.api.schemas import ProjectOut, ResultsOut, agreement_of
from zoo.database.models import ProjectRow, TargetRow
from zoo.errors import NotAllowed, NotThere
from zoo.projects.targets import counts, project_of
from zoo.statistics import export
from zoo.statistics.selection import Stage, stage

if TYPE_CHECKING:
    from zoo.api.dependencies import ZooServices

router = APIRouter(tags=["results"])

_GROUP = 3
"""Number of people on each side of the comparison of labels: as many as a label needs."""


def project_out(services: ZooServices, project: ProjectRow) -> ProjectOut:
    """Return the progress of a project; the numbers of settled galaxies may be a minute old."""
    with services.database.read() as session:
        counted = counts(session, project.id)
    snapshot = services.snapshots.recent(project.id)
    settled = sum(
        stage(label, is_test=label.galaxy in snapshot.test) is Stage.DONE for label in snapshot.labels.values()
    )
    return ProjectOut(
        slug=project.slug,
        title=project.title,
        description=project.description,
        lowest_deg=project.lowest_deg,
        highest_deg=project.highest_deg,
        targets=counted["targets"],
        done=min(settled + counted["closed"], counted["targets"]),
        measurements=counted["measurements"],
        people=counted["people"],
    )


@router.get("/api/projects", summary="All projects", dependencies=[Anyone])
def projects(services: WiredZoo) -> list[ProjectOut]:
    """List projects, and how far each has come."""
    with services.database.read() as session:
        found = session.scalars(select(ProjectRow).order_by(ProjectRow.id)).all()
    return [project_out(services, one) for one in found]


@router.get("/api/projects/{slug}", summary="One project", responses=responses(NotThere), dependencies=[Anyone])
def project(services: WiredZoo, slug: Slug) -> ProjectOut:
    """Tell how far a project has come."""
    with services.database.read() as session:
        found = project_of(session, slug)
    return project_out(services, found)


@router.get(
    "/api/projects/{slug}/agreement",
    summary="How far people agree",
    responses=responses(errors.Unauthorized, NotThere),
)
def agreement(services: WiredZoo, slug: Slug, _: Person) -> ResultsOut:
    """Compare people with each other, with themselves, and with networks; nothing is clipped."""
    with services.database.read() as session:
        found = project_of(session, slug)
        networks = dict(
            session.execute(select(TargetRow.id, TargetRow.network_deg).where(TargetRow.project_id == found.id)).all()
        )
    snapshot = services.snapshots.recent(found.id)
    said, calibration = snapshot.measurements, snapshot.calibration
    trusted = said.where(np.isin(said.person, list(snapshot.counted)))
    # only the hard ones of the other galaxies have enough people
    tested = trusted.where(np.isin(trusted.galaxy, list(snapshot.test)))
    groups = statistics.agreement(tested, calibration, people_a_side=_GROUP)
    labels = snapshot.labels.values()
    compared = statistics.differences(
        np.array([label.inclination_deg for label in labels], np.float64),
        np.array([math.nan if (one := networks.get(label.galaxy)) is None else one for label in labels], np.float64),
    )
    return ResultsOut.model_validate(
        {
            "label_noise_deg": groups.noise_deg,
            "one_to_one": agreement_of(statistics.agreement(trusted, calibration)),
            "groups": agreement_of(groups),
            "retests": agreement_of(statistics.retests(trusted)),
            "networks": agreement_of(compared),
        }
    )


@router.get(
    "/api/projects/{slug}/export",
    summary="Tables to train on",
    response_class=Response,
    responses={
        200: {"content": {"text/csv": {}, "application/x-votable+xml": {}}},
        **responses(errors.Unauthorized, NotAllowed, NotThere),
    },
)
def exported(
    services: WiredZoo,
    slug: Slug,
    _: Moderator,
    table: Annotated[Literal["labels", "measurements"], Query()] = "measurements",
    format: Annotated[Literal[Format.CSV, Format.VOTABLE], Query()] = Format.CSV,  # noqa: A002 - its name in the address
) -> Response:
    """Write labels, or every measurement, as `python -m training labels` reads them."""
    with services.database.read() as session:
        found = project_of(session, slug)
        rows = session.scalars(select(TargetRow).where(TargetRow.project_id == found.id)).all()
    galaxies = {
        row.id: export.ExportedGalaxy(
            name=row.name,
            file=row.file or "",
            pgc=row.pgc or 0,
            ra_deg=_known(row.ra_deg),
            dec_deg=_known(row.dec_deg),
            position_angle_deg=_known(row.position_angle_deg),
            hubble_stage=_known(row.hubble_stage),
        )
        for row in rows
    }
    snapshot = services.snapshots.now(found.id)
    least = found.lowest_deg
    if table == "labels":
        columns: tuple[tables.Column, ...] = export.LABEL_COLUMNS
        lines = export.label_rows(list(snapshot.labels.values()), galaxies, least_deg=least)
    else:
        columns = export.MEASUREMENT_COLUMNS
        # the truth of standards is known: only targets are exported, with numbers instead of people's names
        said = snapshot.measurements.where(np.isin(snapshot.measurements.galaxy, list(galaxies)))
        counted = said.where(np.isin(said.person, list(snapshot.counted)))
        people = {int(one): f"person{one}" for one in np.unique(counted.person)}
        lines = export.measurement_rows(counted, snapshot.calibration, galaxies, people, least_deg=least)
    ending = "csv" if format is Format.CSV else "xml"
    return Response(
        tables.table(lines, columns, format),
        media_type=tables.MEDIA_TYPES[format],
        headers={"Content-Disposition": f'attachment; filename="{found.slug}-{table}.{ending}"'},
    )


def _known(value: float | None) -> float:
    return math.nan if value is None else value
