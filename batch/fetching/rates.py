"""How often the public archives may be asked."""

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
"""Calls a second, unless set otherwise; docs/how-to/survey.md says where they come from."""

LONGEST_REST_S = 600.0
"""A service that asks for more patience is asked again after this, once; it may say so again."""


class Rates:
    """Starts calls to each service one after the other, no faster than its rate (a ``ServiceRateLimit`` of the sky).

    Parameters
    ----------
    rates_per_s : mapping
        Name of a service to its rate; one that is missing or 0 has none.
    """

    def __init__(self, rates_per_s: Mapping[str, float]) -> None:
        self._rates = rates_per_s
        self._free_at: defaultdict[str, float] = defaultdict(float)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def take(self, service: Service, ends: float) -> None:
        """Return when the next call may start.

        Raises
        ------
        gateway.core.errors.Busy
            It may not before ``ends``, on the clock of :func:`time.monotonic`.
        """
        rate, began = self._rates.get(service.name, 0.0), time.monotonic()
        if not rate:
            return
        try:
            async with asyncio.timeout(ends - began), self._locks[service.name]:
                while (wait_s := self._free_at[service.name] - time.monotonic()) > 0:  # noqa: ASYNC110 - a rest moves it
                    await asyncio.sleep(wait_s)
                self._free_at[service.name] = time.monotonic() + 1 / rate
        except TimeoutError:
            raise rate_exceeded(service, time.monotonic() - began) from None

    async def rest(self, service: Service, seconds: float) -> None:
        """Leave a service alone for so long, as it asked."""
        rests_until = time.monotonic() + min(seconds, LONGEST_REST_S)
        self._free_at[service.name] = max(self._free_at[service.name], rests_until)
