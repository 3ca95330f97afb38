"""Batches with Dask for tests: the program as a process, its files, and images with known answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from pyarrow import parquet

from gateway.core.manifest import INPUT_SHAPE
from tests.support.models import flavor_answer
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]


def pictures(count: int) -> NDArray[np.uint8]:
    """Return model inputs, uint8 ``[count, 128, 128, 3]``, all of different means, always the same for a count."""
    levels = np.linspace(20, 200, count).astype(np.uint8)[:, None, None, None]
    grain = np.random.default_rng(3).integers(0, 40, INPUT_SHAPE, dtype=np.uint8)
    made: NDArray[np.uint8] = levels + grain
    return made


def medians(images: NDArray[np.uint8], *, flavors: int = 4) -> list[float]:
    """Return the answers of :func:`tests.support.models.write_repository`'s tiny release, degrees."""
    return [round(value, 2) for value in (flavor_answer(images) + (flavors - 1) / 2).tolist()]


def rows_of(out: Path) -> list[dict[str, Any]]:
    """Return all rows of a result in order, as any reader of a folder of Parquet files finds them."""
    rows: list[dict[str, Any]] = parquet.read_table(out).to_pylist()
    return sorted(rows, key=lambda row: row["row"])


class DaskProcess:
    """``inclinet batch --dask`` as a process in a folder of its own.

    Parameters
    ----------
    folder : Path
        Working directory.
    *arguments : str
        Arguments of the command.
    environment : dict, optional
        Variables added to this process's environment.
    """

    def __init__(self, folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self._log = folder / "batch.log"
        self._out = folder / "batch.out"
        with self._log.open("wb") as log, self._out.open("wb") as out:
            self._process = psutil.Popen(
                [sys.executable, "-m", "inclinet", "batch", "--dask", *arguments, "--dashboard=127.0.0.1:0", "--json"],
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(ROOT)} | (environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
            )

    def log(self) -> str:
        """Return the output so far."""
        return self._log.read_text(errors="replace")

    def family(self) -> list[psutil.Process]:
        """Return the process and all of its descendants."""
        return [self._process, *self._process.children(recursive=True)]

    def holder_of(self, path: Path) -> psutil.Process:
        """Return the process of the family that has a file open; wait until one has."""
        found: list[psutil.Process] = []

        def look() -> bool:
            assert self._process.poll() is None, f"it ended:\n{self.log()}"
            found[:] = [one for one in self.family() if _has_open(one.pid, path)]
            return bool(found)

        wait_until(look, f"{path} to be open:\n{self.log()}", 90)
        return found[0]

    def end(self, *, timeout_s: float | None = 120) -> dict[str, Any]:
        """Wait for the end; return the summary, with the exit status as ``status``."""
        status = self._process.wait(timeout_s)
        said = self._out.read_text()
        assert said, f"it ended with {status}:\n{self.log()}"
        summary: dict[str, Any] = json.loads(said)
        return summary | {"status": status}

    def kill(self) -> None:
        """Kill client and scheduler at once; return when their child processes have ended."""
        family = self.family()
        self._process.kill()
        _, alive = psutil.wait_procs(family, timeout=60)
        assert not alive, f"left behind: {alive}"

    def stop(self) -> None:
        """End all processes that still run."""
        if self._process.is_running():
            for one in self.family():
                one.kill()
            self._process.wait()


def _has_open(pid: int, path: Path) -> bool:
    try:
        return any(os.readlink(fd) == str(path) for fd in Path(f"/proc/{pid}/fd").iterdir())  # noqa: PTH115 - as text
    except OSError:
        return False


def write_csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    """Write a table; return its path."""
    path.write_text("\n".join(",".join(map(str, row)) for row in (columns, *rows)) + "\n")
    return path
