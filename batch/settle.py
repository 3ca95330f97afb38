"""Rows are asked again and again until each has a final answer, or patience ends; then their partition is written."""

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
"""When so many times the rows under way fail one after the other, a round is broken off: something is down."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row.

    Attributes
    ----------
    row : Row
    cells : dict
        Of its answer or its problem.
    passes : bool
        Whether it is a problem that a later try may not meet.
    retry_after_s : float
        When such a try is worth it.
    """

    row: Row
    cells: results.Row
    passes: bool = False
    retry_after_s: float = 0.0

    @classmethod
    def of(cls, row: Row, problem: errors.GatewayError) -> Outcome:
        """Return that of a problem; one that nobody foresaw may pass too."""
        passes = isinstance(problem, _PASSING) or type(problem) is errors.GatewayError
        return cls(row, results.problem_row(problem), passes, problem.retry_after_s or 0.0)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long passing problems are waited for.

    A round asks every row of a partition that is still without a final answer. Rounds go on as long as each brings
    some answers; after ``fruitless`` rounds running that brought none, the partition is given up for this run.

    Attributes
    ----------
    fruitless : int
    rounds : int, optional
        Most of them.
    first_pause_s, longest_pause_s : float
        Before the next round: the first one, doubled for each further one, or what the problem itself asked for.
    row_s : float
        For one row in one round; waiting for a service's rate is the better part of it.
    """

    fruitless: int = 4
    rounds: int | None = None
    first_pause_s: float = 5.0
    longest_pause_s: float = 120.0
    row_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Settler:
    """Settles the rows of partitions and writes these.

    Attributes
    ----------
    folder : Folder
    patience : Patience
    concurrency : int
        Rows that ``ask`` has under way.
    accept_unanswered : bool
        Write rows that stayed without an answer for passing reasons as if these were final.
    tell : callable
        Told the number of a partition and how many of its rows are settled, after each row.
    """

    folder: Folder
    patience: Patience
    concurrency: int
    accept_unanswered: bool
    tell: Callable[[int, int], None]

    async def settle(
        self, partition: Partition, rows: Sequence[Row], ask: Ask, *, passing: Mapping[int, results.Row] | None = None
    ) -> Tally:
        """Ask every row that has no answer from an earlier run, and write the partition.

        Parameters
        ----------
        partition : Partition
        rows : sequence of Row
            All of it.
        ask : callable
            Asks rows and yields what becomes of them.
        passing : mapping, optional
            Numbers of rows that can't be asked in this run to the cells of their problem.

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
            # also where the run is interrupted: what has come need not be asked again
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
        """Ask until patience ends; what is final goes to ``settled``, problems that may pass to ``passing``."""
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
