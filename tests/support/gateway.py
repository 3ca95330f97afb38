"""The gateway in the test's own event loop, in front of fake or real networks."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx

from gateway.app import create_app
from gateway.settings import Settings
from tests.support.fake_serving import FakeServing
from tests.support.manifests import manifest, models_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.core.manifest import Manifest

RELEASE = manifest(4)


@asynccontextmanager
async def gateway(
    serving: FakeServing | str | None = None,
    *,
    release: Manifest = RELEASE,
    **settings: Any,
) -> AsyncIterator[httpx.AsyncClient]:
    """Run a gateway; yield a client of it.

    ``serving`` is a fake, or the address of a real server; by default a fake that answers every model of the release.
    """
    fake = serving if isinstance(serving, FakeServing) else FakeServing(models_of(release))
    if not isinstance(serving, str):
        await fake.start()
    address = serving if isinstance(serving, str) else fake.address
    try:
        app = create_app(Settings(serving=address, **settings), manifest=release)
        async with app.router.lifespan_context(app):
            # unforeseen errors become answers, as with a real server
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                yield client
    finally:
        if not isinstance(serving, str):
            await fake.stop()
