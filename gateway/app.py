"""``create_app``: the one place that wires the gateway."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from gateway import problems
from gateway.admission import Admission
from gateway.batching import Batcher
from gateway.contract import Manifest, read_manifest
from gateway.inclination import Inclinations
from gateway.middleware import Surroundings
from gateway.observability import Metrics
from gateway.predictor import Predictor
from gateway.routes import batch, file, galaxies, models, page, probes
from gateway.schemas import Problem
from gateway.services import Services
from gateway.sky import open_sky

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.settings import Settings

_DESCRIPTION = """
The spatial inclination of spiral galaxies, in degrees (0 face-on, 90 edge-on): the median of an ensemble of bagged
convolutional networks, with calibrated intervals and the likelihood that a person would reject the image.

Failures are `application/problem+json` (RFC 9457) with a stable `type`.
"""


class _Gateway(FastAPI):
    """Adds the schema of problems to the API's description, where the table of responses points to."""

    def openapi(self) -> dict[str, Any]:
        described = super().openapi()
        schemas = described.setdefault("components", {}).setdefault("schemas", {})
        schemas.setdefault("Problem", Problem.model_json_schema(ref_template="#/components/schemas/{model}"))
        return described


def create_app(settings: Settings, *, manifest: Manifest | None = None) -> FastAPI:
    """Make the gateway.

    Parameters
    ----------
    settings : Settings
    manifest : Manifest, optional
        Instead of the one that the settings name.

    Raises
    ------
    OSError, pydantic.ValidationError
        The manifest can't be read.
    """
    release = manifest or read_manifest(settings.manifest)
    metrics = Metrics(CollectorRegistry())
    metrics.release.labels(release.release).set(1)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        predictor = Predictor(
            settings.serving,
            release,
            quorum_fraction=settings.quorum,
            call_timeout_s=settings.predict_timeout_s,
            retry_s=settings.predict_retry_s,
            observe=metrics.observe_call,
        )
        batcher = Batcher(
            predictor.read,
            largest=settings.max_batch,
            in_flight=settings.batches_in_flight,
            observe=metrics.batch_size.observe,
        )
        sky = open_sky(settings.sky(), version=version("inclinet"), observe=metrics.observe_upstream)
        if settings.catalog is not None:
            # a file that can't be used is told now, not at the first question
            await sky.warm()
        executor = ThreadPoolExecutor(max(1, os.cpu_count() or 1), "decode")
        admission = Admission(
            concurrency=settings.max_concurrency,
            queue=settings.max_queue,
            rate_limit_per_minute=settings.rate_limit_per_minute,
        )
        metrics.inside.set_function(lambda: admission.inside)
        app.state.services = Services(
            settings=settings,
            manifest=release,
            metrics=metrics,
            admission=admission,
            predictor=predictor,
            inclinations=Inclinations(
                manifest=release,
                networks=batcher,
                sky=sky,
                executor=executor,
                max_pixels=settings.max_pixels,
                observe=metrics.observe_stage,
            ),
        )
        try:
            yield
        finally:
            await batcher.drain()
            await predictor.aclose()
            await sky.aclose()
            executor.shutdown(wait=True, cancel_futures=True)

    app = _Gateway(
        title="inclinet",
        version=version("inclinet"),
        summary="The spatial inclination of spiral galaxies, as a service",
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses={422: {"model": Problem, "description": problems.BadRequest.title}},
    )
    problems.install(app, metrics)
    for room in (galaxies, file, batch, models, probes, page):
        app.include_router(room.router)
    page.mount(app)
    app.add_middleware(
        Surroundings,
        metrics=metrics,
        root_path=settings.root_path,
        log_client_address=settings.log_client_address,
    )
    return app
