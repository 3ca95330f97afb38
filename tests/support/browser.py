"""A real browser with the real gateway: Chromium by Playwright, uvicorn in a thread, the stand-in as a process."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from gateway.app import create_app
from gateway.core.manifest import Flavor, Manifest, Rejector, write_manifest
from gateway.core.models_config import models_config
from inclinet_service.local import listen
from tests.support.manifests import calibration
from tests.support.models import Repository, write_flavor, write_rejector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import ConsoleMessage, Request

    from gateway.settings import Settings

LOOPBACK = "127.0.0.1"
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--process-per-site",
)
_START_S = 120.0
# Generous: a machine that runs other suites beside this one is slow, and a page that works is not late but early.
_PATIENCE_MS = 30_000
_POLL_S = 0.02

SPREAD_DEG = {
    "conv4_m0": 9.4,
    "conv4_m1": 12.7,
    "conv4_m2": 10.6,
    "conv4_m3": 11.9,
    "vgg6_m0": 11.2,
    "vgg6_m1": 12.1,
    "vgg6_m2": 10.3,
    "vgg6_m3": 11.5,
}
"""Difference of each flavor of :func:`write_release` from ``tiny_m0``, degrees."""


def chromium() -> Path | None:
    """Return the path of Chromium: ``CHROMIUM``, else the system's; None where there is none."""
    named = os.environ.get("CHROMIUM")
    found = named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return Path(found) if found else None


@contextmanager
def launched(program: Path) -> Iterator[Browser]:
    """Run Chromium, without any connections of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS, headless=True)
        try:
            yield browser
        finally:
            browser.close()


class GatewayServer:
    """The gateway on a free port of loopback, served by uvicorn in a thread; ``with`` starts and stops it."""

    def __init__(self, settings: Settings, manifest: Manifest | None = None) -> None:
        config = uvicorn.Config(create_app(settings, manifest=manifest), log_config=None, access_log=False)
        self._server = uvicorn.Server(config)
        self._socket = listen(LOOPBACK, 0)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self.url = f"http://{LOOPBACK}:{self._socket.getsockname()[1]}/"

    def __enter__(self) -> Self:
        self._thread.start()
        end = time.monotonic() + _START_S
        while not self._server.started:
            assert self._thread.is_alive(), "the gateway did not start"
            assert time.monotonic() < end, f"the gateway did not start within {_START_S} s"
            time.sleep(_POLL_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(_START_S)
        self._socket.close()


@dataclass
class Watch:
    """Forbidden or counted actions of a page since it was opened."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    transferred: int = 0

    @property
    def strangers(self) -> list[str]:
        """Requests that would have left this machine."""
        local = ("data", "blob", "about")
        return [
            url for url in self.requests if urlsplit(url).scheme not in local and urlsplit(url).hostname != LOOPBACK
        ]


@contextmanager
def page_on(browser: Browser, **options: Any) -> Iterator[tuple[Page, Watch]]:
    """Open an empty page in a context of its own, and watch it."""
    with browser.new_context(**options) as context, page_in(context) as opened:
        yield opened


def kept_contexts(browser: Browser) -> Callable[..., BrowserContext]:
    """Return what gives the context of some options, each made once: a new one costs as much as three pages."""
    made: dict[str, BrowserContext] = {}

    def context(**options: Any) -> BrowserContext:
        name = json.dumps(options, sort_keys=True)
        if name not in made:
            made[name] = browser.new_context(**options)
        return made[name]

    return context


@contextmanager
def page_in(context: BrowserContext, url: str | None = None) -> Iterator[tuple[Page, Watch]]:
    """Open an empty page and watch it; violations of the CSP are console errors.

    With a URL, what earlier pages have stored of its origin is forgotten.
    """
    page, watch = context.new_page(), Watch()
    page.set_default_timeout(_PATIENCE_MS)
    expect.set_options(timeout=_PATIENCE_MS)

    def said(message: ConsoleMessage) -> None:
        # Chromium logs every answer of 400 and above, and every broken connection, as a console error. The page has to
        # show these failures, and tests check that it does.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            watch.complaints.append(message.text)

    def asked(request: Request) -> None:
        watch.requests.append(request.url)

    def counted(event: dict[str, Any]) -> None:
        watch.transferred += int(event["encodedDataLength"])

    page.on("console", said)
    page.on("pageerror", lambda error: watch.complaints.append(str(error)))
    page.on("request", asked)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", counted)
    if url is not None:
        context.clear_cookies()
        session.send("Storage.clearDataForOrigin", {"origin": url.rstrip("/"), "storageTypes": "all"})
    try:
        yield page, watch
    finally:
        page.close()


def write_release(root: Path) -> Repository:
    """Lay out a release of two architectures in four bags each, whose spread looks like a real one's."""
    names = (*SPREAD_DEG, "conv4_reject", "vgg6_reject")
    for name, offset in SPREAD_DEG.items():
        write_flavor(root / name, offset_deg=offset)
    for name in names[len(SPREAD_DEG) :]:
        write_rejector(root / name)
    common: dict[str, Any] = {"version": 1, "seed": 1, "parameters": 3, "training_galaxies": 1000}
    manifest = Manifest(
        release="2026.11",
        tensorflow="2.20.0",
        seed=1,
        training_sample={"simulated": 1000},
        flavors=tuple(
            Flavor(
                name=name,
                architecture=name.partition("_")[0],
                bag=int(name[-1]),
                metrics={"rms_deg": 3.6},
                **common,
            )
            for name in SPREAD_DEG
        ),
        rejectors=tuple(
            Rejector(name=name, architecture=name.partition("_")[0], metrics={"roc_area": 0.9}, **common)
            for name in names[len(SPREAD_DEG) :]
        ),
        calibration=calibration(wide=2.1, floor_deg=1.5),
        metrics={"rms_deg": 3.1, "mae_deg": 2.2},
    )
    write_manifest(manifest, root / "manifest.json")
    repository = Repository(root, manifest)
    repository.config.write_text(models_config(manifest, root), encoding="utf-8")
    return repository
