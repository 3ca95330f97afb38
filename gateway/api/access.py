"""Access to the API: the check of the key in ``Authorization: Bearer``, and the end of work when a client goes away."""

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
KEY_RESPONSES = responses(errors.Unauthorized)
"""OpenAPI description of the answer to a request without a key."""


def require_key(keys: Keys) -> Callable[..., Awaitable[None]]:
    """Return the dependency that lets holders of a key in; it runs before a body is read and before admission."""

    async def check_key(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
    ) -> None:
        if credentials is None:
            raise errors.Unauthorized("This service answers holders of a key only, and none came with the request.")
        name = keys.name_of(credentials.credentials)
        if name is None:
            raise errors.Unauthorized("The key that came with the request is not one of this service.", wrong=True)
        request.state.key = name
        structlog.contextvars.bind_contextvars(key=name)

    return check_key


def client_name(request: Request) -> str:
    """Return what identifies a client for the rate limit: the name of its key, else its address."""
    key: Any = getattr(request.state, "key", None)
    if key is not None:
        return f"key {key}"
    return request.client.host if request.client else ""


@asynccontextmanager
async def cancelled_with_client(request: Request) -> AsyncIterator[None]:
    """End the work of a ``with`` block when the client goes away; the body of the request has been read.

    Raises
    ------
    errors.SlowClient
        The client went away. Nobody reads this error, but it is logged and counted.
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
