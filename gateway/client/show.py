"""What a person sees of a run: a bar with rate and time left on a terminal, and what became of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

    from rich.console import Console, RenderableType
    from rich.progress import Task, TaskID

    from gateway.client.job import Report

_SPEED_OVER_S = 60.0


class _Rate(ProgressColumn):
    """Rows a second, over the last minute."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.1f}/s" if task.speed else "", style="progress.data.speed")


class _Bar(Progress):
    """A bar with a line below it for what has to be said in words."""

    remark = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self.remark:
            yield Text(self.remark, style="yellow", no_wrap=True, overflow="ellipsis")


class Show:
    """Follows a run; on anything but a terminal it says nothing while the run goes well.

    Parameters
    ----------
    console : Console
        Of standard error.
    quiet : bool
        Keep silent on a terminal too.
    """

    def __init__(self, console: Console, *, quiet: bool) -> None:
        self._console, self._quiet = console, quiet
        self._bar = _Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
            speed_estimate_period=_SPEED_OVER_S,
            transient=True,
            expand=True,
        )
        self._task: TaskID | None = None
        self._failed = 0
        self._waits_until = 0.0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def reading(self, name: str) -> None:
        """Show that the table is being read."""
        self._begin(f"Reading {name}", None)

    def note(self, sentence: str) -> None:
        """Say something that a person should know."""
        if not self._quiet:
            self._console.print(sentence, highlight=False, soft_wrap=True, markup=False)

    def asking(self, rows: int, *, done: int, failed: int) -> None:
        """Show the bar: ``done`` of the rows have a result from earlier runs, ``failed`` of them a problem."""
        self._begin("Asking", rows, done)
        self._failed = failed
        self._count()

    def settled(self, *, failed: bool) -> None:
        """Count a row."""
        self._failed += failed
        if self._task is not None:
            self._bar.advance(self._task)
        if failed or (self._waits_until and time.monotonic() > self._waits_until):
            self._waits_until = 0.0
            self._count()

    def waiting(self, sentence: str, seconds: float) -> None:
        """Say that nothing is asked for so long, and why."""
        if not self._waits_until and not self._console.is_terminal:
            self.note(f"Waiting: {sentence}.")  # a log is told once each time
        self._waits_until = time.monotonic() + seconds
        self._bar.remark = f"Waiting {seconds:.0f} s: {sentence}"

    def writing(self, path: Path) -> None:
        """Show that the results are being written."""
        self._begin(f"Writing {path}", None)

    def _begin(self, what: str, rows: int | None, done: int = 0) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._bar.remark = ""
        self._task = self._bar.add_task(what, total=rows, completed=done)

    def _count(self) -> None:
        self._bar.remark = f"{self._failed:,} failed" if self._failed else ""


def tell(report: Report, out: Path, said: Console, complained: Console) -> None:
    """Say what became of a run: what failed by type of problem, and how many rows were answered."""
    failed = report.rows - report.answered
    if failed:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("problem", no_wrap=True)
        table.add_column("rows", justify="right", no_wrap=True)
        table.add_column("such as", overflow="fold")
        for kind, (count, key, sentence) in report.failures.items():
            # brackets in a key are no markup
            table.add_row(Text(kind), f"{count:,}", Text(f"{key}: {sentence}"))
        complained.print(table)
    counts = f"{report.answered:,} of {report.rows:,} rows answered" + (f", {failed:,} failed" if failed else "")
    said.print(f"{counts}: {out}", highlight=False, soft_wrap=True, markup=False)
