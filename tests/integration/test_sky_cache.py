"""What the client keeps of the answers it got, and when it asks again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.core import errors
from gateway.core.models import Deadline
from gateway.sky.http.cache import DiskCache
from gateway.sky.http.retry_policy import RetryPolicy
from gateway.sky.http.service import NonsenseError, Reply
from tests.support.sky_client import Client, Counter, parse, service, soon

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.sky_http import Fault


async def with_cache(folder: Path) -> Client:
    return Client(RetryPolicy(backoff_s=0.02), DiskCache(folder, max_bytes=1_000_000))


async def test_a_kept_answer_needs_no_call(tmp_path: Path, one: Counter) -> None:
    for _ in range(2):
        client = await with_cache(tmp_path)
        assert await client.get(service(one), "?q", parse, deadline=soon()) == "answer 1"
        await client.aclose()
    assert len(one.requests) == 1
    assert client.outcomes == ["cached"]


async def test_a_kept_answer_is_the_same_from_every_mirror(tmp_path: Path, one: Counter, other: Counter) -> None:
    client = await with_cache(tmp_path)
    await client.get(service(one), "?q", parse, deadline=soon())
    assert await client.get(service(other), "?q", parse, deadline=soon()) == "answer 1"
    await client.aclose()
    assert other.requests == []


async def test_an_answer_past_its_lifetime_is_asked_for_again(tmp_path: Path, one: Counter) -> None:
    client = await with_cache(tmp_path)
    assert await client.get(service(one, lifetime_s=0.0), "?q", parse, deadline=soon()) == "answer 1"
    assert await client.get(service(one, lifetime_s=0.0), "?q", parse, deadline=soon()) == "answer 2"
    await client.aclose()


@pytest.mark.parametrize("fault", ["500", "html", "truncated", "down"])
async def test_an_old_answer_is_better_than_none(tmp_path: Path, one: Counter, fault: Fault) -> None:
    client = await with_cache(tmp_path)
    await client.get(service(one, lifetime_s=0.0), "?q", parse, deadline=soon())
    if str(fault) == "down":
        one.down()
    else:
        one.fault = fault
    assert await client.get(service(one, lifetime_s=0.0), "?q", parse, deadline=soon()) == "answer 1"
    assert client.outcomes[-1] == "stale"
    await client.aclose()


async def test_an_old_answer_comes_before_the_deadline_of_a_service_that_hangs(tmp_path: Path, one: Counter) -> None:
    client = await with_cache(tmp_path)
    await client.get(service(one, lifetime_s=0.0), "?q", parse, deadline=soon())
    one.delay_s = 10
    assert await client.get(service(one, lifetime_s=0.0), "?q", parse, deadline=Deadline.after(1)) == "answer 1"
    await client.aclose()


async def test_nonsense_is_never_kept_and_unknown_is(tmp_path: Path, one: Counter) -> None:
    client = await with_cache(tmp_path)
    one.faults_next = ["html"]
    with pytest.raises(errors.UpstreamBroken):
        await client.get(service(one), "?q", parse, deadline=soon())
    assert await client.get(service(one), "?q", parse, deadline=soon()) == "answer 2"
    for _ in range(2):
        with pytest.raises(errors.UnknownTarget):
            await client.get(service(one), "?unknown=1", parse, deadline=soon())
    assert len(one.requests) == 3
    await client.aclose()


async def test_an_old_answer_that_is_no_longer_understood_hides_no_trouble(tmp_path: Path, one: Counter) -> None:
    client = await with_cache(tmp_path)
    await client.get(service(one, lifetime_s=0.0), "?q", lambda _reply: "anything", deadline=soon())
    one.fault = "500"

    def strict(reply: Reply) -> str:
        raise NonsenseError(f"with {reply.text}")

    with pytest.raises(errors.UpstreamUnavailable):
        await client.get(service(one, lifetime_s=0.0), "?q", strict, deadline=soon())
    await client.aclose()


async def test_a_kept_answer_that_is_no_longer_understood_is_asked_for_again(tmp_path: Path, one: Counter) -> None:
    client = await with_cache(tmp_path)
    await client.get(service(one), "?q", lambda _reply: "anything", deadline=soon())

    def strict(reply: Reply) -> str:
        if b"answer 1" in reply.content:
            raise NonsenseError("with an old form")
        return parse(reply)

    assert await client.get(service(one), "?q", strict, deadline=soon()) == "answer 2"
    await client.aclose()
