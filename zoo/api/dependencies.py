"""Dependencies of the routes: the services that :func:`zoo.app.create_app` wires together, and the caller."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from gateway.api.access import client_name
from gateway.core import errors
from zoo.errors import NotAllowed
from zoo.measuring import people

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import numpy as np

    from gateway.api.admission import Admission, ClientRateLimit
    from gateway.api.keys import Keys
    from gateway.api.metrics import RequestMetrics
    from zoo.database.engine import Database
    from zoo.measuring.records import Snapshots
    from zoo.projects.pictures import TargetPictures
    from zoo.settings import ZooSettings

_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="Key or token",
    description="A key that the operator gave out (`inclinet_…`), or the token of `POST /api/people` (`zoo_…`).",
)


@dataclass(frozen=True, slots=True)
class ZooServices:
    """The services that routes call, one object each, for the life of the app; threads may share all of them."""

    settings: ZooSettings
    database: Database
    snapshots: Snapshots
    pictures: TargetPictures
    keys: Keys | None
    admission: Admission
    tokens: ClientRateLimit | None
    metrics: RequestMetrics
    rng: np.random.Generator


@dataclass(frozen=True, slots=True)
class KnownCaller:
    """The person who sent a request.

    Attributes
    ----------
    person_id : int
        Number of the person.
    name : str
        Name of the key; empty for a person without one.
    moderator : bool
        Whether the key belongs to a moderator.
    """

    person_id: int
    name: str
    moderator: bool


async def _services(request: Request) -> ZooServices:  # async, since a plain function would take a thread per request
    services: ZooServices = request.app.state.services
    return services


WiredZoo = Annotated[ZooServices, Depends(_services)]
"""Dependency of a route: the services of the app."""


def _identity(
    request: Request, services: WiredZoo, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
) -> KnownCaller:
    if credentials is None:
        raise errors.Unauthorized("This needs a key, or the token that a browser gets from POST /api/people.")
    said = credentials.credentials
    if said.startswith(people.TOKEN_PREFIX):
        with services.database.read() as session:
            person = people.of_token(session, said) if services.settings.anonymous else None
        if person is None:
            raise errors.Unauthorized("The token is not one of this zoo, or was forgotten.", wrong=True)
        request.state.key = f"person {person.id}"
        return KnownCaller(person.id, "", moderator=False)
    name = services.keys.name_of(said) if services.keys is not None else None
    if name is None:
        raise errors.Unauthorized("The key that came with the request is not one of this service.", wrong=True)
    with services.database.read() as session:
        person = people.of_key(session, name)
    if person is None:
        with services.database.write() as session:
            person = people.add_of_key(session, name, time.time())
    request.state.key = name
    return KnownCaller(person.id, name, moderator=name in services.settings.moderators)


async def _admitted(
    request: Request, services: WiredZoo, who: Annotated[KnownCaller, Depends(_identity)]
) -> AsyncIterator[KnownCaller]:
    structlog.contextvars.bind_contextvars(person=who.person_id)
    async with services.admission.admit(client_name(request)):
        yield who


Person = Annotated[KnownCaller, Depends(_admitted)]
"""Dependency of a route for people with a key or token; counts the request as admitted."""


async def _moderator(who: Person) -> KnownCaller:
    if not who.moderator:
        raise NotAllowed("This needs the key of a moderator.")
    return who


Moderator = Annotated[KnownCaller, Depends(_moderator)]
"""Dependency of a route for moderators only."""


async def _anyone(request: Request, services: WiredZoo) -> AsyncIterator[None]:
    async with services.admission.admit(client_name(request)):
        yield


Anyone = Depends(_anyone)
"""Counts a request that needs neither key nor token as admitted."""
