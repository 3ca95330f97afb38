"""The whole service on one machine: the stand-in for TensorFlow Serving and the gateway, started and ended together."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from gateway.app import TracingMissing, create_app
from gateway.contract import read_manifest
from gateway.errors import UpstreamUnavailable
from gateway.keys import KeysError
from gateway.logs import configure_logging
from gateway.predictor import Predictor
from gateway.resources import processors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.contract import Manifest
    from gateway.settings import Settings

LOOPBACK = "127.0.0.1"
START_TIMEOUT_S = 120.0
POLL_S = 0.1
STOP_TIMEOUT_S = 35.0
KEEP_ALIVE_S = 75
"""Longer than the idle time of the usual proxies (60 s), so that they never reuse a connection we are closing."""

_PR_SET_PDEATHSIG = 1

_KEEPING = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 25),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 27),
}
"""How glibc's malloc is told to keep, for the next call, the memory that a call to the stand-in needed.

A request of 32 model inputs is copied several times on its way from the socket to the network. The many threads that do
so would share sixteen arenas on two cores, each grown to what its worst moment needed, and would give pages back to the
system and get them again, zeroed, a call later. Elsewhere than with glibc this says nothing.
"""


class StartError(Exception):
    """The service can't be started, and why, in one sentence."""


def listen(host: str, port: int) -> socket.socket:
    """Take a port, before anything slow is started.

    Raises
    ------
    StartError
        The port is taken or not allowed.
    """
    taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError as error:
        taken.close()
        in_use = error.errno == errno.EADDRINUSE
        reason = "is taken by another program" if in_use else f"can't be used ({error.strerror})"
        raise StartError(f"Port {port} on {host} {reason}. Choose another: make run PORT=8081, or --port.") from error
    return taken


def release(settings: Settings) -> Manifest:
    """Read the manifest that the settings name.

    Raises
    ------
    StartError
        It is missing or not one.
    """
    try:
        return read_manifest(settings.manifest)
    except (OSError, ValueError) as error:
        raise StartError(f"The manifest {settings.manifest} can't be read: {error}") from error


def server(settings: Settings, manifest: Manifest) -> uvicorn.Server:
    """Make the HTTP server of the gateway, not yet started.

    Raises
    ------
    StartError
        The file of API keys can't be used, or the packages for tracing are not installed.
    """
    try:
        app = create_app(settings, manifest=manifest)
    except (KeysError, TracingMissing) as error:
        raise StartError(str(error)) from None
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=int(settings.request_timeout_s) + 5,
        ),
    )


def run_gateway(settings: Settings, *, host: str, port: int) -> None:
    """Run the gateway alone until a signal ends it; requests that were accepted are finished first."""
    configure_logging(settings.log_level)
    taken = listen(host, port)
    with suppress(KeyboardInterrupt):
        server(settings, release(settings)).run(sockets=[taken])


@contextmanager
def standin(manifest: Path, *, log: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run the stand-in on the models beside ``manifest``, on a free port unless given; yields process and address."""
    with tempfile.TemporaryDirectory(prefix="inclinet-") as folder:
        config = Path(folder) / "models.config"
        made = subprocess.run(  # noqa: S603 - our own module, our own arguments
            [
                *(sys.executable, "-m", "serving.repository"),
                *("--manifest", str(manifest), "--base-path", str(manifest.resolve().parent)),
            ],
            check=True,
            capture_output=True,
        )
        config.write_bytes(made.stdout)
        with listen(LOOPBACK, port) as free:
            port = free.getsockname()[1]
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            # A session of its own: Ctrl-C reaches the gateway, which finishes its requests before the models go.
            process = subprocess.Popen(  # noqa: S603 - as above
                [
                    *(sys.executable, "-m", "serving", f"--port={port}", f"--model_config_file={config}"),
                    # someone is waiting: say at once what can't be loaded, instead of trying for five minutes
                    "--max_num_load_retries=0",
                    # every batch in flight is a call to every network at once; the default is four a core
                    "--grpc_max_threads=256",
                    # networks side by side, a core each, answer more than one after the other on all (docs/serving.md)
                    "--tensorflow_intra_op_parallelism=1",
                    f"--tensorflow_inter_op_parallelism={processors()}",
                ],
                env=_KEEPING | os.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - one call, no locks
            )
        try:
            yield process, f"{LOOPBACK}:{port}"
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Start:
    """How to start the service on this machine.

    Attributes
    ----------
    settings : Settings
        ``serving`` is used as it is unless ``own_serving``.
    host, port : str, int
        Of the gateway; port 0 takes a free one.
    own_serving : bool
        Start the stand-in; else use the server that the settings name.
    log : Path
        Where the stand-in's output goes.
    say : callable
        Prints a line for the person who started it.
    """

    settings: Settings
    host: str
    port: int
    own_serving: bool
    log: Path
    say: Callable[[str], None]


def up(start: Start) -> None:
    """Start the models and the gateway, say where they are once they are ready, and run until a signal.

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
        with standin(start.settings.manifest, log=start.log) as (process, address):
            local = replace(start, settings=start.settings.model_copy(update={"serving": address}))
            _run(local, manifest, taken, process)


def _run(start: Start, manifest: Manifest, taken: socket.socket, models: subprocess.Popen[bytes] | None) -> None:
    running = server(start.settings, manifest)
    # the loop that the gateway has alone: uvloop, where there is one
    with asyncio.Runner(loop_factory=running.config.get_loop_factory()) as runner:
        runner.run(_serve(running, start, manifest, taken, models))


async def _serve(
    running: uvicorn.Server,
    start: Start,
    manifest: Manifest,
    taken: socket.socket,
    models: subprocess.Popen[bytes] | None,
) -> None:
    serving = asyncio.create_task(running.serve(sockets=[taken]))
    try:
        await _ready(start, manifest, models, serving)
        if not serving.done():
            url = f"http://{start.host}:{taken.getsockname()[1]}"
            start.say(f"Ready. Page {url}/   API {url}/docs   Ctrl-C ends it.")
        await serving
    finally:
        running.should_exit = True
        with suppress(asyncio.CancelledError):
            await serving


async def _ready(
    start: Start,
    manifest: Manifest,
    models: subprocess.Popen[bytes] | None,
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
    )
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while not serving.done():
                with suppress(UpstreamUnavailable):
                    available, needed = await predictor.available(timeout_s=1.0)
                    if available >= needed:
                        return
                if models is not None and models.poll() is not None:
                    raise StartError(f"The networks could not be started; the end of {start.log}:\n{_tail(start.log)}")
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise StartError(f"TensorFlow Serving at {settings.serving} has no quorum of the release's models.") from None
    finally:
        await predictor.aclose()


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").strip().splitlines()[-3:])
