"""Servers on this machine: the gateway's HTTP server, and the stand-in for TensorFlow Serving as a process."""

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
"""Environment variable with the process whose end also ends the stand-in (``serving/__main__.py``)."""
LOOPBACK = "127.0.0.1"
STOP_TIMEOUT_S = 35.0
KEEP_ALIVE_S = 75
"""Idle time of a connection, seconds: longer than usual proxies' (60 s), so that they never reuse a closed one."""

_KEEPING = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 25),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 27),
}
"""Settings of glibc's malloc, which make it keep the memory of one call to the stand-in for the next.

A request of 32 model inputs is copied several times between the socket and the network. By default the many threads
that do so share sixteen arenas on two cores, each grown to its largest need, and they return pages to the system and
get them again, zeroed, a call later. Other C libraries ignore these settings.
"""


class StartError(Exception):
    """The service can't be started; the message tells why."""


def listen(host: str, port: int) -> socket.socket:
    """Bind a port, before anything slow is started.

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
    """Return the manifest that the settings name.

    Raises
    ------
    StartError
        The manifest is missing or invalid.
    """
    try:
        return read_manifest(settings.manifest)
    except (OSError, ValueError) as error:
        raise StartError(f"The manifest {settings.manifest} can't be read: {error}") from error


def server(settings: Settings, manifest: Manifest) -> uvicorn.Server:
    """Return the HTTP server of the gateway, not yet started.

    Raises
    ------
    StartError
        The file of API keys or a proxy of the environment can't be used, or packages for tracing are missing.
    """
    try:
        app = create_app(settings, manifest=manifest)
    except (KeysError, TracingMissing, ProxyUnusable) as error:
        raise StartError(str(error)) from None
    # objects that live as long as the process need not be scanned by the garbage collector
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
    """Run the gateway alone until a signal ends it; accepted requests are finished first."""
    configure_logging(settings.log_level)
    taken = listen(host, port)
    with suppress(KeyboardInterrupt):
        server(settings, release(settings)).run(sockets=[taken])


class Standin:
    """The stand-in for TensorFlow Serving with the models beside a manifest, on one port, as a context manager.

    Parameters
    ----------
    manifest : Path
        Manifest of the release.
    log : Path
        File for its output; the output of a restart is appended.
    port : int
        Port to use; a free one unless given.
    """

    def __init__(self, manifest: Path, *, log: Path, port: int = 0) -> None:
        self.log = log
        self._manifest = manifest
        self._port = port
        self._starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """``host:port`` of its gRPC interface."""
        return f"{LOOPBACK}:{self._port}"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process of the last start."""
        assert self._process is not None, "not started"  # noqa: S101 - the context was entered
        return self._process

    @property
    def status(self) -> int | None:
        """Exit status of the process; None while it runs."""
        return self.process.poll()

    def __enter__(self) -> Self:
        """Start the process."""
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
        """Start or restart the process, and return at once. Call it from the program's main thread only.

        The process ends with the thread that started it (``PR_SET_PDEATHSIG``).
        """
        with self.log.open("ab" if self._starts else "wb") as output:
            # A session of its own: Ctrl-C reaches only the gateway, which finishes its requests before the models stop.
            self._process = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
                [
                    *(sys.executable, "-m", "serving", f"--port={self._port}", f"--model_config_file={self._config}"),
                    # every batch in flight calls every network at once; the default is four threads per core
                    "--grpc_max_threads=256",
                    # networks in parallel, one core each, answer more than one after the other (serving/Dockerfile)
                    "--tensorflow_intra_op_parallelism=1",
                    f"--tensorflow_inter_op_parallelism={processors()}",
                ],
                # it ends with this process; a preexec function between fork and exec would run beside gRPC's threads
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
        """End the process."""
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
        """Return the end of the log."""
        return "\n".join(self.log.read_text(errors="replace").strip().splitlines()[-3:])


@contextmanager
def standin(manifest: Path, *, log: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run the stand-in with the models beside ``manifest``, on a free port unless given; yield process and address."""
    with Standin(manifest, log=log, port=port) as started:
        yield started.process, started.address
