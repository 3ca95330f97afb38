"""Batches over HTTP for tests: in this process, or ``inclinet batch`` as a process."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from batch.http.pacing import Pace
from batch.http.run import Http, measure
from batch.outputs import results
from batch.request import BatchRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from batch.summary import Summary

ROOT = Path(__file__).resolve().parents[2]

PACE = Pace(concurrency=3, patience_s=20.0, first_patience_s=20.0, backoff_s=0.01, longest_backoff_s=0.05)
"""Pace of calls without long waits, for tests."""


@dataclass
class MessageRecorder:
    """Records the messages of a run."""

    notes: list[str] = field(default_factory=list)

    @property
    def waits(self) -> list[str]:
        """Messages about waiting."""
        return [note.removeprefix("Waiting: ").removesuffix(".") for note in self.notes if note.startswith("Waiting")]


def table_of(path: Path, numbers: Iterable[object], **columns: Any) -> Path:
    """Write a CSV of PGC numbers, and further columns of one value each."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["pgc", *columns])
        writer.writerows([number, *columns.values()] for number in numbers)
    return path


def run(
    table: Path | str,
    out: Path | str,
    url: str,
    ear: MessageRecorder | None = None,
    pace: Pace = PACE,
    *,
    rows: int = 10,
    **changed: Any,
) -> Summary:
    """Run a batch in this process."""
    ear, said = ear or MessageRecorder(), io.StringIO()
    mine = {name: changed.pop(name) for name in ("attempts", "any_release", "timeout_s") if name in changed}
    asked = BatchRequest(what=(str(table),), out=str(out), partition_rows=rows, **changed)
    http = Http(url=url, pace=pace, **mine)
    try:
        return measure(asked, http, Console(file=said, width=300), ear.notes.append)
    finally:
        ear.notes += said.getvalue().splitlines()


def rows_of(out: Path) -> list[dict[str, str]]:
    """Return the rows of a result in CSV."""
    with out.open(newline="") as file:
        return list(csv.DictReader(file))


def kept(out: Path) -> list[dict[str, Any]]:
    """Return all settled rows in the partitions beside a result, finished or not."""
    found = [results.decoded(str(file)) for file in sorted(out.with_suffix(".parts").glob("**/part-*.parquet"))]
    return [row for rows, about in found for row in rows if row["row"] not in json.loads(about["again"])]


_BATCH = (sys.executable, "-m", "inclinet", "batch")


class Command:
    """``inclinet batch`` as a process, with its output in files beside the result.

    Parameters
    ----------
    out : Path
        Path of the result; its folder is also the working directory.
    arguments : str
        Further arguments of the command.
    """

    def __init__(self, out: Path, *arguments: str | Path) -> None:
        self._stdout, self._stderr = out.with_suffix(".stdout"), out.with_suffix(".stderr")
        with self._stdout.open("wb") as stdout, self._stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                # SIGINT is ignored, as a shell does for background jobs
                ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh", *_BATCH, "-o", str(out), *map(str, arguments)],
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
        """Whether the process has ended."""
        return self.process.poll() is not None

    @property
    def said(self) -> str:
        """Text written to standard output."""
        return self._stdout.read_text()

    @property
    def complained(self) -> str:
        """Text written to standard error."""
        return self._stderr.read_text()
