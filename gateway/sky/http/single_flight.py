"""Single flight: identical calls in flight share one request."""

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
"""Tolerance for an event loop that counts whole milliseconds and wakes a little early, seconds."""


@dataclass(slots=True)
class _SharedCall:
    task: asyncio.Task[Any]
    waiting: int = 0


class SingleFlight:
    """Shares calls of the same name among their callers. A call is cancelled when no caller waits for it any more."""

    def __init__(self) -> None:
        self._calls: dict[str, _SharedCall] = {}

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
            Name of the call; calls of one name are interchangeable.
        start : callable
            Returns the coroutine of a new call, which keeps to ``deadline`` by itself.
        deadline : Deadline
            Deadline of this caller.
        joined : callable
            Called when a call in flight is shared.

        Raises
        ------
        TimeoutError
            The deadline passed.
        Exception
            Any error that the call raised.
        """
        while True:
            call = self._calls.get(name)
            if call is None:
                call = self._calls[name] = _SharedCall(asyncio.ensure_future(start()))
            else:
                joined()
            call.waiting += 1
            try:
                async with asyncio.timeout(deadline.at - time.monotonic()):
                    result: T = await asyncio.shield(call.task)
                    return result
            except errors.DeadlineExceeded:
                if time.monotonic() + _CLOCK_STEP_S >= deadline.at:
                    raise TimeoutError from None
                # The shared call ended by its own, earlier deadline: start a new one.
            finally:
                call.waiting -= 1
                if not call.waiting and not call.task.done():
                    call.task.cancel()
                if (not call.waiting or call.task.done()) and self._calls.get(name) is call:
                    del self._calls[name]

    async def aclose(self) -> None:
        """Cancel every call in flight."""
        tasks = [call.task for call in self._calls.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
