"""How the one client treats a service, and what becomes of its bad manners, over real HTTP."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from gateway.core import errors
from gateway.core.models import Deadline
from gateway.sky.http.retry_policy import RetryPolicy
from tests.support.sky_client import Client, Counter, parse, service, soon

if TYPE_CHECKING:
    from tests.support.sky_http import Fault


async def test_a_good_answer_takes_one_call_and_says_who_asks(client: Client, one: Counter) -> None:
    assert await client.get(service(one), "?q=a%20b", parse, deadline=soon()) == "answer 1"
    (request,) = one.requests
    assert (request.path, request.query) == ("/api", {"q": "a b"})
    assert request.headers["user-agent"] == "inclinet/0 (+mailto:a@b.c)"
    assert client.events == [("Fake", "ok")]


@pytest.mark.parametrize("fault", ["500", "503", "rate_limited", "hang_up"])
async def test_passing_trouble_is_tried_again(client: Client, one: Counter, fault: Fault) -> None:
    one.faults_next = [fault]
    assert await client.get(service(one), "", parse, deadline=soon()) == "answer 2"


@pytest.mark.parametrize("fault", ["500", "503", "rate_limited", "hang_up"])
async def test_lasting_trouble_is_tried_three_times_and_told_as_503(client: Client, one: Counter, fault: Fault) -> None:
    one.fault = fault
    with pytest.raises(errors.UpstreamUnavailable, match=r"^Fake ") as told:
        await client.get(service(one), "", parse, deadline=soon())
    assert len(one.requests) == 3
    assert told.value.extra["service"] == "Fake"
    assert told.value.retry_after_s


@pytest.mark.parametrize("fault", ["html", "wrong_type", "truncated", "redirect_loop"])
async def test_nonsense_is_not_asked_for_again_and_told_as_502(client: Client, one: Counter, fault: Fault) -> None:
    one.fault = fault
    with pytest.raises(errors.UpstreamBroken, match=r"^Fake ") as told:
        await client.get(service(one), "", parse, deadline=soon())
    assert told.value.extra["service"] == "Fake"
    assert len(one.requests) == (5 if fault == "redirect_loop" else 1)


async def test_another_status_is_not_asked_for_again(client: Client, one: Counter) -> None:
    with pytest.raises(errors.UpstreamBroken, match="status 418"):
        await client.get(service(one), "?teapot=1", parse, deadline=soon())
    assert len(one.requests) == 1


async def test_a_redirect_is_followed(client: Client, one: Counter) -> None:
    one.fault = "redirect"
    assert await client.get(service(one), "?q=1", parse, deadline=soon()) == "answer 2"
    assert one.requests[1].query == {"q": "1"}


async def test_an_answer_without_end_is_cut_off(client: Client, one: Counter) -> None:
    with pytest.raises(errors.UpstreamBroken, match="too many bytes"):
        await client.get(service(one, max_bytes=1000), "", parse, deadline=soon())


async def test_nobody_listening_is_tried_again_and_told_as_503(client: Client, one: Counter) -> None:
    one.down()
    with pytest.raises(errors.UpstreamUnavailable, match="could not be reached"):
        await client.get(service(one), "", parse, deadline=soon())
    assert client.outcomes == ["unreachable"] * 3
    one.up()
    assert await client.get(service(one), "", parse, deadline=soon()) == "answer 1"


@pytest.mark.parametrize("fault", ["500", "html", "truncated", "rate_limited", "hang_up", "redirect_loop"])
async def test_the_next_mirror_is_asked_at_once(one: Counter, other: Counter, fault: Fault) -> None:
    # a pause of any kind would outlast the deadline
    client = Client(RetryPolicy(backoff_s=3600))
    one.fault = fault
    one.retry_after = "3600"
    assert await client.get(service(one, other), "", parse, deadline=soon()) == "answer 1"
    assert len(other.requests) == 1
    await client.aclose()


async def test_a_mirror_that_is_down_is_passed_over(client: Client, one: Counter, other: Counter) -> None:
    one.down()
    assert await client.get(service(one, other), "", parse, deadline=soon()) == "answer 1"


async def test_a_slow_mirror_gives_way_within_the_deadline(client: Client, one: Counter, other: Counter) -> None:
    one.delay_s = 600
    assert await client.get(service(one, other, timeout_s=0.3), "", parse, deadline=soon()) == "answer 1"
    assert client.outcomes == ["timeout", "ok"]


async def test_retry_after_is_waited_for_when_the_deadline_allows(client: Client, one: Counter) -> None:
    one.faults_next, one.retry_after = ["rate_limited"], "1"
    began = time.monotonic()
    assert await client.get(service(one), "", parse, deadline=soon()) == "answer 2"
    assert time.monotonic() - began >= 1


async def test_retry_after_beyond_the_deadline_is_passed_on_at_once(client: Client, one: Counter) -> None:
    one.fault, one.retry_after = "rate_limited", "3600"
    deadline = soon()
    with pytest.raises(errors.UpstreamUnavailable, match="asks for patience") as told:
        await client.get(service(one), "", parse, deadline=deadline)
    # nothing was waited for: the deadline has not passed
    assert deadline.remaining_s() > 0
    assert told.value.retry_after_s == pytest.approx(3600, abs=30)
    with pytest.raises(errors.UpstreamUnavailable):
        await client.get(service(one), "?another", parse, deadline=soon())
    assert len(one.requests) == 1


async def test_the_deadline_ends_every_step_and_is_told_as_504(client: Client, one: Counter) -> None:
    # longer than a test may take
    one.delay_s = 3600
    with pytest.raises(errors.DeadlineExceeded, match="Fake did not answer in time") as told:
        await client.get(service(one), "", parse, deadline=Deadline.after(0.3))
    assert told.value.extra["service"] == "Fake"


async def test_a_deadline_that_has_passed_asks_nobody(client: Client, one: Counter) -> None:
    with pytest.raises(errors.DeadlineExceeded):
        await client.get(service(one), "", parse, deadline=Deadline(time.monotonic() - 1))
    assert one.requests == []


async def test_retries_never_outlast_the_deadline(one: Counter) -> None:
    client = Client(RetryPolicy(backoff_s=3600))
    one.fault = "500"
    deadline = soon()
    with pytest.raises(errors.UpstreamUnavailable, match="status 500"):
        await client.get(service(one), "", parse, deadline=deadline)
    assert deadline.remaining_s() > 0
    assert len(one.requests) == 1
    await client.aclose()


async def test_a_failing_mirror_is_left_alone_then_probed_once_and_trusted_again(client: Client, one: Counter) -> None:
    one.fault = "500"
    for number in range(2):
        with pytest.raises(errors.UpstreamUnavailable):
            await client.get(service(one), f"?{number}", parse, deadline=soon())
    assert client.health() == {"Fake": {one.url + "/api": "open"}}
    asked = len(one.requests)
    assert asked == 5
    with pytest.raises(errors.UpstreamUnavailable, match="left alone") as told:
        await client.get(service(one), "?x", parse, deadline=soon())
    assert 0 < (told.value.retry_after_s or 0) <= 0.3
    assert len(one.requests) == asked
    one.fault = None
    await asyncio.sleep(told.value.retry_after_s or 0)
    assert client.health()["Fake"][one.url + "/api"] == "half-open"
    await client.get(service(one), "?y", parse, deadline=soon())
    assert client.health()["Fake"][one.url + "/api"] == "closed"
