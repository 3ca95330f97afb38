"""What a person sees of a run: a bar with rate and time left, or lines where there is no terminal."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, Progress, TextColumn

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

    from survey.task import Report

_LINE_EVERY_S = 30.0
_MINUTE_S, _HOUR_S, _DAY_S, _YEAR_S = 60, 3600, 86_400, 31_557_600


class Show:
    """Counts rows and shows how far the run is.

    Parameters
    ----------
    console : rich.console.Console
    total, before : int
        Rows of the catalogue, and those that earlier runs have done.
    """

    def __init__(self, console: Console, *, total: int, before: int) -> None:
        self._console = console
        self._total = total
        self._before = before
        self._finished = 0
        self._under_way: dict[int, int] = {}
        self._ended: set[int] = set()
        self._bad = 0
        self._unanswered = 0
        self._began = self._said = time.monotonic()
        self._lately: deque[tuple[float, int]] = deque()
        # workers' words come in on a thread of the client
        self._lock = threading.Lock()
        self._bar = Progress(
            TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
            BarColumn(),
            TextColumn("{task.fields[words]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=total, completed=before, words="")

    def __enter__(self) -> Self:
        """Start to show."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._bar.stop()

    @property
    def seconds(self) -> float:
        """Since the first partition was handed out."""
        return time.monotonic() - self._began

    def begin(self) -> None:
        """Start the clock: everything is ready, and the first partition is handed out."""
        self._began = self._said = time.monotonic()
        self._lately.append((self._began, 0))

    def told(self, partition: int, rows: int) -> None:
        """Note that ``rows`` of a partition are done."""
        with self._lock:
            # a word may come in after the end that it led to
            if partition not in self._ended:
                self._under_way[partition] = rows

    def finished(self, report: Report) -> None:
        """Note that a partition is done, or given up."""
        with self._lock:
            self._under_way.pop(report.number, None)
            self._ended.add(report.number)
            self._finished += report.tally.rows
            self._bad += sum(report.tally.problems.values())
            self._unanswered += report.unanswered

    def tick(self) -> None:
        """Show where it is now."""
        with self._lock:
            here = self._finished + sum(self._under_way.values())
            rate, done = self._rate(here), self._before + here
            words = f"{rate:.1f}/s"
            if rate > 0 and done < self._total:
                words += f", {duration((self._total - done) / rate)} left"
            if self._bad:
                words += f", {self._bad:,} with a problem"
            if self._unanswered:
                words += f", {self._unanswered:,} unanswered"
        self._bar.update(self._task, completed=done, words=words)
        if not self._console.is_terminal and time.monotonic() - self._said >= _LINE_EVERY_S:
            self._said = time.monotonic()
            self._console.print(f"{done:,} of {self._total:,} rows, {words}", highlight=False)

    def _rate(self, here: int) -> float:
        """Return rows a second of the last minute, or as much of it as there was."""
        now = time.monotonic()
        while len(self._lately) > 1 and self._lately[1][0] <= now - _MINUTE_S:
            self._lately.popleft()
        if not self._lately or now - self._lately[-1][0] >= 1:
            self._lately.append((now, here))
        began, rows = self._lately[0]
        # a worker that died takes back what it had told
        return max(0.0, here - rows) / max(now - began, 1.0)


def duration(seconds: float) -> str:
    """Say a time as people do."""
    if seconds < 2 * _MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} min"
    if seconds < 2 * _DAY_S:
        return f"{seconds / _HOUR_S:.1f} h"
    return f"{seconds / _DAY_S:.0f} days" if seconds < 2 * _YEAR_S else f"{seconds / _YEAR_S:.0f} years"
