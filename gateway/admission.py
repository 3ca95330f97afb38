"""Admission: how much the gateway takes on, and what it refuses at once instead of failing late."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from gateway import errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.domain import Deadline

BUSY_RETRY_AFTER_S = 2.0


class Admission:
    """Bounded concurrency behind a bounded queue.

    Parameters
    ----------
    concurrency : int
        Requests worked on at the same time.
    queue : int
        Requests that may wait (or still be arriving) beyond those.
    rate_limit_per_minute : int
        Requests one client may make in any 60 s; 0 for no limit.
    """

    def __init__(self, *, concurrency: int, queue: int, rate_limit_per_minute: int = 0) -> None:
        self._capacity = concurrency + queue
        self._inside = 0
        self._places = asyncio.Semaphore(concurrency)
        self._limit = RateLimitItemPerMinute(rate_limit_per_minute) if rate_limit_per_minute else None
        self._clients = MovingWindowRateLimiter(MemoryStorage())

    @property
    def inside(self) -> int:
        """Requests admitted and not yet answered."""
        return self._inside

    @asynccontextmanager
    async def admit(self, client: str) -> AsyncIterator[None]:
        """Count a request in, before its body is read.

        Raises
        ------
        errors.TooManyRequests
            ``client`` is over its rate.
        errors.Busy
            Concurrency and queue are used up.
        """
        if self._limit is not None and not await self._clients.hit(self._limit, client):
            window = await self._clients.get_window_stats(self._limit, client)
            wait_s = max(1.0, window.reset_time - _wall_clock())
            raise errors.TooManyRequests(
                f"More than {self._limit.amount} requests a minute came from this address.",
                retry_after_s=wait_s,
            )
        if self._inside >= self._capacity:
            raise errors.Busy(
                f"{self._inside} requests are being answered or waiting, which is all that this server takes on.",
                retry_after_s=BUSY_RETRY_AFTER_S,
            )
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    @asynccontextmanager
    async def work(self, deadline: Deadline) -> AsyncIterator[None]:
        """Wait for a place to work in, as long as the deadline allows."""
        try:
            async with asyncio.timeout(deadline.remaining_s()):
                await self._places.acquire()
        except TimeoutError:
            raise errors.Busy(
                f"No place became free within {deadline.budget_s:g} s.",
                retry_after_s=BUSY_RETRY_AFTER_S,
            ) from None
        try:
            yield
        finally:
            self._places.release()


def _wall_clock() -> float:
    import time  # noqa: PLC0415 - the limits library counts on the wall clock; nothing else here may

    return time.time()
