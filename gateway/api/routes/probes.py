"""Endpoints for the platform: liveness, readiness and metrics."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.api.dependencies import Services, WiredServices
from gateway.api.problems import responses
from gateway.api.schemas import Health
from gateway.core import errors

router = APIRouter(tags=["operation"])

READINESS_TIMEOUT_S = 2.0
SCRAPE_TIMEOUT_S = 1.0
"""Time that a scrape may wait for other services, seconds; Prometheus gives up after ten times that."""


@router.get("/livez", summary="This process is alive")
async def livez() -> Health:
    """Answer as long as the event loop turns; says nothing of what stands behind."""
    return Health(status="ok")


@router.get(
    "/readyz",
    summary="A quorum of flavors is available",
    response_model=Health,
    responses={503: {"description": "Fewer flavors than the quorum are AVAILABLE.", "model": Health}},
)
async def readyz(services: WiredServices) -> Response:
    """Ask TensorFlow Serving for the states of the flavors."""
    try:
        status = await services.predictor.release_status(timeout_s=READINESS_TIMEOUT_S)
    except errors.UpstreamUnavailable as error:
        return JSONResponse(Health(status=error.detail).model_dump(), 503)
    short = "" if status.has_quorum else "fewer flavors than the quorum are available"
    health = Health(
        status="; ".join(filter(None, (short, status.difference))) or "ok",
        flavors_available=status.available,
        quorum=status.needed,
    )
    return JSONResponse(health.model_dump(), 200 if status.has_quorum else 503)


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **responses()},
)
async def metrics(services: WiredServices) -> Response:
    """Write every metric in Prometheus' text format, the states of the networks as of now."""
    await _refresh(services)
    return Response(generate_latest(services.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def _refresh(services: Services) -> None:
    async def states() -> None:
        try:
            found = await services.predictor.states(timeout_s=SCRAPE_TIMEOUT_S)
        except errors.UpstreamUnavailable:
            found = {}
        services.metrics.observe_states(services.manifest, found, pinned=services.settings.pin_versions)

    async def cache() -> None:
        # when the disk hangs, the gauge keeps its last size
        with suppress(TimeoutError):
            async with asyncio.timeout(SCRAPE_TIMEOUT_S):
                services.metrics.cache.set(await services.sky.cache_bytes())

    await asyncio.gather(states(), cache())
