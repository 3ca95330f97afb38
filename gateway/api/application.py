"""The FastAPI application class that every service of the project uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from gateway.api import problems
from gateway.api.schemas import Problem
from gateway.core import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from gateway.api.metrics import RequestMetrics


class Application(FastAPI):
    """Answers failures with problems, and adds the schema of problems to the API's description.

    Parameters
    ----------
    metrics : RequestMetrics
        Counts the problems.
    surround : callable
        Wraps the whole app in the outer middleware. FastAPI's own middleware lies inside the handler of unforeseen
        errors, so that these answers would go out without request id and security headers.
    **options
        Options of FastAPI, such as the title.
    """

    def __init__(self, *, metrics: RequestMetrics, surround: Callable[[ASGIApp], ASGIApp], **options: Any) -> None:
        super().__init__(
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
            docs_url=None,
            redoc_url=None,
            # our tracing suffices, and FastAPI's own writes the texts of errors into spans and log records
            telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
            responses={422: {"model": Problem, "description": errors.BadRequest.title}},
            **options,
        )
        self._surround = surround
        problems.install(self, metrics)

    def build_middleware_stack(self) -> ASGIApp:
        """Wrap the whole app in the outer middleware."""
        return self._surround(super().build_middleware_stack())

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI description, including the schema of problems."""
        described = super().openapi()
        schemas = described.setdefault("components", {}).setdefault("schemas", {})
        schemas.setdefault("Problem", Problem.model_json_schema(ref_template="#/components/schemas/{model}"))
        return described
