"""Endpoints for the standards that targets are compared with, and for real galaxies that moderators add to them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from gateway.api.problems import responses
from gateway.core import errors
from gateway.core.models import Deadline
from zoo.api.dependencies import Anyone, Moderator, WiredZoo
from zoo.api.measuring import Slug
from zoo.api.schemas import ShownIn, StandardOut, TargetsOut
from zoo.api.uploads import BAD_TABLE, uploaded_table
from zoo.database.models import StandardRow
from zoo.errors import NotAllowed, NotThere
from zoo.projects.targets import project_of
from zoo.standards.archive import LATTICE
from zoo.standards.real import WITHDRAWN, add_real_standards

if TYPE_CHECKING:
    from zoo.tables import TakenTable

router = APIRouter(tags=["standards"])

_FOREVER = {"Cache-Control": "public, max-age=604800"}
_REFUSED = responses(errors.Unauthorized, NotAllowed)


def _shown(one: StandardRow) -> StandardOut:
    return StandardOut(
        id=one.id,
        name=one.name if one.error_deg > 0 else "",
        truth_deg=one.truth_deg,
        stdev_deg=one.error_deg,
        picture=f"api/standards/{one.id}",
        shown=one.role == LATTICE,
    )


@router.get("/api/projects/{slug}/standards", summary="The lattice of standards", responses=responses(NotThere))
def standards(services: WiredZoo, slug: Slug, _: Annotated[None, Anyone]) -> list[StandardOut]:
    """List the standards that targets are compared with, from face-on to edge-on."""
    with services.database.read() as session:
        project = project_of(session, slug)
        found = session.scalars(
            select(StandardRow)
            .where(StandardRow.role == LATTICE)
            .where(StandardRow.truth_deg.between(project.lowest_deg - 0.5, project.highest_deg + 0.5))
            .order_by(StandardRow.truth_deg, StandardRow.id)
        ).all()
    return [_shown(one) for one in found]


@router.get(
    "/api/standards/{number}",
    summary="The picture of a standard of the lattice",
    response_class=Response,
    responses={200: {"content": {"image/*": {}}}, **responses(NotThere, errors.BadImage, errors.OutsideFootprint)},
    dependencies=[Anyone],
)
async def standard(services: WiredZoo, number: int) -> Response:
    """Show a standard; those that test people can't be asked for by their numbers."""

    def find() -> StandardRow | None:
        with services.database.read() as session:
            return session.scalar(select(StandardRow).where(StandardRow.id == number, StandardRow.role == LATTICE))

    found = await asyncio.to_thread(find)
    if found is None:
        raise NotThere("There is no standard of this number.")
    deadline = Deadline.after(services.settings.request_timeout_s)
    async with services.admission.work(deadline):
        data, media = await services.pictures.of_standard(found, deadline)
    return Response(data, media_type=media, headers=_FOREVER)


@router.get("/api/standards", summary="All real standards", responses=_REFUSED)
def real(services: WiredZoo, _: Moderator) -> list[StandardOut]:
    """List the real galaxies among the standards, those too that are shown no more."""
    with services.database.read() as session:
        found = session.scalars(
            select(StandardRow).where(StandardRow.error_deg > 0).order_by(StandardRow.truth_deg, StandardRow.id)
        ).all()
    return [_shown(one) for one in found]


@router.post(
    "/api/standards",
    summary="Add real standards",
    description="The body is a table (CSV, VOTable, FITS…) with a column of PGC numbers or names of files in the zoo's "
    "folder of pictures, and columns `inclination_deg` and `stdev_deg`; or a form with such a table in its field "
    "`table`. They are compared with in step one, and test nobody.",
    responses={**_REFUSED, **BAD_TABLE},
)
async def upload(request: Request, services: WiredZoo, _: Moderator) -> TargetsOut:
    """Add real galaxies of known inclination; those that are known get the inclination of the table."""
    content, filename = await uploaded_table(request, services.settings)

    def take() -> TakenTable:
        with services.database.write() as session:
            most, has_file = services.settings.max_targets, services.pictures.has
            return add_real_standards(session, content, filename, most=most, has_file=has_file)

    return TargetsOut.model_validate(await asyncio.to_thread(take))


@router.post(
    "/api/standards/{number}",
    summary="Withdraw a real standard, or show it again",
    responses={**_REFUSED, **responses(NotThere)},
)
def show(services: WiredZoo, _: Moderator, number: int, sent: ShownIn) -> ShownIn:
    """Show a real standard no more, or again."""
    with services.database.write() as session:
        found = session.get(StandardRow, number)
        if found is None or found.error_deg == 0:
            raise NotThere(f"There is no real standard {number}.")
        found.role = LATTICE if sent.shown else WITHDRAWN
    return sent
