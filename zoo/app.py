"""``create_app``: the one place that wires the zoo's parts together."""

from __future__ import annotations

from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gateway.api import problems
from gateway.api.admission import Admission, ClientRateLimit
from gateway.api.application import Application
from gateway.api.keys import Keys
from gateway.api.metrics import RequestMetrics
from gateway.api.middleware import RequestMiddleware
from gateway.settings import Settings
from gateway.sky import open_sky
from inclinet.http import proxies
from zoo.api import measuring, moderation, pages, results, standards
from zoo.api.dependencies import ZooServices
from zoo.database.engine import Database
from zoo.errors import DatabaseDown
from zoo.measuring.records import Snapshots
from zoo.projects.pictures import TargetPictures
from zoo.standards.archive import SHIPPED, StandardsArchive

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse
    from starlette.types import ASGIApp

    from gateway.sky import SkySettings
    from zoo.settings import ZooSettings

_DESCRIPTION = """
Labels by people: galaxies measured among standards of known inclination.

Failures are `application/problem+json` (RFC 9457) with a stable `type`.
"""
_AGAIN_S = 5.0


def create_app(
    settings: ZooSettings, *, sky: SkySettings | None = None, rng: np.random.Generator | None = None
) -> FastAPI:
    """Make the zoo's application.

    Parameters
    ----------
    settings : ZooSettings
    sky : SkySettings, optional
        Settings of the sky; the gateway's, from the environment, unless given.
    rng : numpy.random.Generator, optional
        Generator of the choice of galaxies; an unpredictable one unless given.

    Raises
    ------
    zoo.database.engine.DatabaseUnusable
        The database can't be opened or migrated.
    zoo.standards.archive.StandardsUnusable
        The archive of standards can't be read.
    gateway.api.keys.KeysError
        The file of API keys can't be used.
    inclinet.http.proxies.ProxyUnusable
        The proxy for the sky's services can't be used.
    """
    sky_settings = sky or Settings().sky()
    proxies.from_environment().check([*sky_settings.urls])
    keys = Keys(settings.api_keys_file) if settings.api_keys_file is not None else None
    archive = StandardsArchive(settings.standards or SHIPPED)
    database = Database(settings.database)
    with database.write() as session:
        archive.enter(session)
    metrics = RequestMetrics(CollectorRegistry())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        snapshots = Snapshots(database)
        opened = open_sky(sky_settings, version=version("inclinet"))
        app.state.services = ZooServices(
            settings=settings,
            database=database,
            snapshots=snapshots,
            pictures=TargetPictures(archive, settings.pictures, opened),
            keys=keys,
            admission=Admission(
                concurrency=settings.max_concurrency,
                queue=settings.max_queue,
                rate_limit_per_minute=settings.rate_limit_per_minute,
            ),
            tokens=ClientRateLimit(settings.tokens_per_minute) if settings.tokens_per_minute else None,
            metrics=metrics,
            rng=rng or np.random.default_rng(),
        )
        try:
            yield
        finally:
            await opened.aclose()
            snapshots.close()
            database.close()

    def surround(inner: ASGIApp) -> ASGIApp:
        return RequestMiddleware(
            inner,
            metrics=metrics,
            release=version("inclinet"),
            root_path=settings.root_path,
            log_client_address=settings.log_client_address,
        )

    app = Application(
        title="inclinet zoo",
        version=version("inclinet"),
        summary="The inclination of galaxies, measured by people",
        description=_DESCRIPTION,
        lifespan=lifespan,
        metrics=metrics,
        surround=surround,
    )

    async def down(request: Request, _error: Exception) -> JSONResponse:
        metrics.problems.labels(DatabaseDown.slug).inc()
        told = DatabaseDown("The database can't be asked now. Nothing is lost: ask again.", retry_after_s=_AGAIN_S)
        return problems.problem(told, request.url.path)

    for kind in (OperationalError, PoolTimeout):
        app.add_exception_handler(kind, down)
    for routes in (measuring, standards, results, moderation, pages):
        app.include_router(routes.router)
    pages.mount(app)
    return app
