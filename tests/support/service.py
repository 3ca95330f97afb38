"""The gateway as a process of its own, alone or with its networks."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil

from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from types import TracebackType

ROOT = Path(__file__).parents[2]
_READY = re.compile(r"Ready\. Page (http://\S+)/ ")


class UpProcess:
    """``inclinet up`` in a folder of its own, on a free port.

    Use as a context manager: entering waits until the service is ready, leaving interrupts it as Ctrl-C does. ``demo``
    starts ``make demo`` instead, the same with a fake sky.
    """

    def __init__(
        self, folder: Path, *arguments: str, environment: dict[str, str] | None = None, demo: bool = False
    ) -> None:
        self._folder = folder
        self._end = (
            signal.SIGTERM if demo else signal.SIGINT
        )  # Ctrl-C reaches both of a demo's processes, SIGTERM the first
        self._command = ["-m", "tests.support.demo"] if demo else ["-m", "inclinet", "up"]
        self._arguments = ["--port=0", *arguments]
        self._environment = os.environ | {"PYTHONPATH": str(ROOT)} | (environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> psutil.Process:
        """The gateway's process."""
        assert self._process is not None, "not started"
        return psutil.Process(self._process.pid)

    @property
    def output_path(self) -> Path:
        """File of its standard output and error."""
        return self._folder / "up.log"

    def output(self) -> str:
        """Return the output so far."""
        return self.output_path.read_text(errors="replace") if self.output_path.exists() else ""

    @property
    def url(self) -> str:
        """URL of the page, from the output."""
        found = _READY.search(self.output())
        assert found, f"it never said that it is ready:\n{self.output()}"
        return found[1]

    def launch(self) -> None:
        """Start the process and return at once."""
        with self.output_path.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, *self._command, *self._arguments],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def ended(self) -> bool:
        """Whether the process has ended."""
        assert self._process is not None, "not started"
        return self._process.poll() is not None

    def start(self) -> Self:
        """Start the process and wait until it prints that it is ready."""
        self.launch()
        wait_until(lambda: _READY.search(self.output()) or self.ended(), f"it to be ready:\n{self.output()}", 120)
        assert not self.ended(), self.output()
        return self

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal, wait for the end, return the exit status."""
        assert self._process is not None, "not started"
        if not self.ended():
            self._process.send_signal(number)
        try:
            return self._process.wait(150)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(self._end)
