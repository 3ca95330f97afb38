"""Measures many galaxies with bounded concurrency, results in order of completion. Independent of any protocol."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from gateway.core import errors
from gateway.core.models import AUTO, Deadline, Framing
from gateway.measure.targets import Fetched
from gateway.telemetry import tracing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from gateway.images.prepare import ImageData
    from gateway.measure.one import Inclinations, MeasuredGalaxy
    from gateway.tables.cells.rows import Row

log = structlog.get_logger(__name__)

TRACED_ROWS = 50


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one row: an answer or a problem."""

    row: Row
    answer: MeasuredGalaxy | None = None
    problem: errors.GatewayError | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """Options for all rows: survey, r and framing as for one target or image, and each row's deadline, seconds."""

    survey: str | None
    r: float
    row_timeout_s: float
    framing: Framing = AUTO


async def measure(
    rows: Sequence[Row],
    inclinations: Inclinations,
    read_file: Callable[[str], Awaitable[ImageData | Fetched]],
    *,
    terms: Terms,
    concurrency: int,
    ahead: asyncio.Semaphore | None = None,
    observe: Callable[[errors.GatewayError | None], None] = lambda _problem: None,
) -> AsyncGenerator[Result]:
    """Measure rows, ``concurrency`` at a time, and yield results in order of completion.

    At most ``concurrency`` results wait for the reader, so that a slow reader slows the work and memory stays flat.
    Closing the iterator ends the work.

    Parameters
    ----------
    rows : sequence of Row
    inclinations : Inclinations
    read_file : coroutine function
        Returns an image by the name that a row gives: its file's bytes, pixels uint8 ``[H, W, 3]``, or a cutout with
        its galaxy.
    terms : Terms
    concurrency : int
    ahead : asyncio.Semaphore, optional
        Acquired before each row is started. A caller that needs results in order releases it once for each result
        passed on, so that the number of results held back stays bounded.
    observe : callable
        Called with the problem of every row, None where there is an answer.
    """
    results: asyncio.Queue[Result] = asyncio.Queue(concurrency)
    pending = iter(rows)

    async def work() -> None:
        while True:
            if ahead is not None:
                await ahead.acquire()
            if (row := next(pending, None)) is None:
                return
            structlog.contextvars.bind_contextvars(row=row.number)
            # the first rows suffice for timing; ten thousand of them would flood the collector
            attributes = {"inclinet.row": row.number}
            traced = tracing.span("row", attributes) if row.number < TRACED_ROWS else tracing.untraced()
            with traced as span:
                result = await _one(row, inclinations, read_file, terms)
                if result.problem is not None:
                    tracing.fail(span, result.problem.slug)
            observe(result.problem)
            await results.put(result)

    workers = [asyncio.create_task(work()) for _ in range(min(concurrency, len(rows)))]
    try:
        for _ in range(len(rows)):
            yield await results.get()
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def _one(
    row: Row,
    inclinations: Inclinations,
    read_file: Callable[[str], Awaitable[ImageData | Fetched]],
    terms: Terms,
) -> Result:
    deadline = Deadline.after(terms.row_timeout_s)
    try:
        if row.problem is not None:
            return Result(row, problem=row.problem)
        if row.target is not None:
            answer = await inclinations.of_target(row.target, deadline=deadline, survey=terms.survey, r=terms.r)
        else:
            data = await read_file(row.file or "")
            if isinstance(data, Fetched):
                answer = await inclinations.of_fetched(data, deadline=deadline, r=terms.r)
            else:
                answer = await inclinations.of_image(data, deadline=deadline, r=terms.r, framing=terms.framing)
        if row.warnings:
            answer = replace(answer, warnings=(*row.warnings, *answer.warnings))
        return Result(row, answer=answer)
    except errors.GatewayError as problem:
        return Result(row, problem=problem)
    # an unforeseen error in one row must not end the others
    except Exception as error:
        log.exception("unforeseen error in a row", row=row.number, exc_info=error)
        return Result(row, problem=errors.GatewayError("The gateway failed on this row in a way not foreseen."))
