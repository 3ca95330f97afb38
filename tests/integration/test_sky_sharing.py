"""How calls share the way to a service: identical ones, concurrency, rates, proxies, and the end."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from gateway.core import errors
from gateway.core.models import Deadline
from gateway.sky.http.client import HttpClient
from gateway.sky.http.retry_policy import RetryPolicy
from tests.support.sky_client import Client, Counter, parse, service, soon

if TYPE_CHECKING:
    from gateway.sky.http.service import Service


async def test_identical_calls_in_flight_are_one_call(client: Client, one: Counter) -> None:
    one.delay_s = 0.2
    answers = await asyncio.gather(*(client.get(service(one), "?same", parse, deadline=soon()) for _ in range(50)))
    assert set(answers) == {"answer 1"}
    assert len(one.requests) == 1
    assert client.outcomes.count("joined") == 49


async def test_trouble_is_shared_by_identical_calls_too(client: Client, one: Counter) -> None:
    one.fault = "html"
    one.delay_s = 0.1
    calls = (client.get(service(one), "?same", parse, deadline=soon()) for _ in range(10))
    told = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(error, errors.UpstreamBroken) for error in told)
    assert len(one.requests) == 1


async def test_an_impatient_caller_leaves_and_the_patient_one_is_answered(client: Client, one: Counter) -> None:
    one.delay_s = 0.5
    impatient = client.get(service(one), "?same", parse, deadline=Deadline.after(0.1))
    patient = client.get(service(one), "?same", parse, deadline=soon())
    first, second = await asyncio.gather(impatient, patient, return_exceptions=True)
    assert isinstance(first, errors.DeadlineExceeded)
    assert str(second).startswith("answer")


async def test_a_call_that_nobody_waits_for_is_given_up(client: Client, one: Counter) -> None:
    one.delay_s = 30
    task = asyncio.ensure_future(client.get(service(one), "", parse, deadline=Deadline.after(60)))
    assert await asyncio.to_thread(one.arrived.wait, 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert client.outcomes[-1:] in ([], ["abandoned"])
    assert client.health()["Fake"][one.url + "/api"] == "closed"


async def test_a_concurrency_limit_bounds_the_calls_under_way(client: Client, one: Counter) -> None:
    one.delay_s = 0.05
    few = service(one, concurrency=4)
    await asyncio.gather(*(client.get(few, f"?{n}", parse, deadline=soon()) for n in range(20)))
    assert len(one.requests) == 20
    assert one.most_at_once == 4


async def test_too_many_waiting_are_turned_away_at_once(client: Client, one: Counter) -> None:
    one.delay_s = 0.02
    narrow = service(one, concurrency=1)
    calls = (client.get(narrow, f"?{n}", parse, deadline=Deadline.after(60)) for n in range(29))
    told = await asyncio.gather(*calls, return_exceptions=True)
    busy = [error for error in told if isinstance(error, errors.Busy)]
    assert len(busy) == 3
    assert all(error.extra["service"] == "Fake" and error.retry_after_s for error in busy)


async def test_a_service_s_own_rate_is_kept(client: Client, one: Counter) -> None:
    paced = service(one, rate_per_s=20.0)
    began = time.monotonic()
    await asyncio.gather(*(client.get(paced, f"?{n}", parse, deadline=soon()) for n in range(11)))
    assert time.monotonic() - began >= 0.5


async def test_no_turn_before_the_deadline_is_busy_at_once(client: Client, one: Counter) -> None:
    slow = service(one, rate_per_s=0.1)
    await client.get(slow, "?1", parse, deadline=soon())
    with pytest.raises(errors.Busy, match="allows no more"):
        await client.get(slow, "?2", parse, deadline=Deadline.after(2))


async def test_closing_gives_up_what_is_under_way(one: Counter) -> None:
    client = Client(RetryPolicy())
    one.delay_s = 30
    task = asyncio.ensure_future(client.get(service(one), "", parse, deadline=Deadline.after(60)))
    assert await asyncio.to_thread(one.arrived.wait, 5)
    await client.aclose()
    with pytest.raises(asyncio.CancelledError):
        await task


class RememberingLimit:
    """A rate limit that remembers who called and who asked for rest."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.rested: list[tuple[str, float]] = []

    async def take(self, service: Service, _ends: float) -> None:
        self.taken.append(service.name)

    async def rest(self, service: Service, seconds: float) -> None:
        self.rested.append((service.name, seconds))


async def test_a_rate_limit_of_many_processes_is_asked_before_every_call_and_told_of_rests(one: Counter) -> None:
    limit = RememberingLimit()
    client = HttpClient(RetryPolicy(backoff_s=0.01), rate_limit=limit)
    one.retry_after, one.faults_next = "0", ["rate_limited"]
    await client.get(service(one), "?a", parse, deadline=soon())
    assert limit.taken == ["Fake", "Fake"]
    assert limit.rested == [("Fake", 0.0)]
    await client.aclose()
