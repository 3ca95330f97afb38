"""Errors as RFC 9457 problems: one table for the whole gateway, and the handlers that apply it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Route

from gateway.core import errors
from inclinet.http import retry_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI, Request

    from gateway.api.metrics import RequestMetrics

log = structlog.get_logger(__name__)

TYPE_PREFIX = "urn:inclinet:problem:"
MEDIA_TYPE = "application/problem+json"


def _kinds(root: type[errors.GatewayError] = errors.GatewayError) -> Iterator[type[errors.GatewayError]]:
    yield root
    for kind in root.__subclasses__():
        yield from _kinds(kind)


def kinds() -> list[type[errors.GatewayError]]:
    """Return every kind of problem that the gateway answers with, without those that other planes add."""
    return [kind for kind in _kinds() if "slug" in vars(kind) and kind.__module__.startswith("gateway.")]


def table() -> dict[str, tuple[int, str]]:
    """Return the whole table of the gateway's problems: slug to status and title."""
    return {kind.slug: (kind.status, kind.title) for kind in kinds()}


def body(error: errors.GatewayError, instance: str) -> dict[str, Any]:
    """Return the members of a problem as JSON values."""
    return {
        **error.extra,
        "type": TYPE_PREFIX + error.slug,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": instance,
    }


def problem(error: errors.GatewayError, instance: str) -> JSONResponse:
    """Return the answer for an error: ``application/problem+json``, with ``Retry-After`` where waiting may help."""
    headers = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = retry_after.write(error.retry_after_s)
    if isinstance(error, errors.Unauthorized):
        headers["WWW-Authenticate"] = error.challenge
    return JSONResponse(body(error, instance), error.status, headers, MEDIA_TYPE)


def install(app: FastAPI, metrics: RequestMetrics) -> None:
    """Answer every failure of ``app`` with a problem."""

    def answer(request: Request, error: errors.GatewayError) -> JSONResponse:
        metrics.problems.labels(error.slug).inc()
        return problem(error, request.url.path)

    async def known(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, errors.GatewayError)  # noqa: S101 - the type that this handler is registered for
        return answer(request, error)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
        said = [f"{_place(one)}: {one['msg']}" for one in error.errors()]
        return answer(request, errors.BadRequest(". ".join(said) + "."))

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 - as above
        status = HTTPStatus(error.status_code)
        metrics.problems.labels("http").inc()
        members: dict[str, Any] = {
            "type": "about:blank",
            "title": status.phrase,
            "status": status.value,
            "detail": f"{error.detail}." if not str(error.detail).endswith(".") else error.detail,
            "instance": request.url.path,
        }
        headers = dict(error.headers or {})
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            # Starlette names the methods of one route, and a path may have several
            matching = [one for one in app.routes if isinstance(one, Route) and one.path_regex.match(request.url.path)]
            headers["Allow"] = ", ".join(sorted({method for one in matching for method in one.methods or ()}))
        return JSONResponse(members, status.value, headers, MEDIA_TYPE)

    async def unforeseen(request: Request, error: Exception) -> JSONResponse:
        log.error("unforeseen error", path=request.url.path, exc_info=error)
        return answer(request, errors.GatewayError("The gateway failed in a way that was not foreseen."))

    app.add_exception_handler(errors.GatewayError, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unforeseen)


def _place(error: dict[str, Any]) -> str:
    return ".".join(str(part) for part in error["loc"] if part not in {"query", "path", "body"}) or "request"


def responses(*kinds: type[errors.GatewayError]) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of an endpoint's problems: one entry per status, an example of each kind."""
    described: dict[int | str, dict[str, Any]] = {}
    every: tuple[type[errors.GatewayError], ...] = (errors.BadRequest, *kinds)
    for kind in every:
        entry = described.setdefault(
            kind.status,
            {
                "description": "",
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}},
            },
        )
        entry["description"] = "; ".join(filter(None, (entry["description"], kind.title)))
        entry["content"][MEDIA_TYPE]["examples"][kind.slug] = {
            "value": {
                "type": TYPE_PREFIX + kind.slug,
                "title": kind.title,
                "status": kind.status,
                "detail": (kind.__doc__ or "").split("\n", maxsplit=1)[0].replace("``", ""),
            },
        }
    return described
