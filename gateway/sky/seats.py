"""Bounded concurrency per service, and its turns; what waits spends its deadline."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from gateway.core import errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.sky.service import Service
    from gateway.sky.turns import Turns

_COME_BACK_S = 2.0


class Seats:
    """The seats of one service: how many calls are under way, how many may wait, how often one may start.

    Parameters
    ----------
    service : Service
    waiting_per_seat : int
        Calls that may wait for each seat.
    turns : Turns
        Says when a seated call may start.
    """

    def __init__(self, service: Service, *, waiting_per_seat: int, turns: Turns) -> None:
        self._service = service
        self._turns = turns
        self._semaphore = asyncio.Semaphore(service.seats)
        self._room = service.seats * waiting_per_seat
        self._waiting = 0

    @asynccontextmanager
    async def taken(self, ends: float) -> AsyncIterator[None]:
        """Hold a seat, once one is free.

        Parameters
        ----------
        ends : float
            When waiting makes no sense any more, on the clock of :func:`time.monotonic`.

        Raises
        ------
        gateway.core.errors.Busy
            Too many wait already, or the service's rate leaves no turn in time.
        TimeoutError
            No seat became free in time.
        """
        name = self._service.name
        if self._semaphore.locked() and self._waiting >= self._room:
            raise errors.Busy(f"Too many requests wait for {name}.", retry_after_s=_COME_BACK_S, service=name)
        self._waiting += 1
        try:
            async with asyncio.timeout(ends - time.monotonic()):
                await self._semaphore.acquire()
        finally:
            self._waiting -= 1
        try:
            await self._turns.take(self._service, ends)
            yield
        finally:
            self._semaphore.release()
