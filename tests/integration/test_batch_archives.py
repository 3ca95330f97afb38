"""The public archives are asked no faster than they allow, by a whole fetch together."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import pytest

from batch.fetching.rates import Rates
from gateway.core import errors
from gateway.sky.http.service import Service

SIMBAD = Service("SIMBAD", ("http://127.0.0.1:1",))
NED = Service("NED", ("http://127.0.0.1:1",))


async def took(rates: Rates, service: Service, calls: int) -> float:
    began = time.monotonic()
    await asyncio.gather(*(rates.take(service, began + 60) for _ in range(calls)))
    return time.monotonic() - began


async def test_calls_start_no_faster_than_the_rate() -> None:
    # twelve calls need eleven pauses of a twentieth of a second
    assert await took(Rates({"SIMBAD": 20.0}), SIMBAD, 12) >= 11 / 20


async def test_a_call_that_may_not_start_in_time_is_busy_and_other_services_never_wait() -> None:
    rates = Rates({"SIMBAD": 0.001})
    await rates.take(SIMBAD, time.monotonic() + 60)
    with pytest.raises(errors.Busy, match="SIMBAD allows no more requests for now"):
        await rates.take(SIMBAD, time.monotonic() + 0.05)
    await took(rates, NED, 100)


async def test_patience_asked_for_while_others_wait_holds_them_too() -> None:
    rates = Rates({"SIMBAD": 10.0})
    began = time.monotonic()
    await rates.take(SIMBAD, began + 60)
    waiting = asyncio.create_task(rates.take(SIMBAD, began + 60))
    await asyncio.sleep(0)
    await rates.rest(SIMBAD, 0.5)
    await waiting
    assert time.monotonic() - began >= 0.5


async def test_a_service_that_asks_for_a_year_is_asked_again_after_ten_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SimpleNamespace(now=1000.0)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.now += seconds

    monkeypatch.setattr("batch.fetching.rates.time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr("batch.fetching.rates.asyncio.sleep", sleep)
    rates = Rates({"SIMBAD": 5.0})
    await rates.rest(SIMBAD, 3e7)
    await rates.take(SIMBAD, clock.now + 1e9)
    assert sum(slept) == pytest.approx(600)
