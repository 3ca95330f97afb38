from __future__ import annotations

import asyncio
from typing import Any

import grpc
import numpy as np
import pytest

from gateway.core import errors
from gateway.core.models import Deadline
from gateway.inference.predictor import Predictor
from tests.support.fake_serving import FakeServing, inclination_of
from tests.support.manifests import manifest, models_of

RELEASE = manifest(4)
BATCH = np.stack([np.full((128, 128, 3), value, np.uint8) for value in (0, 100, 255)])


class Calls:
    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.failed = asyncio.Event()

    def __call__(self, model: str, code: str, _seconds: float) -> None:
        self.seen.append((model, code))
        if code in {"UNAVAILABLE", "RESOURCE_EXHAUSTED"}:
            self.failed.set()


def predictor(
    server: FakeServing, *, calls: Calls | None = None, timeout_s: float = 5, retry_s: float = 2
) -> Predictor:
    return Predictor(
        server.address,
        RELEASE,
        quorum_fraction=2 / 3,
        call_timeout_s=timeout_s,
        retry_s=retry_s,
        observe=calls or Calls(),
    )


def serving(**switches: Any) -> FakeServing:
    return FakeServing(models_of(RELEASE), **switches)


@pytest.mark.parametrize("as_content", [False, True])
async def test_every_network_is_asked_once_about_the_whole_batch(as_content: bool) -> None:  # noqa: FBT001 - parameter
    slow_s = dict.fromkeys(models_of(RELEASE), 0.2)  # long enough for all to be asked before the first answers
    async with serving(as_content=as_content, offsets={"vgg6_m3": 1.5}, slow_s=slow_s) as server:
        client = predictor(server)
        readings = await client.read(BATCH, Deadline.after(5))
        await client.aclose()
    assert sorted(server.batches) == sorted((name, (3, 128, 128, 3)) for name in models_of(RELEASE))
    assert server.most_at_once == len(models_of(RELEASE))
    for image, reading in zip(BATCH, readings, strict=True):
        assert [flavor.name for flavor in reading.flavors] == ["vgg6_m0", "vgg6_m1", "vgg6_m2", "vgg6_m3"]
        assert [flavor.version for flavor in reading.flavors] == [1, 1, 1, 1]
        assert reading.flavors[0].inclination_deg == pytest.approx(inclination_of(image), abs=1e-4)
        assert reading.flavors[3].inclination_deg == pytest.approx(inclination_of(image) + 1.5, abs=1e-4)
        rejector, likelihood = reading.rejectors[0], image.mean() / 255
        said = (rejector.rejection, rejector.face_on, rejector.unsuitable)
        assert said == pytest.approx((likelihood, 0.75 * likelihood, 0.25 * likelihood), abs=1e-4)
        assert reading.missing == ()


@pytest.mark.parametrize(
    "code",
    [grpc.StatusCode.NOT_FOUND, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INTERNAL],
)
async def test_with_one_flavor_failing_the_rest_answer_and_say_which_is_missing(code: grpc.StatusCode) -> None:
    async with serving(failing={"vgg6_m1": code}) as server:
        client = predictor(server, retry_s=0.2)
        (reading,) = await client.read(BATCH[:1], Deadline.after(5))
        await client.aclose()
    assert [flavor.name for flavor in reading.flavors] == ["vgg6_m0", "vgg6_m2", "vgg6_m3"]
    assert reading.missing == ("vgg6_m1",)


async def test_a_missing_rejector_leaves_the_inclination() -> None:
    async with serving(failing={"vgg6_reject": grpc.StatusCode.NOT_FOUND}) as server:
        client = predictor(server)
        (reading,) = await client.read(BATCH[:1], Deadline.after(5))
        await client.aclose()
    assert len(reading.flavors) == 4
    assert reading.rejectors == ()
    assert reading.missing == ("vgg6_reject",)


@pytest.mark.parametrize("output", ["rejection", "face_on", "unsuitable"])
async def test_a_rejector_that_lacks_an_output_is_missing_and_costs_one_call(output: str) -> None:
    calls = Calls()
    async with serving(lacking={"vgg6_reject": output}) as server:
        client = predictor(server, calls=calls)
        (reading,) = await client.read(BATCH[:1], Deadline.after(5))
        await client.aclose()
    assert (len(reading.flavors), reading.rejectors, reading.missing) == (4, (), ("vgg6_reject",))
    assert [code for model, code in calls.seen if model == "vgg6_reject"] == ["DATA_LOSS"]


@pytest.mark.parametrize(
    "values", [[1.2], [-0.1], [float("nan")], [0.1, 0.2]], ids=["above 1", "below 0", "NaN", "too many"]
)
async def test_a_rejector_whose_likelihoods_are_none_is_missing(values: list[float]) -> None:
    async with serving(nonsense={"vgg6_reject": values}) as server:
        client = predictor(server)
        (reading,) = await client.read(BATCH[:1], Deadline.after(5))
        await client.aclose()
    assert (reading.rejectors, reading.missing) == ((), ("vgg6_reject",))


@pytest.mark.parametrize("values", [[float("nan")], [60.0, 61.0], []], ids=["NaN", "too many", "none"])
async def test_a_flavor_that_answers_nonsense_does_not_count(values: list[float]) -> None:
    async with serving(nonsense={"vgg6_m0": values}) as server:
        client = predictor(server)
        (reading,) = await client.read(BATCH[:1], Deadline.after(5))
        await client.aclose()
    assert "vgg6_m0" in reading.missing
    assert len(reading.flavors) == 3


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.NOT_FOUND, errors.QuorumLost),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, errors.QuorumLost),
        (grpc.StatusCode.INVALID_ARGUMENT, errors.ServingRefused),
        (grpc.StatusCode.FAILED_PRECONDITION, errors.ServingRefused),
        (grpc.StatusCode.DEADLINE_EXCEEDED, errors.DeadlineExceeded),
    ],
)
async def test_below_the_quorum_the_reason_decides_the_problem(
    code: grpc.StatusCode, kind: type[errors.GatewayError]
) -> None:
    async with serving(failing={"vgg6_m0": code, "vgg6_m1": code}) as server:
        client = predictor(server, retry_s=0.2)
        with pytest.raises(errors.GatewayError) as raised:
            await client.read(BATCH[:1], Deadline.after(5))
        await client.aclose()
    assert type(raised.value) is kind


async def test_a_server_whose_threads_are_all_taken_is_asked_again_a_moment_later() -> None:
    calls = Calls()
    async with serving(failing={"vgg6_m1": grpc.StatusCode.RESOURCE_EXHAUSTED}) as server:
        client = predictor(server, calls=calls, retry_s=10)
        pending = asyncio.create_task(client.read(BATCH[:1], Deadline.after(20)))
        await calls.failed.wait()
        del server.failing["vgg6_m1"]
        (reading,) = await pending
        await client.aclose()
    assert reading.missing == ()


async def test_a_hung_flavor_costs_no_more_than_the_call_timeout() -> None:
    async with serving(slow_s={"vgg6_m2": 30.0}) as server:
        client = predictor(server, timeout_s=0.3)
        deadline = Deadline.after(20)
        (reading,) = await client.read(BATCH[:1], deadline)
        assert deadline.remaining_s() > 0
        await client.aclose()
    assert reading.missing == ("vgg6_m2",)


async def test_a_restarted_server_is_found_again_within_the_deadline() -> None:
    server = serving()
    await server.start()
    port = int(server.address.rpartition(":")[2])
    calls = Calls()
    client = predictor(server, calls=calls, retry_s=10)
    await client.read(BATCH[:1], Deadline.after(5))
    await server.stop()
    pending = asyncio.create_task(client.read(BATCH[:1], Deadline.after(20)))
    await calls.failed.wait()
    again = serving(offsets={"vgg6_m0": 2.0})
    await again.start(port)
    (reading,) = await pending
    assert reading.missing == ()
    assert reading.flavors[0].inclination_deg == pytest.approx(47.0)
    await client.aclose()
    await again.stop()


async def test_a_server_that_stays_away_is_given_up_before_the_deadline() -> None:
    async with serving() as server:
        address = server
    client = predictor(address, retry_s=0.3)
    with pytest.raises(errors.QuorumLost, match="Only 0 of the 4") as raised:
        await client.read(BATCH[:1], Deadline.after(30))
    assert raised.value.retry_after_s
    await client.aclose()


async def test_states_are_those_of_the_server_and_decide_availability() -> None:
    async with serving(states={"vgg6_m0": "LOADING"}) as server:
        del server.models["vgg6_m1"]
        client = predictor(server)
        states = await client.states(timeout_s=5)
        assert [(one.version, one.state) for one in states["vgg6_m0"]] == [(1, "LOADING")]
        assert states["vgg6_m1"] == ()
        assert states["vgg6_reject"][0].state == "AVAILABLE"
        status = await client.release_status(timeout_s=5)
        assert (status.available, status.needed) == (2, 3)
        await client.aclose()


async def test_states_of_a_server_that_is_away_are_an_upstream_problem() -> None:
    async with serving() as server:
        pass
    client = predictor(server)
    with pytest.raises(errors.UpstreamUnavailable):
        await client.states(timeout_s=2)
    await client.aclose()


async def test_a_batch_that_does_not_fit_the_contract_is_never_sent() -> None:
    async with serving() as server:
        client = predictor(server)
        with pytest.raises(ValueError, match="uint8"):
            await client.read(BATCH.astype(np.float32), Deadline.after(5))
        await client.aclose()
    assert server.batches == []
