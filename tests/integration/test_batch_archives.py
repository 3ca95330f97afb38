"""One rate for a service, however many workers ask it."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from distributed import LocalCluster

from gateway.core import errors
from gateway.sky.service import Service
from survey.turns import SharedTurns, TurnKeeper

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SIMBAD = Service("SIMBAD", ("http://127.0.0.1:1",))
NED = Service("NED", ("http://127.0.0.1:1",))


@pytest.fixture
async def workers() -> AsyncIterator[list[Any]]:
    """Two workers of one scheduler with its keeper of turns, all in this event loop."""
    async with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0", asynchronous=True
    ) as cluster:
        await cluster.scheduler.register_scheduler_plugin(TurnKeeper(), idempotent=True)
        yield list(cluster.workers.values())


async def took(*shared: SharedTurns, service: Service, each: int) -> float:
    began = time.monotonic()
    await asyncio.gather(*(one.take(service, began + 60) for one in shared for _ in range(each)))
    return time.monotonic() - began


async def test_two_workers_together_keep_the_rate_of_one(workers: list[Any]) -> None:
    shared = [SharedTurns(worker, {"SIMBAD": 20.0}) for worker in workers]
    # twelve turns need eleven pauses of a twentieth of a second
    assert await took(*shared, service=SIMBAD, each=6) >= 11 / 20


async def test_each_service_has_its_own_rate_and_one_without_never_waits(workers: list[Any]) -> None:
    shared = SharedTurns(workers[0], {"SIMBAD": 0.001})
    await shared.take(SIMBAD, time.monotonic() + 60)
    for _ in range(100):
        await shared.take(NED, time.monotonic() + 60)


async def test_no_turn_in_time_is_busy(workers: list[Any]) -> None:
    shared = SharedTurns(workers[0], {"SIMBAD": 0.001})
    await shared.take(SIMBAD, time.monotonic() + 60)
    with pytest.raises(errors.Busy, match="SIMBAD allows no more requests for now"):
        await shared.take(SIMBAD, time.monotonic() + 0.05)


async def test_patience_asked_of_one_worker_is_had_by_all(workers: list[Any]) -> None:
    one, other = (SharedTurns(worker, {"SIMBAD": 1000.0}) for worker in workers)
    await one.rest(SIMBAD, 0.5)
    assert await took(other, service=SIMBAD, each=1) >= 0.45


async def test_patience_asked_for_while_others_wait_holds_them_too() -> None:
    keeper = TurnKeeper()
    await keeper.take("SIMBAD", 10.0)
    began = time.monotonic()
    waiting = asyncio.create_task(keeper.take("SIMBAD", 10.0))
    await asyncio.sleep(0)
    await keeper.rest("SIMBAD", 0.5)
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

    monkeypatch.setattr("survey.turns.time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr("survey.turns.asyncio", SimpleNamespace(sleep=sleep, Lock=asyncio.Lock))
    keeper = TurnKeeper()
    await keeper.rest("SIMBAD", 3e7)
    await keeper.take("SIMBAD", 5.0)
    assert sum(slept) == pytest.approx(600)
