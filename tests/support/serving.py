"""The stand-in as a process of its own on free ports, which tests kill, restart and read."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

ROOT = Path(__file__).parents[2]
_READY = re.compile(r"Running gRPC ModelServer at")
_POLL_S = 0.02


def free_port() -> int:
    """Return a TCP port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServingProcess:
    """``python -m serving`` on loopback.

    Parameters
    ----------
    config : path
        Path of the ModelServerConfig.
    log : path
        File for the process's output; every start appends to it.
    *flags : str
        Further flags, as ``--name=value``.

    Use as a context manager: entering starts it and waits until it is ready, leaving stops it.
    """

    def __init__(self, config: Path, log: Path, *flags: str) -> None:
        self.port = free_port()
        self.log_path = log
        self._flags = [
            f"--port={self.port}",
            f"--model_config_file={config}",
            "--grpc_max_threads=64",
            *flags,
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def address(self) -> str:
        """``host:port`` of the gRPC interface; restarts keep it."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Number of the running process."""
        assert self._process is not None, "the stand-in has not been started"
        return self._process.pid

    def launch(self) -> None:
        """Start the process and return at once."""
        assert self._process is None or self._process.poll() is not None, "the stand-in is running already"
        self._log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "serving", *self._flags], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
            )

    def start(self, timeout_s: float = 60.0) -> Self:
        """Start the process and wait until its ports are open, which means that every model is loaded."""
        self.launch()
        self.wait_for_log(_READY, timeout_s)
        return self

    def wait_for_log(self, pattern: re.Pattern[str], timeout_s: float = 60.0) -> str:
        """Wait for a line since the last start; return the log so far."""
        assert self._process is not None, "the stand-in has not been started"
        end = time.monotonic() + timeout_s
        while not pattern.search(self.log()):
            if self._process.poll() is not None:
                raise AssertionError(f"the stand-in ended with {self._process.returncode}:\n{self.log()}")
            if time.monotonic() > end:
                raise AssertionError(f"no {pattern.pattern!r} within {timeout_s} s:\n{self.log()}")
            time.sleep(_POLL_S)
        return self.log()

    def log(self) -> str:
        """Return the output since the last start."""
        if not self.log_path.exists():
            return ""
        with self.log_path.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def kill(self) -> None:
        """Kill the process, as in a crash."""
        assert self._process is not None, "the stand-in has not been started"
        self._process.kill()
        self._process.wait()

    def stop(self, signal_number: int = signal.SIGTERM, timeout_s: float = 60.0) -> int:
        """Ask the process to end; return its exit status."""
        assert self._process is not None, "the stand-in has not been started"
        if self._process.poll() is None:
            self._process.send_signal(signal_number)
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def wait(self, timeout_s: float = 60.0) -> int:
        """Wait until the process ends by itself; return its exit status."""
        assert self._process is not None, "the stand-in has not been started"
        return self._process.wait(timeout_s)

    def restart(self) -> Self:
        """Kill the process and start it again on the same ports."""
        self.kill()
        return self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.stop()
