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
"""Longest wait for a batch, seconds: longer than callers take to send their next picture, too short to notice."""


@dataclass(slots=True)
class _QueuedImage:
    pixels: NDArray[np.uint8]
    deadline: Deadline
    answer: asyncio.Future[EnsemblePrediction]
    since: float
    context: contextvars.Context = field(default_factory=contextvars.copy_context)
    trace: SpanContext | None = field(default_factory=tracing.current)


class Batcher:
    """Gathers concurrent model inputs into batches, without ever making a single one wait.

    While no batch is in flight, all waiting images are sent at once, be it only one. While a batch is in flight, images
    gather until they are as many as in that batch (the smallest, of several), or ``largest``, or the first of them has
    waited for ``longest_wait_s``; at most ``in_flight`` batches are in flight, and images are sent in order of arrival.
    Without the gathering, callers whose batch has returned would each start a batch of one, as fast as their pictures
    are decoded, and the networks take 1.5 times as long for an image alone as for one of sixteen.

    A batch counts as in flight until the server has answered, even if its requests were abandoned, so that abandoned
    work can't pile up behind the server.

    Parameters
    ----------
    read : coroutine function
        Reads a batch uint8 ``[N, 128, 128, 3]`` until a deadline and returns an ``EnsemblePrediction`` per row.
    largest : int
        Most images in a batch.
    in_flight : int
        Most batches in flight at a time.
    longest_wait_s : float
        Longest time that an image waits for others while another batch may be sent, so that a batch that hangs delays
        no other.
    observe : callable
        Called with the size of every batch.
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
        """Number of batches in flight."""
        return len(self._out)

    async def read(self, pixels: NDArray[np.uint8], deadline: Deadline) -> EnsemblePrediction:
        """Return the networks' answers for one model input, uint8 ``[128, 128, 3]``.

        Raises
        ------
        errors.DeadlineExceeded
            The caller's own deadline passed, while waiting or during the call.
        errors.GatewayError
            Any error that reading the batch raised.
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
            # inputs whose callers gave up take no row of the batch
            self._waiting = [entry for entry in self._waiting if not entry.answer.done()]
            if not self._waiting or (
                len(self._waiting) < self._size_worth_sending() and not self._waited_long_enough()
            ):
                return
            batch, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
            self._free -= 1
            # logs and traces of a batch belong to its first request, not to the request whose end made it possible
            task = asyncio.create_task(self._run(batch), context=batch[0].context)
            self._out[task] = len(batch)
            task.add_done_callback(self._returned)

    def _size_worth_sending(self) -> int:
        """Return the number of images from which another batch is sent."""
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
        except Exception as error:  # noqa: BLE001 - any error is passed on to the callers, who raise it
            for entry in batch:
                if not entry.answer.done():
                    entry.answer.set_exception(_copied(error))
            return
        for entry, reading in zip(batch, readings, strict=True):
            if not entry.answer.done():
                entry.answer.set_result(reading)

    async def drain(self) -> None:
        """Wait until every batch in flight has returned."""
        while self._out:
            await asyncio.wait(self._out)


def _copied(error: Exception) -> Exception:
    """Return a copy of an exception for each caller: one object raised in many tasks would gather their tracebacks."""
    if isinstance(error, errors.GatewayError):
        return type(error)(error.detail, retry_after_s=error.retry_after_s, **error.extra)
    return error
