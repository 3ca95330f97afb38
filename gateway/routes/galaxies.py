"""The four ways to ask that name a galaxy, and resolution alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from gateway import errors, render
from gateway.domain import Deadline, Target
from gateway.problems import BadRequest, responses
from gateway.routes.access import client_of, while_waited_for
from gateway.routes.answers import TABLE_CONTENT, Question, answered
from gateway.schemas import Galaxy, InclinationAnswer
from gateway.services import Rooms

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

_PGC: dict[str, Any] = {
    "ge": 1,
    "le": 10_000_000,
    "description": "Principal Galaxies Catalogue number.",
    "examples": [2557],
}
_NAME: dict[str, Any] = {
    "min_length": 1,
    "max_length": 100,
    "description": "Catalogue designation or common name, in any usual spelling.",
    "examples": ["NGC 7331"],
}
_RA: dict[str, Any] = {
    "max_length": 64,
    "description": "Right ascension: decimal degrees, hours as 00:42:44.3, or a J designation with both coordinates.",
    "examples": ["10.6847"],
}
_DEC: dict[str, Any] = {
    "max_length": 64,
    "description": "Declination: decimal degrees, or sexagesimal as +41:16:09.",
    "examples": ["41.2688"],
}


class PositionQuestion(Question):
    """Query parameters of a question by position."""

    ra: str = Field(**_RA)
    dec: str = Field(default="", **_DEC)


class Resolution(BaseModel):
    """Query parameters of resolution: exactly one of `pgc`, `name`, or `ra` with `dec`."""

    pgc: int | None = Field(default=None, **_PGC)
    name: str | None = Field(default=None, **_NAME)
    ra: str | None = Field(default=None, **_RA)
    dec: str | None = Field(default=None, **_DEC)
    format: render.Format | None = Field(
        default=None, description="How to write the answer; else the `Accept` header decides.", examples=["json"]
    )


async def _measured(request: Request, rooms: Rooms, target: Target, question: Question) -> Response:
    target = replace(target, fov_arcmin=question.fov, position_angle_deg=question.pa)
    deadline = Deadline.after(rooms.settings.request_timeout_s)
    admission = rooms.admission
    async with admission.admit(client_of(request)), while_waited_for(request), admission.work(deadline):
        answer = await rooms.inclinations.of_target(target, deadline=deadline, survey=question.survey, r=question.r)
        return answered(request, answer, question)


@router.get(
    "/api/pgc/{pgc}",
    summary="The inclination of a galaxy by its PGC number",
    response_model=InclinationAnswer,
    responses=_MEASUREMENT,
)
async def of_pgc(
    request: Request,
    rooms: Rooms,
    pgc: Annotated[int, Path(**_PGC)],
    question: Annotated[Question, Query()],
) -> Response:
    """Resolve, fetch the survey's cutout, and measure it."""
    return await _measured(request, rooms, Target(pgc=pgc), question)


@router.get(
    "/api/objname/{name:path}",
    summary="The inclination of a galaxy by its name",
    response_model=InclinationAnswer,
    responses=_MEASUREMENT,
)
async def of_name(
    request: Request,
    rooms: Rooms,
    name: Annotated[str, Path(**_NAME)],
    question: Annotated[Question, Query()],
) -> Response:
    """Resolve, fetch the survey's cutout, and measure it."""
    return await _measured(request, rooms, Target(name=name), question)


@router.get(
    "/api/coordinates",
    summary="The inclination of the galaxy at a position",
    response_model=InclinationAnswer,
    responses=_MEASUREMENT,
)
async def of_coordinates(
    request: Request,
    rooms: Rooms,
    question: Annotated[PositionQuestion, Query()],
) -> Response:
    """Take the field of view given, or the size of the catalogued galaxy within a few arcsec."""
    return await _measured(request, rooms, Target(ra=question.ra, dec=question.dec), question)


@router.get(
    "/api/galaxy",
    summary="Resolution only: which galaxy a target is",
    description="Ask by exactly one of `pgc`, `name`, or `ra` with `dec`.",
    response_model=Galaxy,
    responses=TABLE_CONTENT | responses(*_RESOLUTION),
    tags=["resolution"],
)
async def galaxy(request: Request, rooms: Rooms, asked: Annotated[Resolution, Query()]) -> Response:
    """Resolve a target."""
    if sum(one is not None for one in (asked.pgc, asked.name, asked.ra)) != 1 or (asked.dec and not asked.ra):
        raise BadRequest("Ask by exactly one of pgc, name, or ra with dec.")
    deadline = Deadline.after(rooms.settings.request_timeout_s)
    admission = rooms.admission
    async with admission.admit(client_of(request)), while_waited_for(request), admission.work(deadline):
        target = Target(pgc=asked.pgc, name=asked.name, ra=asked.ra, dec=asked.dec)
        found = Galaxy.of(await rooms.inclinations.resolve(target, deadline=deadline))
    file_format = render.choose(asked.format, request.headers.get("accept", ""))
    if file_format is render.Format.JSON:
        return Response(found.model_dump_json(), media_type=render.MEDIA_TYPES[file_format])
    table = render.table([render.galaxy_row(found)], render.RESOLUTION_COLUMNS, file_format)
    return Response(table, media_type=render.MEDIA_TYPES[file_format])
