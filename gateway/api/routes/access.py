"""Who may ask (anyone, or whoever shows a key in ``Authorization: Bearer``), and whether he still waits."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from gateway.api.problems import responses
from gateway.core import errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from gateway.api.keys import Keys

_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="API key",
    description="A key that the operator of this service gave out: `Authorization: Bearer inclinet_…`",
)
NEEDED = responses(errors.Unauthorized)
"""Describes, for OpenAPI, how a request without a key is answered."""


def guard(keys: Keys) -> Callable[..., Awaitable[None]]:
    """Make the dependency that lets holders of a key in; it runs before a body is read and before admission."""

    async def let_in(request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> None:
        if shown is None:
            raise errors.Unauthorized("This service answers holders of a key only, and none came with the request.")
        name = keys.name_of(shown.credentials)
        if name is None:
            raise errors.Unauthorized("The key that came with the request is not one of this service.", wrong=True)
        request.state.key = name
        structlog.contextvars.bind_contextvars(key=name)

    return let_in


def client_of(request: Request) -> str:
    """Return what the rate limit counts by: the name of the key, else the address."""
    key: Any = getattr(request.state, "key", None)
    if key is not None:
        return f"key {key}"
    return request.client.host if request.client else ""


@asynccontextmanager
async def while_waited_for(request: Request) -> AsyncIterator[None]:
    """End the work of a ``with`` block when the client goes away; the body of the request has been read.

    Raises
    ------
    errors.SlowClient
        It went away. Nobody reads this, but it is logged and counted.
    """
    scope = asyncio.timeout(None)

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        scope.reschedule(asyncio.get_running_loop().time())

    try:
        async with scope:
            watching = asyncio.create_task(watch())
            try:
                yield
            finally:
                watching.cancel()
    except TimeoutError:
        if scope.expired():
            raise errors.SlowClient("The client went away before the answer was ready.") from None
        raise
