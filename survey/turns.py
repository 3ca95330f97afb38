"""One rate for each public service, however many workers ask it: the scheduler gives out the turns.

A worker asks the scheduler before every call to a service that has a rate, and calls when the scheduler has answered.
Answers are given in the order of asking, one every ``1 / rate`` seconds; nothing is given in advance, so that a service
that asks for patience (``Retry-After``, whichever worker it told) is left alone by all workers from that moment.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from distributed import SchedulerPlugin

from gateway.sky.http.rate_limit import rate_exceeded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.sky.http.service import Service

RATES_PER_S: Mapping[str, float] = {
    "Sesame": 5.0,
    "SIMBAD": 5.0,
    "VizieR": 5.0,
    "NED": 1.0,
    "HyperLEDA": 1.0,
    "SkyServer": 1.0,
    "hips2fits": 2.0,
}
"""Calls a second of all workers together, unless set otherwise; docs/survey.md says where they come from."""

LONGEST_REST_S = 600.0
"""A service that asks for more patience is asked again after this, once; it may say so again."""

_TAKE, _REST = "inclinet_take_turn", "inclinet_let_rest"


@dataclass(slots=True)
class _Queue:
    free_at: float = 0.0
    order: asyncio.Lock = field(default_factory=asyncio.Lock)


class TurnKeeper(SchedulerPlugin):
    """Lives in the scheduler and gives out turns; all surveys of a cluster share it."""

    name = "inclinet-turns"
    idempotent = True

    def __init__(self) -> None:
        self._queues: dict[str, _Queue] = {}

    async def start(self, scheduler: Any) -> None:
        """Open the two calls that workers make."""
        scheduler.handlers[_TAKE] = self.take
        scheduler.handlers[_REST] = self.rest

    async def take(self, service: str, rate_per_s: float) -> None:
        """Return when the next call to ``service`` may start."""
        queue = self._queues.setdefault(service, _Queue())
        async with queue.order:
            while (wait_s := queue.free_at - time.monotonic()) > 0:  # noqa: ASYNC110 - a rest may move it meanwhile
                await asyncio.sleep(wait_s)
            queue.free_at = time.monotonic() + 1 / rate_per_s

    async def rest(self, service: str, seconds: float) -> None:
        """Give no turn of ``service`` for that long."""
        queue = self._queues.setdefault(service, _Queue())
        queue.free_at = max(queue.free_at, time.monotonic() + min(seconds, LONGEST_REST_S))


class SharedTurns:
    """The turns of one worker, taken from the keeper (:class:`gateway.sky.http.rate_limit.ServiceRateLimit`).

    Parameters
    ----------
    worker : distributed.Worker
        Its connection to the scheduler is used, on its own event loop.
    rates_per_s : mapping
        Name of a service to its rate; one that is missing or 0 has none.
    """

    def __init__(self, worker: Any, rates_per_s: Mapping[str, float]) -> None:
        self._worker = worker
        self._rates = rates_per_s
        # one question of each service under way, or the rows of a worker would open a connection each
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def take(self, service: Service, ends: float) -> None:
        """Return when it is this worker's turn.

        Raises
        ------
        gateway.core.errors.Busy
            It was not before ``ends``.
        """
        rate = self._rates.get(service.name, 0.0)
        if not rate:
            return
        began = time.monotonic()
        try:
            async with asyncio.timeout(ends - began), self._asking[service.name]:
                await self._ask(_TAKE, service=service.name, rate_per_s=rate)
        except TimeoutError:
            raise rate_exceeded(service, time.monotonic() - began) from None

    async def rest(self, service: Service, seconds: float) -> None:
        """Tell the keeper that ``service`` asked to be left alone."""
        await self._ask(_REST, service=service.name, seconds=seconds)

    async def _ask(self, call: str, **arguments: Any) -> None:
        asked = getattr(self._worker.scheduler, call)(**arguments)
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asked, self._worker.loop.asyncio_loop))
