"""The endpoints that take a galaxy: by PGC number, name or position, and resolution alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from gateway.api.access import cancelled_with_client, client_name
from gateway.api.dependencies import WiredServices
from gateway.api.problems import responses
from gateway.api.queries import DEC, NAME, PGC, RA, TABLE_CONTENT, TargetQuery, write_answer
from gateway.api.schemas import GalaxyAnswer, InclinationAnswer
from gateway.core import errors
from gateway.core.models import Deadline, Target
from gateway.tables import results

router = APIRouter(tags=["inclination"])

_RESOLUTION = (
    errors.UnknownTarget,
    errors.BadTarget,
    errors.NotAGalaxy,
    errors.TooManyRequests,
    errors.UpstreamBroken,
    errors.UpstreamUnavailable,
    errors.Busy,
    errors.DeadlineExceeded,
)
_MEASUREMENT = TABLE_CONTENT | responses(
    *_RESOLUTION, errors.OutsideFootprint, errors.UnusableCutout, errors.QuorumLost
)


class PositionQuery(TargetQuery):
    """Query parameters of a question by position."""

    ra: str = Field(**RA)
    dec: str = Field(default="", **DEC)


class GalaxyQuery(BaseModel):
    """Query parameters of resolution: exactly one of `pgc`, `name`, or `ra` with `dec`."""

    pgc: int | None = Field(default=None, **PGC)
    name: str | None = Field(default=None, **NAME)
    ra: str | None = Field(default=None, **RA)
    dec: str | None = Field(default=None, **DEC)
    format: results.Format | None = Field(
        default=None, description="How to write the answer; else the `Accept` header decides.", examples=["json"]
    )


async def _measured(request: Request, services: WiredServices, target: Target, query: TargetQuery) -> Response:
    target = replace(target, fov_arcmin=query.fov, position_angle_deg=query.pa)
    deadline = Deadline.after(services.settings.request_timeout_s)
    admission = services.admission
    async with admission.admit(client_name(request)), cancelled_with_client(request), admission.work(deadline):
        answer = await services.inclinations.of_target(target, deadline=deadline, survey=query.survey, r=query.r)
        return write_answer(request, answer, query)


@router.get(
    "/api/pgc/{pgc}",
    summary="The inclination of a galaxy by its PGC number",
    response_model=InclinationAnswer,
    responses=_MEASUREMENT,
)
async def of_pgc(
    request: Request,
    services: WiredServices,
    pgc: Annotated[int, Path(**PGC)],
    query: Annotated[TargetQuery, Query()],
) -> Response:
    """Resolve, fetch the survey's cutout, and measure it."""
    return await _measured(request, services, Target(pgc=pgc), query)


@router.get(
    "/api/objname/{name:path}",
    summary="The inclination of a galaxy by its name",
    response_model=InclinationAnswer,
    responses=_MEASUREMENT,
)
async def of_name(
    request: Request,
    services: WiredServices,
    name: Annotated[str, Path(**NAME)],
    query: Annotated[TargetQuery, Query()],
) -> Response:
    """Resolve, fetch the survey's cutout, and measure it."""
    return await _measured(request, services, Target(name=name), query)


@router.get(
    "/api/coordinates",
    summary="The inclination of the galaxy at a position",
    response_model=InclinationAnswer,
    responses=_MEASUREMENT,
)
async def of_coordinates(
    request: Request,
    services: WiredServices,
    query: Annotated[PositionQuery, Query()],
) -> Response:
    """Take the field of view given, or the size of the catalogued galaxy within a few arcsec."""
    return await _measured(request, services, Target(ra=query.ra, dec=query.dec), query)


@router.get(
    "/api/galaxy",
    summary="Resolution only: which galaxy a target is",
    description="Ask by exactly one of `pgc`, `name`, or `ra` with `dec`.",
    response_model=GalaxyAnswer,
    responses=TABLE_CONTENT | responses(*_RESOLUTION),
    tags=["resolution"],
)
async def galaxy(request: Request, services: WiredServices, query: Annotated[GalaxyQuery, Query()]) -> Response:
    """Resolve a target."""
    if sum(one is not None for one in (query.pgc, query.name, query.ra)) != 1 or (query.dec and not query.ra):
        raise errors.BadRequest("Ask by exactly one of pgc, name, or ra with dec.")
    deadline = Deadline.after(services.settings.request_timeout_s)
    admission = services.admission
    async with admission.admit(client_name(request)), cancelled_with_client(request), admission.work(deadline):
        target = Target(pgc=query.pgc, name=query.name, ra=query.ra, dec=query.dec)
        found = GalaxyAnswer.model_validate(await services.inclinations.resolve(target, deadline=deadline))
    file_format = results.choose(query.format, request.headers.get("accept", ""))
    if file_format is results.Format.JSON:
        return Response(found.model_dump_json(), media_type=results.MEDIA_TYPES[file_format])
    table = results.table([found.row()], results.RESOLUTION_COLUMNS, file_format)
    return Response(table, media_type=results.MEDIA_TYPES[file_format])
