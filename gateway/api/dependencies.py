"""The services that :func:`gateway.app.create_app` wires together, as a dependency of the routes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

if TYPE_CHECKING:
    from gateway.api.admission import Admission
    from gateway.api.metrics import Metrics
    from gateway.core.manifest import Manifest
    from gateway.inference.predictor import Predictor
    from gateway.measure.one import Inclinations
    from gateway.settings import Settings
    from gateway.sky import Sky


@dataclass(frozen=True, slots=True)
class Services:
    """The services that routes call, one object each, for the life of the app."""

    settings: Settings
    manifest: Manifest
    metrics: Metrics
    admission: Admission
    predictor: Predictor
    sky: Sky
    inclinations: Inclinations


async def _services(request: Request) -> Services:  # async, since a plain function would take a thread per request
    services: Services = request.app.state.services
    return services


WiredServices = Annotated[Services, Depends(_services)]
"""Dependency of a route: the services of the app."""
