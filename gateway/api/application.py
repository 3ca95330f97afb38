"""The kind of application that every service of the project is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from gateway.api.schemas import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp


class Application(FastAPI):
    """Adds what surrounds the app, and the schema of problems to the API's description, where its responses point to.

    Middleware of FastAPI's own kind lies within what answers unforeseen errors: these answers would go out without
    request id and security headers.
    """

    surround: Callable[[ASGIApp], ASGIApp]

    def build_middleware_stack(self) -> ASGIApp:
        """Put what surrounds the app around all of it."""
        return self.surround(super().build_middleware_stack())

    def openapi(self) -> dict[str, Any]:
        """Describe the API, the schema of problems included."""
        described = super().openapi()
        schemas = described.setdefault("components", {}).setdefault("schemas", {})
        schemas.setdefault("Problem", Problem.model_json_schema(ref_template="#/components/schemas/{model}"))
        return described
