"""Asks about rows again and again until each has a final answer, or patience ends; then writes their partition."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from batch.outputs.results import record_of
from gateway.core import errors
from gateway.tables import results

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from batch.outputs.partitions import Folder, Partition
    from batch.outputs.results import Tally
    from gateway.tables.cells.rows import Row

    Ask = Callable[[Sequence[Row]], AsyncGenerator["Outcome"]]

_PASSING = (errors.UpstreamError, errors.Overload, errors.EnsembleError, errors.DeadlineExceeded)

_NOT_ASKED = results.problem_row(errors.UpstreamUnavailable("What the row needs could not be reached for a while."))

_FUTILE = 2
"""Number of times that all rows in progress must fail in a row to end a round: something is down."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of asking about a row.

    Attributes
    ----------
    row : Row
    cells : dict
        Cells of its answer or its problem.
    passes : bool
        Whether it is a problem that may be gone at a later try.
    retry_after_s : float
        Time until a further try makes sense, seconds.
    """

    row: Row
    cells: results.Row
    passes: bool = False
    retry_after_s: float = 0.0

    @classmethod
    def of(cls, row: Row, problem: errors.GatewayError) -> Outcome:
        """Return the outcome for a problem; an unforeseen one counts as passing."""
        passes = isinstance(problem, _PASSING) or type(problem) is errors.GatewayError
        return cls(row, results.problem_row(problem), passes, problem.retry_after_s or 0.0)


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits of the wait for passing problems.

    A round asks about every row of a partition without a final answer. Rounds continue as long as each brings some
    answers; after ``fruitless`` rounds in a row without any, the partition has failed for this run.

    Attributes
    ----------
    fruitless : int
        Most rounds in a row without an answer.
    rounds : int, optional
        Most rounds in total.
    first_pause_s, longest_pause_s : float
        Pause before the next round, seconds: the first, doubled for each further one, or as long as the problem asks.
    row_s : float
        Time limit for one row in one round, seconds, mostly spent waiting for a service's rate.
    """

    fruitless: int = 4
    rounds: int | None = None
    first_pause_s: float = 5.0
    longest_pause_s: float = 120.0
    row_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Settler:
    """Settles the rows of partitions and writes the partitions.

    Attributes
    ----------
    folder : Folder
    patience : Patience
    concurrency : int
        Rows that ``ask`` has in progress at a time.
    accept_unanswered : bool
        Whether rows that stay without an answer for passing reasons are written as final.
    tell : callable
        Called with the number of a partition and the number of its settled rows, after each row.
    """

    folder: Folder
    patience: Patience
    concurrency: int
    accept_unanswered: bool
    tell: Callable[[int, int], None]

    async def settle(
        self, partition: Partition, rows: Sequence[Row], ask: Ask, *, passing: Mapping[int, results.Row] | None = None
    ) -> Tally:
        """Ask about every row without an answer from an earlier run, and write the partition.

        Parameters
        ----------
        partition : Partition
        rows : sequence of Row
            All rows of the partition.
        ask : callable
            Asks about rows and yields the outcomes.
        passing : mapping, optional
            Cells of the problem of rows that can't be asked about in this run, by number.

        Raises
        ------
        OSError
            The result can't be written.
        """
        settled = await asyncio.to_thread(self.folder.kept, partition)
        waiting = {row.number: row for row in rows if row.number not in settled}
        passing = dict(passing or {})

        def left() -> dict[int, results.Row]:
            open_rows = (row for number, row in waiting.items() if number not in settled)
            return {row.number: record_of(row, passing.get(row.number, _NOT_ASKED)) for row in open_rows}

        try:
            await self._rounds(
                partition, [row for row in waiting.values() if row.number not in passing], ask, settled, passing
            )
        except BaseException:
            # also on an interrupt, so that received answers are not requested again
            if settled:
                self.folder.keep(partition, settled, left())
            raise
        final, again = (settled | left(), {}) if self.accept_unanswered else (settled, left())
        return await asyncio.to_thread(self.folder.keep, partition, final, again)

    async def _rounds(
        self,
        partition: Partition,
        asked: Sequence[Row],
        ask: Ask,
        settled: dict[int, results.Row],
        passing: dict[int, results.Row],
    ) -> None:
        """Ask until patience ends; final outcomes go to ``settled``, problems that may pass to ``passing``."""
        fruitless, pause_s, rounds = 0, self.patience.first_pause_s, 0
        while rows := [row for row in asked if row.number not in settled]:
            before, running, wished_s = len(settled), 0, 0.0
            async with aclosing(ask(rows)) as outcomes:
                async for outcome in outcomes:
                    if outcome.passes:
                        passing[outcome.row.number] = outcome.cells
                        running, wished_s = running + 1, max(wished_s, outcome.retry_after_s)
                        if running >= _FUTILE * self.concurrency:
                            break
                        continue
                    running = 0
                    settled[outcome.row.number] = record_of(outcome.row, outcome.cells)
                    self.tell(partition.number, len(settled))
            rounds += 1
            fruitless = fruitless + 1 if len(settled) == before else 0
            all_settled = len(settled) - before == len(rows)
            if all_settled or fruitless == self.patience.fruitless or rounds == self.patience.rounds:
                return
            pause_s = pause_s * 2 if fruitless > 1 else self.patience.first_pause_s
            await asyncio.sleep(min(max(pause_s, wished_s), self.patience.longest_pause_s))
