"""The whole service on one machine: starts and ends the stand-in for TensorFlow Serving and the gateway together."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.core.errors import UpstreamUnavailable
from gateway.inference.predictor import Predictor
from gateway.telemetry.logs import configure_logging
from inclinet_service.local import Standin, StartError, listen, release, server

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    import uvicorn

    from gateway.core.manifest import Manifest
    from gateway.settings import Settings

START_TIMEOUT_S = 120.0
POLL_S = 0.1
RESTARTS = 5
"""Most restarts in a row of networks that end soon after their start."""
SOON_S = 60.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0


@dataclass(frozen=True, slots=True)
class Start:
    """Parameters of the service on this machine.

    Attributes
    ----------
    settings : Settings
        Settings of the gateway; ``serving`` is used unchanged unless ``own_serving``.
    host, port : str, int
        Address of the gateway; port 0 takes a free port.
    own_serving : bool
        Whether to start the stand-in; else the server in the settings is used.
    log : Path
        File for the stand-in's output.
    say : callable
        Prints a line for the person who started the service.
    """

    settings: Settings
    host: str
    port: int
    own_serving: bool
    log: Path
    say: Callable[[str], None]


def up(start: Start) -> None:
    """Start the models and the gateway, print the address once they are ready, and run until a signal.

    Raises
    ------
    StartError
    """
    configure_logging(start.settings.log_level)
    with listen(start.host, start.port) as taken, suppress(KeyboardInterrupt):
        manifest = release(start.settings)
        if not start.own_serving:
            _run(start, manifest, taken, None)
            return
        start.say("Starting the networks…")
        with Standin(start.settings.manifest, log=start.log) as models:
            # the gateway's networks are the stand-in's, on loopback
            own = start.settings.model_copy(update={"serving": models.address})
            _run(replace(start, settings=own), manifest, taken, models)


def _run(start: Start, manifest: Manifest, taken: socket.socket, models: Standin | None) -> None:
    running = server(start.settings, manifest)
    # the loop that the gateway uses alone, too: uvloop, where it is installed
    with asyncio.Runner(loop_factory=running.config.get_loop_factory()) as runner:
        runner.run(_serve(running, start, manifest, taken, models))


async def _serve(
    running: uvicorn.Server,
    start: Start,
    manifest: Manifest,
    taken: socket.socket,
    models: Standin | None,
) -> None:
    serving = asyncio.create_task(running.serve(sockets=[taken]))
    watching: asyncio.Task[None] | None = None
    try:
        await _ready(start, manifest, models, serving)
        if not serving.done():
            url = f"http://{start.host}:{taken.getsockname()[1]}"
            start.say(f"Ready. Page {url}/   API {url}/docs   Ctrl-C ends it.")
            if models is not None:
                watching = asyncio.create_task(_kept_running(models, start.say))
        await asyncio.wait([serving, *([watching] if watching else [])], return_when=asyncio.FIRST_COMPLETED)
        if watching is not None and watching.done():
            watching.result()
    finally:
        if watching is not None:
            watching.cancel()
        running.should_exit = True
        with suppress(asyncio.CancelledError):
            await serving


async def _kept_running(models: Standin, say: Callable[[str], None]) -> None:
    """Restart the networks whenever they end; the gateway answers 503 meanwhile.

    Raises
    ------
    StartError
        The networks end again and again.
    """
    soon = 0
    while True:
        started = time.monotonic()
        while (status := models.status) is None:  # noqa: ASYNC110 - not asyncio's child process, so that no event tells its end
            await asyncio.sleep(POLL_S)
        soon = soon + 1 if time.monotonic() - started < SOON_S else 1
        if soon > RESTARTS:
            raise StartError(
                f"The networks ended {soon} times in a row within {SOON_S:g} s of their start; the end of "
                f"{models.log}:\n{models.last_words()}"
            )
        say(f"The networks ended {_how(status)}. They are started again; what they said is in {models.log}.")
        await asyncio.sleep(min(FIRST_PAUSE_S * 2 ** (soon - 1), LONGEST_PAUSE_S))
        models.start()


def _how(status: int) -> str:
    return f"by signal {-status}" if status < 0 else f"with status {status}"


async def _ready(
    start: Start,
    manifest: Manifest,
    models: Standin | None,
    serving: asyncio.Task[None],
) -> None:
    settings = start.settings
    predictor = Predictor(
        settings.serving,
        manifest,
        quorum_fraction=settings.quorum,
        call_timeout_s=1.0,
        retry_s=0.0,
        observe=lambda _model, _code, _seconds: None,
        pin_versions=settings.pin_versions,
        through_proxy=settings.serving_through_proxy,
    )
    instead = ""
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while not serving.done():
                with suppress(UpstreamUnavailable):
                    status = await predictor.release_status(timeout_s=1.0)
                    if status.has_quorum:
                        return
                    instead = status.difference and f" {status.difference}."
                if models is not None and models.status is not None:
                    raise StartError(
                        f"The networks could not be started; the end of {models.log}:\n{models.last_words()}"
                    )
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise StartError(
            f"TensorFlow Serving at {settings.serving} has no quorum of the release's models.{instead}"
        ) from None
    finally:
        await predictor.aclose()
