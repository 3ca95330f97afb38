"""Admission: limits the work that the gateway accepts, and refuses the rest at once instead of failing late."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from gateway.core import errors
from gateway.telemetry import tracing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from gateway.core.models import Deadline

BUSY_RETRY_AFTER_S = 2.0


class ClientRateLimit:
    """Limits the requests of each client in any 60 s, counted in this process.

    Parameters
    ----------
    per_minute : int
        Requests that one client may make in any 60 s.
    """

    def __init__(self, per_minute: int) -> None:
        # the import takes 0.1 s, so only a gateway with a limit does it
        from limits import RateLimitItemPerMinute
        from limits.aio.storage import MemoryStorage
        from limits.aio.strategies import MovingWindowRateLimiter

        self._limit = RateLimitItemPerMinute(per_minute)
        self._clients = MovingWindowRateLimiter(MemoryStorage())

    async def hit(self, client: str) -> None:
        """Count a request of ``client``; raises :class:`~gateway.core.errors.TooManyRequests` above the limit."""
        if await self._clients.hit(self._limit, client):
            return
        window = await self._clients.get_window_stats(self._limit, client)
        raise errors.TooManyRequests(
            f"More than {self._limit.amount} requests a minute came from this client.",
            # the limits library counts on the wall clock
            retry_after_s=max(1.0, window.reset_time - time.time()),
        )


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
    observe : callable
        Called with ``("queue", seconds)`` after every wait for a place.
    """

    def __init__(
        self,
        *,
        concurrency: int,
        queue: int,
        rate_limit_per_minute: int = 0,
        observe: Callable[[str, float], None] = lambda _stage, _seconds: None,
    ) -> None:
        self.capacity = concurrency + queue
        self._inside = self._working = self._waiting = 0
        self._observe = observe
        self._places = asyncio.Semaphore(concurrency)
        self._rate = ClientRateLimit(rate_limit_per_minute) if rate_limit_per_minute else None

    @property
    def inside(self) -> int:
        """Number of requests admitted and not yet answered."""
        return self._inside

    @property
    def working(self) -> int:
        """Number of admitted requests that have a place."""
        return self._working

    @property
    def waiting(self) -> int:
        """Number of admitted requests that wait for a place; the others are arriving, or are a batch."""
        return self._waiting

    @asynccontextmanager
    async def admit(self, client: str) -> AsyncIterator[None]:
        """Count a request as admitted within a ``with`` block; enter it before the body is read.

        Raises
        ------
        errors.TooManyRequests
            ``client`` is over its rate.
        errors.Busy
            Concurrency and queue are used up.
        """
        if self._rate is not None:
            await self._rate.hit(client)
        if self._inside >= self.capacity:
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
        started = time.monotonic()
        self._waiting += 1
        try:
            with tracing.span("queue"):
                async with asyncio.timeout(deadline.remaining_s()):
                    await self._places.acquire()
        except TimeoutError:
            raise errors.Busy(
                f"No place became free within {deadline.budget_s:g} s.",
                retry_after_s=BUSY_RETRY_AFTER_S,
            ) from None
        finally:
            self._waiting -= 1
            self._observe("queue", time.monotonic() - started)
        self._working += 1
        try:
            yield
        finally:
            self._working -= 1
            self._places.release()
