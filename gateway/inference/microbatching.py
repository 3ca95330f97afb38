"""Micro-batching: model inputs that wait at the same time share one Predict call per flavor."""

from __future__ import annotations

import asyncio
import contextvars
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gateway.core import errors
from gateway.telemetry import tracing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from numpy.typing import NDArray
    from opentelemetry.trace import SpanContext

    from gateway.core.models import Deadline, EnsemblePrediction


LONGEST_WAIT_S = 0.25
"""Longer than callers take to come back from a batch with their next picture, shorter than a person notices."""


@dataclass(slots=True)
class _QueuedImage:
    pixels: NDArray[np.uint8]
    deadline: Deadline
    answer: asyncio.Future[EnsemblePrediction]
    since: float
    context: contextvars.Context = field(default_factory=contextvars.copy_context)
    trace: SpanContext | None = field(default_factory=tracing.current)


class Batcher:
    """Gathers concurrent model inputs into batches, without ever making a lone one wait.

    While no batch is out, whatever waits leaves at once, be it one image. Behind a batch that is out, images gather
    until they are as many as it has (as the smallest, where several are out), or ``largest``, or the first of them has
    waited for ``longest_wait_s``; no more than ``in_flight`` batches are out, and the image that came first leaves
    first. Without the gathering, callers who come back together from one batch would be sent one by one into the next,
    as fast as their pictures are decoded, and the networks take half as long again for an image alone as for one of
    sixteen.

    The bound on batches in flight holds until the server has answered, also for requests that were abandoned
    meanwhile, so that abandoned work can't pile up behind the server.

    Parameters
    ----------
    read : coroutine function
        Reads a batch uint8 ``[N, 128, 128, 3]`` until a deadline: an ``EnsemblePrediction`` a row.
    largest : int
        Most images in a batch.
    in_flight : int
        Most batches out at a time.
    longest_wait_s : float
        How long an image waits at most for others while there is a place for it, so that a batch that hangs holds
        nobody up but its own.
    observe : callable
        Told the size of every batch.
    """

    def __init__(
        self,
        read: Callable[[NDArray[np.uint8], Deadline], Awaitable[list[EnsemblePrediction]]],
        *,
        largest: int,
        in_flight: int,
        longest_wait_s: float = LONGEST_WAIT_S,
        observe: Callable[[int], None] = lambda _size: None,
    ) -> None:
        self._read = read
        self._largest = largest
        self._free = in_flight
        self._longest_wait_s = longest_wait_s
        self._observe = observe
        self._waiting: list[_QueuedImage] = []
        self._out: dict[asyncio.Task[None], int] = {}

    @property
    def waiting(self) -> int:
        """Model inputs that wait for the next batch."""
        return sum(not entry.answer.done() for entry in self._waiting)

    @property
    def out(self) -> int:
        """Batches that are out."""
        return len(self._out)

    async def read(self, pixels: NDArray[np.uint8], deadline: Deadline) -> EnsemblePrediction:
        """Return what the networks say of one model input, uint8 ``[128, 128, 3]``.

        Raises
        ------
        errors.DeadlineExceeded
            The caller's own deadline passed, waiting or not.
        errors.GatewayError
            Whatever reading the batch raised.
        """
        loop = asyncio.get_running_loop()
        entry = _QueuedImage(pixels, deadline, loop.create_future(), loop.time())
        self._waiting.append(entry)
        self._send()
        loop.call_later(self._longest_wait_s, self._send)
        try:
            async with asyncio.timeout(deadline.remaining_s()):
                return await entry.answer
        except TimeoutError:
            raise errors.DeadlineExceeded(f"The answer was not ready within {deadline.budget_s:g} s.") from None

    def _send(self) -> None:
        while self._free and self._waiting:
            # those who gave up while waiting are not worth a row
            self._waiting = [entry for entry in self._waiting if not entry.answer.done()]
            if not self._waiting or (
                len(self._waiting) < self._size_worth_sending() and not self._waited_long_enough()
            ):
                return
            batch, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
            self._free -= 1
            # what is logged and traced of a batch is told of its first request, not of whoever frees the place for it
            task = asyncio.create_task(self._run(batch), context=batch[0].context)
            self._out[task] = len(batch)
            task.add_done_callback(self._returned)

    def _size_worth_sending(self) -> int:
        """Return for how many images another batch is worth its while."""
        return min(self._largest, *self._out.values()) if self._out else 1

    def _waited_long_enough(self) -> bool:
        return asyncio.get_running_loop().time() >= self._waiting[0].since + self._longest_wait_s

    def _returned(self, task: asyncio.Task[None]) -> None:
        del self._out[task]
        self._free += 1
        self._send()

    async def _run(self, batch: list[_QueuedImage]) -> None:
        self._observe(len(batch))
        latest = max((entry.deadline for entry in batch), key=lambda deadline: deadline.at)
        others = [entry.trace for entry in batch[1:] if entry.trace is not None]
        try:
            with tracing.span("batch", {"inclinet.batch.images": len(batch)}, links=others):
                readings = await self._read(np.stack([entry.pixels for entry in batch]), latest)
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the callers, who raise it
            for entry in batch:
                if not entry.answer.done():
                    entry.answer.set_exception(_copied(error))
            return
        for entry, reading in zip(batch, readings, strict=True):
            if not entry.answer.done():
                entry.answer.set_result(reading)

    async def drain(self) -> None:
        """Wait until every batch that is out has come back."""
        while self._out:
            await asyncio.wait(self._out)


def _copied(error: Exception) -> Exception:
    """Give each caller its own exception: one object raised in many tasks would gather all their tracebacks."""
    if isinstance(error, errors.GatewayError):
        return type(error)(error.detail, retry_after_s=error.retry_after_s, **error.extra)
    return error
