"""What :func:`gateway.app.create_app` wires together, for the routes to ask."""

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
    """What routes ask, one object each, for the life of the app."""

    settings: Settings
    manifest: Manifest
    metrics: Metrics
    admission: Admission
    predictor: Predictor
    sky: Sky
    inclinations: Inclinations


async def _services(request: Request) -> Services:  # async, or it would cost a thread a request
    services: Services = request.app.state.services
    return services


WiredServices = Annotated[Services, Depends(_services)]
"""Dependency of a route: what the app was wired with."""
