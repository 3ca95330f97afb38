"""How the one client treats services, and what becomes of their bad manners, over real HTTP."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from gateway import errors
from gateway.domain import Deadline
from gateway.sky.cache import DiskCache
from gateway.sky.pool import routes
from gateway.sky.service import Manners, NonsenseError, Reply, Service
from gateway.sky.upstream import Upstream
from tests.support.sky_http import Answer, FakeService, Fault, Seen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


class Counter(FakeService):
    """Answers with the number of requests it has seen."""

    def answer(self, request: Seen) -> Answer:
        if "teapot" in request.query:
            return Answer(b"no", "text/plain", 418, "Teapot")
        if "unknown" in request.query:
            return Answer(b"unknown", "text/plain")
        if request.headers.get("if-none-match") == '"tag"':
            return Answer(b"", "text/plain", 304, "Not Modified", {"ETag": '"tag"'})
        return Answer(f"answer {len(self.requests)}".encode() + b" " * 2000, "text/plain")


def parse(reply: Reply) -> str:
    if reply.content == b"unknown":
        raise errors.UnknownTarget("Nothing of that name.")
    if not reply.text.startswith("answer"):
        raise NonsenseError("with something odd")
    return reply.text.strip()


@pytest.fixture
def one() -> Iterator[Counter]:
    with Counter() as fake:
        yield fake


@pytest.fixture
def other() -> Iterator[Counter]:
    with Counter() as fake:
        yield fake


Event = tuple[str, str]


class Client(Upstream):
    """A client that remembers what it told of itself."""

    def __init__(self, manners: Manners, cache: DiskCache | None = None) -> None:
        self.events: list[Event] = []
        super().__init__(manners, cache=cache, observe=lambda name, outcome, _: self.events.append((name, outcome)))

    @property
    def outcomes(self) -> list[str]:
        return [outcome for _, outcome in self.events]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client(Manners(contact="mailto:a@b.c", backoff_s=0.02, circuit_rest_s=0.3))
    yield client
    await client.aclose()


def service(*fakes: FakeService, **changes: object) -> Service:
    return Service("Fake", tuple(fake.url + "/api" for fake in fakes), **{"timeout_s": 5.0, **changes})  # type: ignore[arg-type]


def soon() -> Deadline:
    return Deadline.after(5)


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
async def test_the_next_mirror_is_asked_at_once(client: Client, one: Counter, other: Counter, fault: Fault) -> None:
    one.fault = fault
    one.retry_after = "60"
    began = time.monotonic()
    assert await client.get(service(one, other), "", parse, deadline=soon()) == "answer 1"
    assert time.monotonic() - began < 1
    assert len(other.requests) == 1


async def test_a_mirror_that_is_down_is_passed_over(client: Client, one: Counter, other: Counter) -> None:
    one.down()
    assert await client.get(service(one, other), "", parse, deadline=soon()) == "answer 1"


async def test_a_slow_mirror_gives_way_within_the_deadline(client: Client, one: Counter, other: Counter) -> None:
    one.delay_s = 3
    began = time.monotonic()
    assert await client.get(service(one, other, timeout_s=0.3), "", parse, deadline=soon()) == "answer 1"
    assert time.monotonic() - began < 2
    assert client.outcomes == ["timeout", "ok"]


async def test_retry_after_is_waited_for_when_the_deadline_allows(client: Client, one: Counter) -> None:
    one.faults_next, one.retry_after = ["rate_limited"], "1"
    began = time.monotonic()
    assert await client.get(service(one), "", parse, deadline=soon()) == "answer 2"
    assert time.monotonic() - began >= 1


async def test_retry_after_beyond_the_deadline_is_passed_on_at_once(client: Client, one: Counter) -> None:
    one.fault, one.retry_after = "rate_limited", "60"
    began = time.monotonic()
    with pytest.raises(errors.UpstreamUnavailable, match="asks for patience") as told:
        await client.get(service(one), "", parse, deadline=soon())
    assert time.monotonic() - began < 1
    assert told.value.retry_after_s == pytest.approx(60, abs=2)
    with pytest.raises(errors.UpstreamUnavailable):
        await client.get(service(one), "?another", parse, deadline=soon())
    assert len(one.requests) == 1


async def test_the_deadline_ends_every_step_and_is_told_as_504(client: Client, one: Counter) -> None:
    one.delay_s = 5
    began = time.monotonic()
    with pytest.raises(errors.DeadlineExceeded, match="Fake did not answer in time") as told:
        await client.get(service(one), "", parse, deadline=Deadline.after(0.3))
    assert time.monotonic() - began < 1
    assert told.value.extra["service"] == "Fake"


async def test_a_deadline_that_has_passed_asks_nobody(client: Client, one: Counter) -> None:
    with pytest.raises(errors.DeadlineExceeded):
        await client.get(service(one), "", parse, deadline=Deadline(time.monotonic() - 1))
    assert one.requests == []


async def test_retries_never_outlast_the_deadline(one: Counter) -> None:
    client = Client(Manners(backoff_s=10))
    one.fault = "500"
    began = time.monotonic()
    with pytest.raises(errors.UpstreamUnavailable, match="status 500"):
        await client.get(service(one), "", parse, deadline=Deadline.after(1))
    assert time.monotonic() - began < 1
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


async def test_seats_bound_the_calls_under_way(client: Client, one: Counter) -> None:
    one.delay_s = 0.05
    few = service(one, seats=4)
    await asyncio.gather(*(client.get(few, f"?{n}", parse, deadline=soon()) for n in range(20)))
    assert len(one.requests) == 20
    assert one.most_at_once == 4


async def test_too_many_waiting_are_turned_away_at_once(client: Client, one: Counter) -> None:
    one.delay_s = 0.1
    narrow = service(one, seats=1)
    calls = (client.get(narrow, f"?{n}", parse, deadline=soon()) for n in range(12))
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


async def test_a_proxy_of_the_environment_is_used_and_spared_hosts_are_not(
    monkeypatch: pytest.MonkeyPatch, one: Counter, other: Counter
) -> None:
    monkeypatch.setenv("http_proxy", one.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    client = Client(Manners())
    away = Service("Fake", ("http://archive.invalid/api",))
    assert await client.get(away, "?q=1", parse, deadline=soon()) == "answer 1"
    assert one.requests[0].headers["host"] == "archive.invalid"
    assert await client.get(service(other), "?q=1", parse, deadline=soon()) == "answer 1"
    assert len(one.requests) == len(other.requests) == 1
    await client.aclose()


@pytest.mark.parametrize(
    ("proxies", "expected"),
    [
        ({}, {}),
        ({"no": "a.org"}, {}),
        ({"https": "http://p:1"}, {"https://": "http://p:1"}),
        (
            {"all": "p:1", "no": ".a.org, 10.0.0.1"},
            {"all://": "http://p:1", "all://*a.org": None, "all://10.0.0.1": None},
        ),
        ({"http": "http://p:1", "no": "*"}, {}),
    ],
)
def test_proxies_are_read_as_everyone_reads_them(proxies: dict[str, str], expected: dict[str, str | None]) -> None:
    assert routes(proxies) == expected


# -- with a cache


async def with_cache(folder: Path) -> Client:
    return Client(Manners(backoff_s=0.02), DiskCache(folder, max_bytes=1_000_000))


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


async def test_what_may_not_be_kept_is_asked_for_again(tmp_path: Path, one: Counter) -> None:
    one.extra_headers = {"Cache-Control": "no-store"}
    client = await with_cache(tmp_path)
    assert await client.get(service(one), "?q", parse, deadline=soon()) == "answer 1"
    assert await client.get(service(one), "?q", parse, deadline=soon()) == "answer 2"
    await client.aclose()


async def test_an_answer_past_its_validity_is_asked_for_again(tmp_path: Path, one: Counter) -> None:
    one.extra_headers = {"Cache-Control": "max-age=0"}
    client = await with_cache(tmp_path)
    assert await client.get(service(one), "?q", parse, deadline=soon()) == "answer 1"
    assert await client.get(service(one), "?q", parse, deadline=soon()) == "answer 2"
    await client.aclose()


async def test_an_unchanged_answer_is_only_confirmed(tmp_path: Path, one: Counter) -> None:
    one.extra_headers = {"Cache-Control": "no-cache", "ETag": '"tag"'}
    client = await with_cache(tmp_path)
    for _ in range(3):
        assert await client.get(service(one), "?q", parse, deadline=soon()) == "answer 1"
    await client.aclose()
    assert [request.headers.get("if-none-match") for request in one.requests] == [None, '"tag"', '"tag"']


@pytest.mark.parametrize("fault", ["500", "html", "truncated", "down"])
async def test_an_old_answer_is_better_than_none(tmp_path: Path, one: Counter, fault: Fault) -> None:
    one.extra_headers = {"Cache-Control": "max-age=0"}
    client = await with_cache(tmp_path)
    await client.get(service(one), "?q", parse, deadline=soon())
    if str(fault) == "down":
        one.down()
    else:
        one.fault = fault
    assert await client.get(service(one), "?q", parse, deadline=soon()) == "answer 1"
    assert client.outcomes[-1] == "stale"
    await client.aclose()


async def test_an_old_answer_comes_before_the_deadline_of_a_service_that_hangs(tmp_path: Path, one: Counter) -> None:
    one.extra_headers = {"Cache-Control": "max-age=0"}
    client = await with_cache(tmp_path)
    await client.get(service(one), "?q", parse, deadline=soon())
    one.delay_s = 10
    assert await client.get(service(one), "?q", parse, deadline=Deadline.after(1)) == "answer 1"
    await client.aclose()


async def test_an_old_answer_is_not_used_against_the_service_s_word(tmp_path: Path, one: Counter) -> None:
    one.extra_headers = {"Cache-Control": "max-age=0, must-revalidate", "ETag": '"x"'}
    client = await with_cache(tmp_path)
    await client.get(service(one), "?q", parse, deadline=soon())
    one.fault = "500"
    with pytest.raises(errors.UpstreamUnavailable):
        await client.get(service(one), "?q", parse, deadline=soon())
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


async def test_a_kept_answer_that_is_no_longer_understood_is_asked_for_again(tmp_path: Path, one: Counter) -> None:
    client = await with_cache(tmp_path)
    await client.get(service(one), "?q", lambda _reply: "anything", deadline=soon())

    def strict(reply: Reply) -> str:
        if b"answer 1" in reply.content:
            raise NonsenseError("with an old form")
        return parse(reply)

    assert await client.get(service(one), "?q", strict, deadline=soon()) == "answer 2"
    await client.aclose()


async def test_closing_gives_up_what_is_under_way(one: Counter) -> None:
    client = Client(Manners())
    one.delay_s = 30
    task = asyncio.ensure_future(client.get(service(one), "", parse, deadline=Deadline.after(60)))
    assert await asyncio.to_thread(one.arrived.wait, 5)
    await client.aclose()
    with pytest.raises(asyncio.CancelledError):
        await task
