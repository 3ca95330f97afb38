"""The page in a real browser, on the real gateway, the real stand-in with tiny models, and the fakes of the sky."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.settings import Settings
from tests.support.browser import GatewayServer, Watch, chromium, kept_contexts, launched, page_in, write_release
from tests.support.pictures import disc, encoded
from tests.support.serving import ServingProcess
from tests.support.sky_fakes import FakeSky
from tests.support.sky_universe import universe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

    from tests.support.models import Repository


# Playwright's sync API keeps an event loop in this thread while it is open: it closes with every file, so that none is
# left when an asynchronous test of another folder begins.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip("there is no Chromium here: install Debian's package chromium, or name a program in CHROMIUM")
    with launched(program) as running:
        yield running


@pytest.fixture(scope="module")
def context(browser: Browser) -> Callable[..., BrowserContext]:
    """Return what gives the context of some options, which the tests of a file share."""
    return kept_contexts(browser)


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return write_release(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="session")
def serving(release: Repository, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingProcess]:
    with ServingProcess(release.config, tmp_path_factory.mktemp("serving") / "log") as process:
        yield process


@pytest.fixture(scope="session")
def sky() -> Iterator[FakeSky]:
    universe()
    with FakeSky() as services:
        yield services


@pytest.fixture(autouse=True)
def _calm_sky(sky: FakeSky) -> Iterator[None]:
    yield
    for service in sky.services.values():
        service.fault, service.delay_s, service.retry_after = None, 0.0, None


@pytest.fixture(scope="session")
def settings(release: Repository, serving: ServingProcess, sky: FakeSky) -> Settings:
    mirrors: dict[str, Any] = {name: tuple(urls) for name, urls in sky.urls.items()}
    return Settings(
        serving=serving.address,
        manifest=release.root / "manifest.json",
        predict_retry_s=0.5,
        log_level="ERROR",
        **mirrors,
    )


@pytest.fixture(scope="session")
def gateway(settings: Settings) -> Iterator[GatewayServer]:
    with GatewayServer(settings) as server:
        yield server


@pytest.fixture
def watched(context: Callable[..., BrowserContext], gateway: GatewayServer) -> Iterator[tuple[Page, Watch]]:
    """Open an empty page for one test; it must neither complain nor ask anyone but the gateway."""
    permissions = ["clipboard-read", "clipboard-write"]
    kept = context(viewport={"width": 1200, "height": 900}, permissions=permissions, base_url=gateway.url)
    with page_in(kept, gateway.url) as (page, watch):
        yield page, watch
        assert watch.strangers == []
        assert watch.complaints == []


@pytest.fixture
def visit(watched: tuple[Page, Watch]) -> tuple[Page, Watch]:
    """Open the page as it begins."""
    watched[0].goto("./")
    return watched


@pytest.fixture
def page(visit: tuple[Page, Watch]) -> Page:
    return visit[0]


@pytest.fixture
def tab(watched: tuple[Page, Watch]) -> Page:
    """Give an empty page to a test that begins with an address of its own."""
    return watched[0]


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disc of axis ratio 0.5 as a PNG."""
    path = tmp_path_factory.mktemp("pictures") / "disc.png"
    path.write_bytes(encoded(disc(128), "PNG"))
    return path
