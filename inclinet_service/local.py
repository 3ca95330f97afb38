"""What runs on this machine: the gateway's HTTP server, and the stand-in for TensorFlow Serving as a process."""

from __future__ import annotations

import errno
import gc
import os
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import uvicorn

from gateway.api.keys import KeysError
from gateway.app import TracingMissing, create_app
from gateway.core.manifest import read_manifest
from gateway.core.models_config import models_config
from gateway.core.resources import processors
from gateway.telemetry.logs import configure_logging
from inclinet.http.proxies import ProxyUnusable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from gateway.core.manifest import Manifest
    from gateway.settings import Settings

PARENT_VARIABLE = "INCLINET_STANDIN_PARENT"
"""Tells the stand-in the process with which it ends (``serving/__main__.py``)."""
LOOPBACK = "127.0.0.1"
STOP_TIMEOUT_S = 35.0
KEEP_ALIVE_S = 75
"""Longer than the idle time of the usual proxies (60 s), so that they never reuse a connection we are closing."""

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
        The file of API keys or a proxy of the environment can't be used, or packages for tracing are missing.
    """
    try:
        app = create_app(settings, manifest=manifest)
    except (KeysError, TracingMissing, ProxyUnusable) as error:
        raise StartError(str(error)) from None
    # what lives as long as the process need not be looked through for garbage again and again
    gc.collect()
    gc.freeze()
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


class Standin:
    """The stand-in for TensorFlow Serving on the models beside a manifest, on one port until it is left.

    Parameters
    ----------
    manifest : Path
    log : Path
        Where its output goes, that of every start behind the last one's.
    port : int
        A free one unless given.
    """

    def __init__(self, manifest: Path, *, log: Path, port: int = 0) -> None:
        self.log = log
        self._manifest = manifest
        self._port = port
        self._starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """``host:port`` of its gRPC face."""
        return f"{LOOPBACK}:{self._port}"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process of the last start."""
        assert self._process is not None, "not started"  # noqa: S101 - who asks has entered
        return self._process

    @property
    def status(self) -> int | None:
        """Exit status of the process; None while it runs."""
        return self.process.poll()

    def __enter__(self) -> Self:
        """Start it."""
        self._folder = tempfile.TemporaryDirectory(prefix="inclinet-")
        try:
            self._config = Path(self._folder.name) / "models.config"
            config = models_config(read_manifest(self._manifest), self._manifest.resolve().parent)
            self._config.write_text(config, encoding="utf-8")
            with listen(LOOPBACK, self._port) as free:
                self._port = free.getsockname()[1]
            self.log.parent.mkdir(parents=True, exist_ok=True)
            self.start()
        except BaseException:
            self._end()
            raise
        return self

    def start(self) -> None:
        """Start the process, at first or after it has ended; returns at once. Only from the program's main thread.

        The process ends with the thread that started it (``PR_SET_PDEATHSIG``).
        """
        with self.log.open("ab" if self._starts else "wb") as output:
            # A session of its own: Ctrl-C reaches the gateway, which finishes its requests before the models go.
            self._process = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
                [
                    *(sys.executable, "-m", "serving", f"--port={self._port}", f"--model_config_file={self._config}"),
                    # every batch in flight is a call to every network at once; the default is four a core
                    "--grpc_max_threads=256",
                    # networks side by side, a core each, answer more than one after the other (serving/Dockerfile)
                    "--tensorflow_intra_op_parallelism=1",
                    f"--tensorflow_inter_op_parallelism={processors()}",
                ],
                # it ends with this process; code of ours between fork and exec would run beside gRPC's threads
                env=_KEEPING | os.environ | {PARENT_VARIABLE: str(os.getpid())},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._starts += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._folder.cleanup()

    def last_words(self) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").strip().splitlines()[-3:])


@contextmanager
def standin(manifest: Path, *, log: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run the stand-in on the models beside ``manifest``, on a free port unless given; yields process and address."""
    with Standin(manifest, log=log, port=port) as started:
        yield started.process, started.address
