"""Shows the progress of a batch: a bar with rate and time left, or lines where there is no terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from batch.outputs.results import Tally

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

    from batch.outputs.partitions import Partition

_LINE_EVERY_S = 30.0
_MINUTE_S, _HOUR_S, _DAY_S, _YEAR_S = 60, 3600, 86_400, 31_557_600


class Progress:
    """Counts rows and shows the progress of the batch.

    Parameters
    ----------
    console : rich.console.Console
    what : str
        Verb of the bar, such as ``Measuring``.
    total, before : int
        Rows of all partitions, and those that earlier runs have done.
    quiet : bool
        Whether to show nothing.

    Attributes
    ----------
    tally : Tally
        Counts of the partitions that have ended in this run.
    partitions : int
        Number of these partitions.
    """

    def __init__(self, console: Console, what: str, *, total: int, before: int, quiet: bool = False) -> None:
        self.tally, self.partitions = Tally(), 0
        self._console, self._quiet = console, quiet
        self._total, self._before = total, before
        self._under_way: dict[int, int] = {}
        self._ended: set[int] = set()
        self._began = self._said = self._ended_at = time.monotonic()
        self._waits = (0.0, "")
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f} {task.fields[words]}", markup=False),
            console=console,
            disable=quiet or not console.is_terminal,
            transient=True,
            speed_estimate_period=_MINUTE_S,
        )
        self._task = self._bar.add_task(what, total=total, completed=before, words="")

    def __enter__(self) -> Self:
        """Start the display."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the display."""
        self._bar.stop()

    @property
    def seconds(self) -> float:
        """Seconds from the start of the first partition to the end of the last one."""
        return self._ended_at - self._began

    def begin(self) -> None:
        """Start the clock: everything is ready, and the first partition starts."""
        self._began = self._said = time.monotonic()
        self._bar.reset(self._task, completed=self._before)

    def rows_settled(self, partition: int, rows: int) -> None:
        """Record that ``rows`` of a partition are settled."""
        # an event may arrive after the end of its partition
        if partition not in self._ended:
            self._under_way[partition] = rows

    def finished(self, partition: Partition, tally: Tally) -> None:
        """Record that a partition is done, or has failed."""
        self.tally += tally
        self.partitions += 1
        self._ended_at = time.monotonic()
        self._ended.add(partition.number)
        self._under_way.pop(partition.number, None)

    def waiting(self, sentence: str, seconds: float) -> None:
        """Show that nothing is asked for ``seconds``, and why; without a terminal, once per pause."""
        now = time.monotonic()
        if now > self._waits[0] and not self._console.is_terminal and not self._quiet:
            self._print(f"Waiting: {sentence}.")
        self._waits = (max(self._waits[0], now + seconds), sentence)

    def tick(self) -> None:
        """Update the display."""
        done = self._before + self.tally.rows + sum(self._under_way.values())
        # a worker that died takes back its unfinished rows
        self._bar.update(self._task, completed=done)
        rate = self._bar.tasks[0].speed or 0.0
        words = f"{rate:.1f}/s"
        if rate > 0 and done < self._total:
            words += f", {duration((self._total - done) / rate)} left"
        if bad := self.tally.rows - self.tally.answered:
            words += f", {bad:,} with a problem"
        if self.tally.unanswered:
            words += f", {self.tally.unanswered:,} of them to be asked again"
        waits_s = self._waits[0] - time.monotonic()
        shown = f"{words}. Waiting {waits_s:.0f} s: {self._waits[1]}" if waits_s > 0 else words
        self._bar.update(self._task, words=shown)
        if not self._console.is_terminal and not self._quiet and time.monotonic() - self._said >= _LINE_EVERY_S:
            self._said = time.monotonic()
            self._print(f"{done:,} of {self._total:,} rows, {words}")

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True, markup=False)


def duration(seconds: float) -> str:
    """Return a duration in words."""
    if seconds < 2 * _MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} min"
    if seconds < 2 * _DAY_S:
        return f"{seconds / _HOUR_S:.1f} h"
    return f"{seconds / _DAY_S:.0f} days" if seconds < 2 * _YEAR_S else f"{seconds / _YEAR_S:.0f} years"
