"""Rates at which the public archives may be called."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from typing import TYPE_CHECKING

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
"""Default rates, calls per second; docs/how-to/survey.md gives their sources."""

LONGEST_REST_S = 600.0
"""Longest rest that a service may request, seconds; it may request another one after that."""


class Rates:
    """Starts calls to each service one by one, no faster than its rate (implements the sky's ``ServiceRateLimit``).

    Parameters
    ----------
    rates_per_s : mapping
        Rate by name of a service; a service without a rate, or with 0, is not limited.
    """

    def __init__(self, rates_per_s: Mapping[str, float]) -> None:
        self._rates = rates_per_s
        self._free_at: defaultdict[str, float] = defaultdict(float)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def take(self, service: Service, ends: float) -> None:
        """Wait until the next call may start.

        Raises
        ------
        gateway.core.errors.Busy
            The next call may not start before ``ends``, on the clock of :func:`time.monotonic`.
        """
        rate, began = self._rates.get(service.name, 0.0), time.monotonic()
        if not rate:
            return
        try:
            async with asyncio.timeout(ends - began), self._locks[service.name]:
                while (wait_s := self._free_at[service.name] - time.monotonic()) > 0:  # noqa: ASYNC110 - rest() may prolong the wait
                    await asyncio.sleep(wait_s)
                self._free_at[service.name] = time.monotonic() + 1 / rate
        except TimeoutError:
            raise rate_exceeded(service, time.monotonic() - began) from None

    async def rest(self, service: Service, seconds: float) -> None:
        """Start no call to a service for ``seconds``, as it requested."""
        rests_until = time.monotonic() + min(seconds, LONGEST_REST_S)
        self._free_at[service.name] = max(self._free_at[service.name], rests_until)
