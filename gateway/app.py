"""``create_app``: the one place that wires the gateway's parts together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

from fastapi import Depends
from prometheus_client import CollectorRegistry
from starlette.middleware.cors import CORSMiddleware

from gateway.api.access import KEY_RESPONSES, require_key
from gateway.api.admission import Admission
from gateway.api.application import Application
from gateway.api.dependencies import Services
from gateway.api.keys import Keys
from gateway.api.metrics import Metrics
from gateway.api.middleware import RequestMiddleware
from gateway.api.routes import batch, columns, file, galaxies, models, page, probes
from gateway.core.drift import expectation
from gateway.core.ensemble import quorum
from gateway.core.manifest import Manifest, read_manifest
from gateway.core.resources import give_large_memory_back, processors
from gateway.inference.microbatching import Batcher
from gateway.inference.predictor import Predictor
from gateway.measure.one import Inclinations
from gateway.sky import open_sky
from inclinet.http import proxies

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI
    from starlette.types import ASGIApp

    from gateway.settings import Settings
    from gateway.telemetry.otlp import CollectorTracerProvider

_DESCRIPTION = """
The spatial inclination of spiral galaxies, in degrees (0 face-on, 90 edge-on): the median of an ensemble of bagged
convolutional networks, with calibrated intervals and the likelihood that a person would reject the image, and why.

Failures are `application/problem+json` (RFC 9457) with a stable `type`.
"""


class TracingMissing(Exception):
    """A collector of traces is set, but the packages that send traces are not installed."""


def create_app(settings: Settings, *, manifest: Manifest | None = None) -> FastAPI:
    """Make the gateway's application.

    Parameters
    ----------
    settings : Settings
        Settings of the gateway.
    manifest : Manifest, optional
        Manifest to use instead of the file that the settings name.

    Raises
    ------
    OSError, pydantic.ValidationError
        The manifest can't be read.
    gateway.api.keys.KeysError
        The file of API keys can't be used.
    TracingMissing
        A collector is set without the packages that tracing needs.
    inclinet.http.proxies.ProxyUnusable
        The proxy for the gateway's own requests can't be used.
    """
    collectors = filter(None, [settings.otlp_endpoint])
    proxies.from_environment().check([*settings.sky().urls, *collectors])
    release = manifest or read_manifest(settings.manifest)
    keys = Keys(settings.api_keys_file) if settings.api_keys_file is not None else None
    tracers = _tracer_provider(settings, release.release)
    metrics = Metrics(CollectorRegistry())
    metrics.expect(release, expectation(release), quorum=quorum(settings.quorum, len(release.flavors)))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        predictor = Predictor(
            settings.serving,
            release,
            quorum_fraction=settings.quorum,
            call_timeout_s=settings.predict_timeout_s,
            retry_s=settings.predict_retry_s,
            observe=metrics.observe_call,
            pin_versions=settings.pin_versions,
            through_proxy=settings.serving_through_proxy,
        )
        batcher = Batcher(
            predictor.read,
            largest=settings.max_batch,
            in_flight=settings.batches_in_flight,
            observe=metrics.batch_size.observe,
        )
        sky = open_sky(settings.sky(), version=version("inclinet-service"), observe=metrics.observe_upstream)
        if settings.catalog is not None:
            # so that an unusable file is reported at start-up, not at the first question
            await sky.warm()
        give_large_memory_back()
        executor = ThreadPoolExecutor(processors(), "decode")
        admission = Admission(
            concurrency=settings.max_concurrency,
            queue=settings.max_queue,
            rate_limit_per_minute=settings.rate_limit_per_minute,
            observe=metrics.observe_stage,
        )
        metrics.inside.set_function(lambda: admission.inside)
        metrics.working.set_function(lambda: admission.working)
        metrics.waiting.set_function(lambda: admission.waiting)
        metrics.capacity.set(admission.capacity)
        metrics.images_waiting.set_function(lambda: batcher.waiting)
        metrics.batches_out.set_function(lambda: batcher.out)
        metrics.cache_limit.set(settings.cache_max_bytes if settings.cache_dir else 0)
        metrics.circuits.source = sky.health
        app.state.services = Services(
            settings=settings,
            manifest=release,
            metrics=metrics,
            admission=admission,
            predictor=predictor,
            sky=sky,
            inclinations=Inclinations(
                manifest=release,
                networks=batcher,
                sky=sky,
                executor=executor,
                max_pixels=settings.max_pixels,
                observe=metrics.observe_stage,
                answered=metrics.observe_answer,
            ),
        )
        try:
            yield
        finally:
            await batcher.drain()
            await predictor.aclose()
            await sky.aclose()
            executor.shutdown(wait=True, cancel_futures=True)
            if tracers is not None:
                await tracers.aclose()

    def surround(inner: ASGIApp) -> ASGIApp:
        if settings.cors_origins:
            inner = CORSMiddleware(
                inner,
                allow_origins=settings.cors_origins,
                allow_methods=["GET", "POST"],
                allow_headers=["Authorization", "Content-Type", "X-Request-ID"],
                expose_headers=["Retry-After", "X-Request-ID", "X-Inclinet-Rows"],
            )
        return RequestMiddleware(
            inner,
            metrics=metrics,
            release=release.release,
            root_path=settings.root_path,
            log_client_address=settings.log_client_address,
            tracer=tracers.get_tracer("inclinet", version("inclinet-service")) if tracers is not None else None,
        )

    app = Application(
        title="inclinet",
        version=version("inclinet-service"),
        summary="The spatial inclination of spiral galaxies, as a service",
        description=_DESCRIPTION,
        lifespan=lifespan,
        metrics=metrics,
        surround=surround,
    )
    for routes in (galaxies, file, batch, columns, models):
        if keys is None:
            app.include_router(routes.router)
        else:
            app.include_router(routes.router, dependencies=[Depends(require_key(keys))], responses=KEY_RESPONSES)
    # the platform's probes hold no key, and the page itself asks for one
    for routes in (probes, page):
        app.include_router(routes.router)
    page.mount(app)
    return app


def _tracer_provider(settings: Settings, release: str) -> CollectorTracerProvider | None:
    if settings.otlp_endpoint is None:
        return None
    try:
        # the import costs 0.4 s and 20 MB, so only a gateway with a collector does it
        from gateway.telemetry.otlp import CollectorTracerProvider
    except ImportError:
        raise TracingMissing(
            "INCLINET_OTLP_ENDPOINT is set, but the packages for tracing are not installed: "
            "pip install 'inclinet-service[tracing]'.",
        ) from None
    return CollectorTracerProvider(
        settings.otlp_endpoint, share=settings.trace_share, version=version("inclinet-service"), release=release
    )
