"""Zoos for tests, on every kind of database that there is, and one behind a real server for a real browser."""

from __future__ import annotations

import socket
from functools import partial
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest

from tests.support.browser import chromium, kept_contexts, launched, page_in
from tests.support.live import Live
from tests.support.zoo import KINDS, MODERATOR, NOBODY, bearer, new_database, zoo_settings
from zoo.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AsyncExitStack
    from pathlib import Path
    from typing import Any

    from playwright.sync_api import Browser, BrowserContext, Page
    from starlette.types import ASGIApp

    from tests.support.browser import Watch
    from tests.support.zoo import Databases

__all__ = ["new_database"]


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, new_database: Databases, tmp_path: Path) -> str:
    return new_database(request.param, tmp_path)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip("there is no Chromium here: install Debian's package chromium, or name a program in CHROMIUM")
    with launched(program) as running:
        yield running


@pytest.fixture(scope="module")
def context(browser: Browser, port: int) -> Callable[..., BrowserContext]:
    """Return what gives the context of some options, which the tests of a file share."""
    return partial(kept_contexts(browser), base_url=f"http://127.0.0.1:{port}/")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A port at which the zoos of a file are one after the other: it is bound, so that nobody else takes it."""
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


@pytest.fixture
def live(tmp_path: Path) -> Callable[..., Live]:
    """Return what makes a server of one zoo, always of the same database; it may end and be made again."""

    def make(port: int = 0, seed: int = 1, **changed: Any) -> Live:
        settings = zoo_settings(f"sqlite:///{tmp_path}/zoo.sqlite", tmp_path, "ann", **changed)

        async def wired(_opened: AsyncExitStack) -> ASGIApp:
            return create_app(settings, sky=NOBODY, rng=np.random.default_rng(seed))

        return Live(wired, port)

    return make


@pytest.fixture
def zoo(live: Callable[..., Live], port: int) -> Iterator[Live]:
    """A zoo with one project, ``spirals``, of a galaxy."""
    with live(port) as server:
        boss = bearer(MODERATOR)
        made = {"slug": "spirals", "title": "Spirals", "description": "Nearby ones."}
        httpx.post(f"{server.url}/api/projects", headers=boss, json=made).raise_for_status()
        httpx.post(f"{server.url}/api/projects/spirals/targets", headers=boss, content=b"pgc\n11\n").raise_for_status()
        yield server


@pytest.fixture
def visit(context: Callable[..., BrowserContext], zoo: Live) -> Iterator[tuple[Page, Watch]]:
    """Open a page for one test; it must neither complain nor ask anyone but the zoo."""
    with page_in(context(viewport={"width": 1300, "height": 900}), zoo.url) as (page, watch):
        yield page, watch
        assert watch.strangers == []
        assert watch.complaints == []


@pytest.fixture
def page(visit: tuple[Page, Watch]) -> Page:
    return visit[0]
