"""A bound on the calls to one service that run at once, and on those that wait."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from gateway.core import errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_COME_BACK_S = 2.0


class ConcurrencyLimit:
    """Lets a fixed number of calls to one service run at once.

    Parameters
    ----------
    service : str
        Its name, for errors.
    running : int
        Calls that may run at once.
    waiting : int
        Calls that may wait; more are refused at once.
    """

    def __init__(self, service: str, *, running: int, waiting: int) -> None:
        self._service = service
        self._semaphore = asyncio.Semaphore(running)
        self._most_waiting = waiting
        self._waiting = 0

    @asynccontextmanager
    async def slot(self, ends: float) -> AsyncIterator[None]:
        """Run the body once fewer than the limit run.

        Parameters
        ----------
        ends : float
            When waiting makes no sense any more, on the clock of :func:`time.monotonic`.

        Raises
        ------
        gateway.core.errors.Busy
            Too many wait already.
        TimeoutError
            It did not become possible in time.
        """
        name = self._service
        if self._semaphore.locked() and self._waiting >= self._most_waiting:
            raise errors.Busy(f"Too many requests wait for {name}.", retry_after_s=_COME_BACK_S, service=name)
        self._waiting += 1
        try:
            async with asyncio.timeout(ends - time.monotonic()):
                await self._semaphore.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._semaphore.release()
