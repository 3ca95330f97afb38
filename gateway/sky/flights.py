"""Identical calls in flight are one call."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from gateway.core import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from gateway.core.models import Deadline

T = TypeVar("T")

_CLOCK_STEP_S = 0.005
"""An event loop may count whole milliseconds and so wake a little early."""


@dataclass(slots=True)
class _Flight:
    task: asyncio.Task[Any]
    waiting: int = 0


class Flights:
    """The calls in flight, by name. A call ends early when nobody waits for it any more."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight] = {}

    async def share(
        self,
        name: str,
        start: Callable[[], Coroutine[Any, Any, T]],
        *,
        deadline: Deadline,
        joined: Callable[[], None],
    ) -> T:
        """Return the result of the call ``name``, started by ``start`` unless it is in flight already.

        Parameters
        ----------
        name : str
            Calls of one name are interchangeable.
        start : callable
            Makes the coroutine of a new call, which spends ``deadline`` by itself.
        deadline : Deadline
            Of this caller.
        joined : callable
            Called when a call in flight is shared.

        Raises
        ------
        TimeoutError
            The deadline passed.
        Exception
            Whatever the call raised.
        """
        while True:
            flight = self._flights.get(name)
            if flight is None:
                flight = self._flights[name] = _Flight(asyncio.ensure_future(start()))
            else:
                joined()
            flight.waiting += 1
            try:
                async with asyncio.timeout(deadline.at - time.monotonic()):
                    result: T = await asyncio.shield(flight.task)
                    return result
            except errors.DeadlineExceeded:
                if time.monotonic() + _CLOCK_STEP_S >= deadline.at:
                    raise TimeoutError from None
                # The call joined here ran out of its own, shorter time: start anew.
            finally:
                flight.waiting -= 1
                if not flight.waiting and not flight.task.done():
                    flight.task.cancel()
                if (not flight.waiting or flight.task.done()) and self._flights.get(name) is flight:
                    del self._flights[name]

    async def abandon(self) -> None:
        """Cancel every call in flight."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
