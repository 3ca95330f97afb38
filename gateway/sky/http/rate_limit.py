"""Rate limits that the services request: when a call may start."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

from gateway.core import errors

if TYPE_CHECKING:
    from gateway.sky.http.service import Service


class ServiceRateLimit(Protocol):
    """Keeps services' rates, for one process or for several that share them."""

    async def take(self, service: Service, ends: float) -> None:
        """Wait until the next call to ``service`` may start.

        Parameters
        ----------
        service : Service
        ends : float
            Time after which a start makes no sense, on the clock of :func:`time.monotonic`.

        Raises
        ------
        gateway.core.errors.Busy
            The rate allows no call in time.
        """

    async def rest(self, service: Service, seconds: float) -> None:
        """Record that ``service`` requested no calls for ``seconds``."""


class LocalRateLimit:
    """Keeps the rates of one process's calls.

    Its :meth:`rest` does nothing, because a mirror's own circuit breaker keeps the rest.
    """

    def __init__(self) -> None:
        self._next_start: dict[str, float] = {}

    async def take(self, service: Service, ends: float) -> None:
        """Wait until the next call may start; a service without a rate never waits."""
        if not service.rate_per_s:
            return
        now = time.monotonic()
        start = max(now, self._next_start.get(service.name, 0.0))
        if start >= ends:
            raise rate_exceeded(service, start - now)
        self._next_start[service.name] = start + 1 / service.rate_per_s
        await asyncio.sleep(start - now)

    async def rest(self, service: Service, seconds: float) -> None:
        """Do nothing."""


def rate_exceeded(service: Service, wait_s: float) -> errors.Busy:
    """Return the error for a service whose rate allows no further call for ``wait_s`` seconds."""
    return errors.Busy(f"{service.name} allows no more requests for now.", retry_after_s=wait_s, service=service.name)
