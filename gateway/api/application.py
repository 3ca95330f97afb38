"""The kind of application that every service of the project is."""

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
    """Answers failures with problems, and adds their schema to the API's description, where its responses point to.

    Parameters
    ----------
    metrics : RequestMetrics
        What counts the problems.
    surround : callable
        Puts around the app what surrounds all of it. Middleware of FastAPI's own kind lies within what answers
        unforeseen errors: these answers would go out without request id and security headers.
    **options
        Of FastAPI, such as the title.
    """

    def __init__(self, *, metrics: RequestMetrics, surround: Callable[[ASGIApp], ASGIApp], **options: Any) -> None:
        super().__init__(
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
            docs_url=None,
            redoc_url=None,
            # one tracer is enough, and FastAPI's own puts the texts of errors into spans and log records
            telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
            responses={422: {"model": Problem, "description": errors.BadRequest.title}},
            **options,
        )
        self._surround = surround
        problems.install(self, metrics)

    def build_middleware_stack(self) -> ASGIApp:
        """Put what surrounds the app around all of it."""
        return self._surround(super().build_middleware_stack())

    def openapi(self) -> dict[str, Any]:
        """Describe the API, the schema of problems included."""
        described = super().openapi()
        schemas = described.setdefault("components", {}).setdefault("schemas", {})
        schemas.setdefault("Problem", Problem.model_json_schema(ref_template="#/components/schemas/{model}"))
        return described
