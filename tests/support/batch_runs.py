"""Runs of ``inclinet batch``: in this process, or in one of its own that can be killed."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.client.job import Order, Report, carry_out
from gateway.client.run import Pace

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[2]
PACE = Pace(chunk_rows=10, patience_s=30.0, backoff_s=0.01, longest_backoff_s=0.05)
"""Does not make a test wait."""


@dataclass
class Ear:
    """Hears what a run says."""

    notes: list[str] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    results: int = 0

    def reading(self, name: str) -> None:
        self.notes.append(f"reading {name}")

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)

    def asking(self, rows: int, *, done: int, failed: int) -> None:
        self.notes.append(f"asking {rows}, {done} done, {failed} failed")

    def settled(self, *, failed: bool) -> None:
        del failed
        self.results += 1

    def waiting(self, sentence: str, seconds: float) -> None:
        assert seconds > 0
        self.waits.append(sentence)

    def writing(self, path: Path) -> None:
        self.notes.append(f"writing {path.name}")


def table_of(path: Path, numbers: Iterable[object], **columns: Any) -> Path:
    """Write a CSV of PGC numbers, and columns of one value each."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["pgc", *columns])
        writer.writerows([number, *columns.values()] for number in numbers)
    return path


def run(table: Path, out: Path, url: str, ear: Ear | None = None, pace: Pace = PACE, **changed: Any) -> Report:
    """Carry out a run in this process."""
    return carry_out(Order((table,), out, url, pace=pace, **changed), ear or Ear())


def rows_of(out: Path) -> list[dict[str, str]]:
    """Read a result in CSV."""
    with out.open(newline="") as file:
        return list(csv.DictReader(file))


def journalled(journal: Path) -> list[dict[str, Any]]:
    """Return the rows in a journal, without a line that is being written."""
    if not journal.exists():
        return []
    whole = journal.read_bytes().rpartition(b"\n")[0].splitlines()[1:]
    return [json.loads(line)["row"] for line in whole]


class Command:
    """``inclinet batch`` as a process, its output in files beside the result.

    Parameters
    ----------
    out : Path
        Its folder is the working directory too.
    arguments : str
    """

    def __init__(self, out: Path, *arguments: str | Path) -> None:
        self._stdout, self._stderr = out.with_suffix(".stdout"), out.with_suffix(".stderr")
        with self._stdout.open("wb") as stdout, self._stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "inclinet", "batch", "-o", str(out), *map(str, arguments)],
                cwd=out.parent,
                env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )

    def wait(self, timeout_s: float = 200) -> int:
        """Wait for its end and return its exit code."""
        return self.process.wait(timeout_s)

    def kill(self, number: int = signal.SIGKILL) -> int:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        return self.process.wait(60)

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    @property
    def said(self) -> str:
        """What it wrote to standard output."""
        return self._stdout.read_text()

    @property
    def complained(self) -> str:
        """What it wrote to standard error."""
        return self._stderr.read_text()
