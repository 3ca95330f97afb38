"""Endpoints of the measuring page: the person, the galaxies and their pictures, and the answers."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import numpy as np
from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from gateway.api.problems import responses
from gateway.core import errors
from gateway.core.models import Deadline
from zoo.api.dependencies import Anyone, Person, WiredZoo
from zoo.api.schemas import (
    AnswerIn,
    AnswersIn,
    GalaxyOut,
    OutcomeOut,
    PersonOut,
    TokenOut,
    UndoIn,
)
from zoo.database.models import LeaseRow, MeasurementRow, PersonRow
from zoo.errors import NotThere
from zoo.measuring import answers, people
from zoo.measuring.assignment import Assignment, LeaseTerms, give, next_galaxies
from zoo.projects.targets import project_of
from zoo.standards.archive import PRACTICE
from zoo.statistics.calibration import CALIBRATED_AFTER

if TYPE_CHECKING:
    from zoo.measuring.records import Snapshot

router = APIRouter(tags=["measuring"])

_PRIVATE = {"Cache-Control": "private, max-age=86400, immutable"}
Slug = Annotated[str, Path(max_length=40)]


@router.post(
    "/api/people",
    summary="Begin without a key",
    status_code=201,
    responses=responses(errors.Unauthorized, errors.TooManyRequests),
    dependencies=[Anyone],
)
async def begin(request: Request, services: WiredZoo) -> TokenOut:
    """Make a person without a name; the token stands for the person from now on."""
    if not services.settings.anonymous:
        raise errors.Unauthorized("This zoo takes measurements of holders of a key only.")
    if services.tokens is not None:
        await services.tokens.hit(request.client.host if request.client else "")

    def add() -> str:
        with services.database.write() as session:
            return people.new_anonymous(session, time.time())

    return TokenOut(token=await asyncio.to_thread(add))


@router.get("/api/me", summary="What is known of oneself", responses=responses(errors.Unauthorized))
def me(services: WiredZoo, who: Person, project: Annotated[str, Query(max_length=40)] = "") -> PersonOut:
    """Tell how far a person has come, and how the person reads inclinations."""
    settings = services.settings
    with services.database.read() as session:
        row = session.get_one(PersonRow, who.person_id)
        standing = select(func.count(MeasurementRow.id)).where(
            MeasurementRow.person_id == who.person_id, MeasurementRow.undone_at.is_(None)
        )
        practised = session.scalar(standing.where(MeasurementRow.purpose == PRACTICE)) or 0
        hidden = (
            session.scalar(standing.where(MeasurementRow.standard_id.is_not(None), MeasurementRow.purpose != PRACTICE))
            or 0
        )
        measured = session.scalar(standing) or 0
        project_id = project_of(session, project).id if project else None
    known: dict[str, float | None] = {"bias_deg": None, "slope": None, "scatter": None}
    counted = False
    if project_id is not None and hidden > 0:
        snapshot = services.snapshots.recent(project_id)
        counted = who.person_id in snapshot.counted
        place = np.flatnonzero(snapshot.calibration.person == who.person_id)
        if len(place):
            known = {name: float(getattr(snapshot.calibration, name)[place[0]]) for name in known}
    return PersonOut(
        person=who.person_id,
        name=who.name,
        moderator=who.moderator,
        counted=counted,
        practice_left=max(settings.practice - practised, 0),
        standards_left=max(CALIBRATED_AFTER - hidden, 0),
        measured=measured,
        quarantined=row.quarantined,
        **known,
    )


@router.delete(
    "/api/me",
    summary="Be forgotten",
    status_code=204,
    responses=responses(errors.Unauthorized),
    response_class=Response,
)
def forget(services: WiredZoo, who: Person) -> Response:
    """Cut the link between a person and the key or token; the measurements stay, by nobody."""
    with services.database.write() as session:
        people.forget(session, who.person_id)
    return Response(status_code=204)


@router.post(
    "/api/projects/{slug}/next",
    summary="The next galaxies",
    responses=responses(errors.Unauthorized, errors.TooManyRequests, NotThere),
)
def following(
    services: WiredZoo, who: Person, slug: Slug, count: Annotated[int, Query(ge=1, le=10)] = 3
) -> list[GalaxyOut]:
    """Give galaxies to measure, those kept from before first; fewer than asked for where nothing is left."""
    settings = services.settings
    terms = LeaseTerms(settings.practice, 60 * settings.lease_minutes)
    now = time.time()
    with services.database.read() as session:
        project = project_of(session, slug)

    def chosen(snapshot: Snapshot | None) -> Assignment:
        with services.database.read() as session:
            return next_galaxies(
                session, project, who.person_id, count, snapshot=snapshot, terms=terms, now=now, rng=services.rng
            )

    while True:
        found = chosen(None)
        if len(found.given) < count:
            found = chosen(services.snapshots.recent(project.id))
        if not found.given:
            # no galaxy is left, unless an answer of the last minute made one available
            found = chosen(services.snapshots.now(project.id))
        with services.database.write() as session:
            if give(session, who.person_id, found, now + terms.lease_s):
                break
    return [
        GalaxyOut(
            lease=one.code,
            picture=f"api/pictures/{one.code}",
            practice=one.purpose == PRACTICE,
            truth_deg=one.truth_deg if one.purpose == PRACTICE else None,
        )
        for one in found.given
    ]


@router.get(
    "/api/pictures/{code}",
    summary="The picture of a galaxy that was given",
    response_class=Response,
    responses={200: {"content": {"image/*": {}}}, **responses(NotThere, errors.BadImage, errors.OutsideFootprint)},
    dependencies=[Anyone],
)
async def picture(services: WiredZoo, code: Annotated[str, Path(max_length=64)]) -> Response:
    """Show the picture of a lease; its unguessable code is all that is asked for, so that a page can show it."""

    def find() -> LeaseRow | None:
        with services.database.read() as session:
            found = select(LeaseRow).where(LeaseRow.code == code).options(joinedload("*"))
            return session.scalar(found)

    lease = await asyncio.to_thread(find)
    if lease is None:
        raise NotThere("No galaxy was given under this code.")
    deadline = Deadline.after(services.settings.request_timeout_s)
    async with services.admission.work(deadline):
        data, media = await services.pictures.of_lease(lease, deadline)
    return Response(data, media_type=media, headers=_PRIVATE)


@router.post(
    "/api/answers",
    summary="Take answers down",
    responses=responses(errors.Unauthorized, errors.TooManyRequests),
)
def take(services: WiredZoo, who: Person, sent: AnswersIn) -> list[OutcomeOut]:
    """Take a browser's queue down, in order; sent again until it is answered, it counts once."""
    said: list[answers.Said] = []
    for one in sent.said:
        if isinstance(one, AnswerIn):
            said.append(
                answers.GivenAnswer(str(one.uuid), one.lease, one.inclination_deg, tuple(one.flags), one.seconds)
            )
        else:
            said.append(answers.GivenUndo(str(one.of)) if isinstance(one, UndoIn) else answers.GivenSkip(one.lease))
    with services.database.write() as session:
        outcomes = answers.record(
            session, who.person_id, said, now=time.time(), lease_s=60 * services.settings.lease_minutes
        )
    return [OutcomeOut(**asdict(one)) for one in outcomes]
