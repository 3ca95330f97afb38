"""Limits on the calls to one service that run at once, and on those that wait."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from gateway.core import errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.sky.http.service import Service

_COME_BACK_S = 2.0
# The number of calls at once is small, so many must be able to wait: a whole batch beside other requests.
_WAITING_PER_CALL = 25


class ConcurrencyLimit:
    """Lets a fixed number of calls to one service run at once.

    Parameters
    ----------
    service : Service
        Service whose ``concurrency`` calls run at once; 25 times as many may wait, more are refused at once.
    """

    def __init__(self, service: Service) -> None:
        self._name = service.name
        self._semaphore = asyncio.Semaphore(service.concurrency)
        self._most_waiting = _WAITING_PER_CALL * service.concurrency
        self._waiting = 0

    @asynccontextmanager
    async def slot(self, ends: float) -> AsyncIterator[None]:
        """Run the body as soon as fewer calls than the limit run.

        Parameters
        ----------
        ends : float
            Time after which waiting makes no sense, on the clock of :func:`time.monotonic`.

        Raises
        ------
        gateway.core.errors.Busy
            Too many calls wait already.
        TimeoutError
            No place became free in time.
        """
        if self._semaphore.locked() and self._waiting >= self._most_waiting:
            detail = f"Too many requests wait for {self._name}."
            raise errors.Busy(detail, retry_after_s=_COME_BACK_S, service=self._name)
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
