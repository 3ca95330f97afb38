"""What is asked when, what is asked again, and when to give up."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gateway.client.asking import Failure, Kind, Standing
from gateway.client.chunks import Chunk, Size, cut
from gateway.client.journal import Result
from gateway.client.ledger import State
from gateway.client.source import clean
from gateway.client.stops import GaveUp, OtherRelease, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.client.asking import Gateway
    from gateway.client.journal import Journal
    from gateway.client.ledger import Ledger
    from gateway.client.source import Question, Source
    from gateway.tables import results

_BREAKS = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """How hard a gateway is asked.

    Attributes
    ----------
    concurrency : int
        Calls at the same time.
    chunk_rows, chunk_bytes : int
        Most rows, and most bytes of images, of one call.
    attempts : int
        Times that a row is asked whose problem may pass.
    patience_s : float
        Without any result for so long, and failures only, the run is given up.
    first_patience_s : float
        As much of it as a gateway that has not answered yet is worth: there may be none.
    backoff_s, longest_backoff_s : float
        First and longest wait after a failure; it doubles in between, and half of it is drawn by lot.
    """

    concurrency: int = 4
    chunk_rows: int = 100
    chunk_bytes: int = 8_000_000
    attempts: int = 3
    patience_s: float = 600.0
    first_patience_s: float = 60.0
    backoff_s: float = 1.0
    longest_backoff_s: float = 30.0


class Watcher(Protocol):
    """Who is told how it goes."""

    def settled(self, *, failed: bool) -> None:
        """Count a row that has its result."""

    def waiting(self, sentence: str, seconds: float) -> None:
        """Say that nothing is asked for so long."""


class Run:
    """Asks everything that the ledger has no result of.

    Parameters
    ----------
    source : Source
    ledger : Ledger
        Of the same source.
    journal : Journal
        Takes the results.
    gateway : Gateway
    pace : Pace
    watcher : Watcher
    any_release : bool
        Whether answers of different model releases may stand in one table.
    """

    def __init__(
        self,
        source: Source,
        ledger: Ledger,
        journal: Journal,
        gateway: Gateway,
        *,
        pace: Pace,
        watcher: Watcher,
        any_release: bool = False,
    ) -> None:
        self._source, self._ledger, self._journal, self._gateway = source, ledger, journal, gateway
        self._pace, self._watcher, self._any_release = pace, watcher, any_release
        self._size = Size(pace.chunk_rows, pace.chunk_bytes)
        self._later: list[tuple[float, int, Chunk]] = []
        self._order = itertools.count()
        self._fresh: Iterator[Chunk] | None = None
        self._troubles = 0
        self._patience_s = min(pace.patience_s, pace.first_patience_s)
        self._paused_until = self._progress_at = 0.0
        self._lot = random.Random()  # noqa: S311 - spreads clients in time, keeps no secret

    async def finish(self) -> None:
        """Ask until every row has a result.

        Raises
        ------
        GaveUp, Refused, OtherRelease
            Results that have come are in the journal.
        OSError
            The journal could not be written.
        errors.BadTable
            The table turned out to be damaged.
        """
        self._progress_at = time.monotonic()
        await self._meet()
        self._progress_at, self._troubles, self._patience_s = time.monotonic(), 0, self._pace.patience_s
        self._fresh = cut(self._open_questions(), self._size, self._settle)
        running: dict[asyncio.Task[tuple[list[Question], Failure | None]], Chunk] = {}
        try:
            while self._fresh is not None or self._later or running:
                while len(running) < self._pace.concurrency and (chunk := self._next()) is not None:
                    if chunk.questions:
                        running[asyncio.create_task(self._ask(chunk))] = chunk
                    else:
                        await asyncio.sleep(0)
                idle_s = self._idle_s() if len(running) < self._pace.concurrency else None
                if not running:
                    await asyncio.sleep(idle_s or 0)
                    continue
                done, _ = await asyncio.wait(running, timeout=idle_s, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    self._judge(running.pop(task), *task.result())
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _meet(self) -> None:
        """Wait for the gateway, and see that its release goes with the results so far."""
        while isinstance(release := await self._gateway.release(), Failure):
            if release.kind in {Kind.REFUSED, Kind.TOO_MUCH}:
                raise Refused(self._refused(release))
            self._trouble(release.sentence, release.retry_after_s)
            await asyncio.sleep(self._paused_until - time.monotonic())
        self._check(release)
        self._ledger.releases.add(release)

    def _check(self, release: str) -> None:
        known = self._ledger.releases
        if known and release not in known and not self._any_release:
            raise OtherRelease(
                f"The gateway answers with release {release}, and the results so far are of {', '.join(sorted(known))}."
            )

    def _open_questions(self) -> Iterator[Question]:
        """Go through what has no result yet."""
        for question in self._source.questions():
            # a table that grows meanwhile is found out in the end
            if question.number < len(self._ledger) and self._ledger.state(question.number) is State.OPEN:
                yield question

    def _next(self) -> Chunk | None:
        """Return what is to be asked now."""
        now = time.monotonic()
        if now < self._paused_until:
            return None
        if self._later and self._later[0][0] <= now:
            return heapq.heappop(self._later)[2]
        chunk = next(self._fresh, None) if self._fresh is not None else None
        if chunk is None:
            self._fresh = None
        return chunk

    def _idle_s(self) -> float | None:
        """Return how long nothing new can be asked; None if only an answer can change that."""
        now = time.monotonic()
        if self._later and self._fresh is None:
            return max(0.0, self._later[0][0] - now, self._paused_until - now)
        return max(0.0, self._paused_until - now) if self._fresh is not None else None

    def _push(self, chunk: Chunk, *, wait_s: float = 0.0) -> None:
        heapq.heappush(self._later, (time.monotonic() + wait_s, next(self._order), chunk))

    async def _ask(self, chunk: Chunk) -> tuple[list[Question], Failure | None]:
        chunk.asked_at = time.time()

        def deliver(question: Question, cells: results.Row, standing: Standing) -> None:
            if standing is Standing.GATEWAY:
                chunk.untold.append(question)
                chunk.why = str(cells["problem"])
            elif standing is Standing.PASSING:
                chunk.why = str(cells["problem"])
                if chunk.attempt < self._pace.attempts:
                    chunk.passing.append(question)
                else:
                    self._settle(question, cells, chunk.asked_at, passing=True)
            else:
                self._settle(question, cells, chunk.asked_at)
                chunk.settled += 1

        return await self._gateway.ask(chunk.questions, deliver)

    def _settle(self, question: Question, cells: results.Row, at: float, *, passing: bool = False) -> None:
        """Keep a row's result."""
        if release := cells.get("release"):
            self._check(release)
        row = {"key": question.key, "asked": question.asked}
        if question.warnings and not cells.get("problem_type"):
            cells = cells | {"warnings": " ".join([*question.warnings, cells.get("warnings") or ""]).strip()}
        for name, value in cells.items():
            kept = clean(value) if isinstance(value, str) else value
            if kept is not None and kept != "":
                row[name] = kept
        result = Result(row, self._ledger.twin(question.number), at, passing)
        self._ledger.note(question.number, result, self._journal, self._journal.add(result))
        self._watcher.settled(failed=result.failed)

    def _judge(self, chunk: Chunk, left: list[Question], failure: Failure | None) -> None:
        """Decide what becomes of what a call left over."""
        if chunk.settled:
            self._progress_at, self._troubles = time.monotonic(), 0
        if chunk.passing:
            self._push(Chunk(chunk.passing, chunk.attempt + 1), wait_s=self._backoff_s(chunk.attempt))
        if chunk.untold:
            self._push(Chunk(chunk.untold, chunk.attempt))
        if failure is None:
            # when not one row of a call could be answered, the next rows can't be either
            if chunk.untold or (chunk.why and not chunk.settled and self._fresh is not None):
                self._trouble(chunk.why)
            return
        if failure.kind is Kind.REFUSED:
            raise Refused(self._refused(failure))
        if failure.kind is Kind.TOO_MUCH:
            self._ask_less(chunk, left, failure)
        elif failure.kind is Kind.AWAY:
            self._push(Chunk(left, chunk.attempt, chunk.breaks))
            self._trouble(failure.sentence, failure.retry_after_s)
        else:
            self._mend(chunk, left, failure)
            self._trouble(failure.sentence)

    def _ask_less(self, chunk: Chunk, left: list[Question], failure: Failure) -> None:
        """Cut a chunk that was too much, and those to come."""
        if len(left) == 1:
            self._give_up_row(left[0], chunk, failure)
            return
        self._size.rows = min(self._size.rows, len(left) // 2)
        for half in chunk.halves(left):
            self._push(half)

    def _mend(self, chunk: Chunk, left: list[Question], failure: Failure) -> None:
        """Ask again what broke; what breaks again and again is cut until the row is found that breaks it."""
        breaks = 0 if len(left) < len(chunk.questions) else chunk.breaks + 1
        if breaks < _BREAKS:
            self._push(Chunk(left, chunk.attempt, breaks))
        elif len(left) == 1:
            self._give_up_row(left[0], chunk, failure)
        else:
            for half in chunk.halves(left, breaks=1):
                self._push(half)

    def _give_up_row(self, question: Question, chunk: Chunk, failure: Failure) -> None:
        problem = f"The gateway did not answer on this row: {failure.sentence}."
        cells = {"problem_type": failure.problem_type, "problem": problem}
        self._settle(question, cells, chunk.asked_at, passing=failure.kind is Kind.BROKEN)

    def _trouble(self, sentence: str, retry_after_s: float | None = None) -> None:
        """Pause everything; raises GaveUp when that would try the patience."""
        now = time.monotonic()
        if now >= self._paused_until:
            self._troubles += 1
        elif retry_after_s is None:
            return  # others have met the same trouble
        wait_s = self._backoff_s(self._troubles)
        if retry_after_s is not None and retry_after_s >= self._pace.backoff_s:
            # never earlier than asked for, and not all clients in the same moment
            wait_s = retry_after_s + self._lot.uniform(0, min(self._pace.backoff_s, retry_after_s / 10))
        sentence = sentence.removesuffix(".")
        if now + wait_s > self._progress_at + self._patience_s:
            asked = f" and asks to wait {retry_after_s:.0f} s" if retry_after_s is not None else ""
            silent_s = now - self._progress_at
            raise GaveUp(f"No result from {self._gateway.url} for {silent_s:.0f} s: {sentence}{asked}.")
        self._paused_until = max(self._paused_until, now + wait_s)
        self._watcher.waiting(sentence, self._paused_until - now)

    def _refused(self, failure: Failure) -> str:
        return f"The gateway at {self._gateway.url} can't be asked: {failure.sentence}."

    def _backoff_s(self, times: int) -> float:
        longest = min(self._pace.longest_backoff_s, self._pace.backoff_s * 2.0 ** min(times - 1, 30))
        return longest * self._lot.uniform(0.5, 1.0)
