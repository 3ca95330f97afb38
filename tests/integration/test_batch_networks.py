"""A batch takes the word of the whole release or none, from whichever server has it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import grpc
import numpy as np
import pytest

from batch.dask.networks import Networks
from gateway.core import errors
from gateway.core.models import Deadline
from tests.support.fake_serving import FakeServing, inclination_of
from tests.support.manifests import manifest, models_of
from tests.support.serving import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

RELEASE = manifest(3)
BATCH = np.stack([np.full((128, 128, 3), level, np.uint8) for level in (10, 200)])


@asynccontextmanager
async def networks(*addresses: str) -> AsyncIterator[Networks]:
    opened = Networks(addresses, RELEASE, retry_s=0.0)
    try:
        yield opened
    finally:
        await opened.aclose()


async def test_every_network_s_word_is_returned() -> None:
    async with FakeServing(models_of(RELEASE)) as serving, networks(serving.address) as opened:
        readings = await opened.read(BATCH, Deadline.after(30))
        said = [[flavor.inclination_deg for flavor in reading.flavors] for reading in readings]
        assert said == [pytest.approx([inclination_of(image)] * 3) for image in BATCH]
        assert await opened.ready(30) is None


@pytest.mark.parametrize("missing", ["vgg6_m1", "vgg6_reject"])
async def test_a_release_of_which_one_network_fails_is_trouble_and_no_answer(missing: str) -> None:
    failing = {missing: grpc.StatusCode.INTERNAL}
    async with FakeServing(models_of(RELEASE), failing=failing) as serving, networks(serving.address) as opened:
        with pytest.raises(errors.QuorumLost):
            await opened.read(BATCH, Deadline.after(30))


async def test_another_version_than_the_release_s_is_trouble_and_no_answer() -> None:
    async with FakeServing(models_of(RELEASE) | {"vgg6_m1": 2}) as serving, networks(serving.address) as opened:
        with pytest.raises(errors.QuorumLost, match="does not have version 1 of vgg6_m1"):
            await opened.read(BATCH, Deadline.after(30))
        wrong = await opened.ready(0.5)
        assert wrong == "TensorFlow Serving has version 2 of vgg6_m1 available; release test has version 1."


async def test_servers_are_asked_in_turn_and_the_next_one_where_one_is_away() -> None:
    models = models_of(RELEASE)
    async with FakeServing(models) as one, FakeServing(models) as other:
        async with networks(one.address, other.address) as opened:
            for _ in range(4):
                await opened.read(BATCH, Deadline.after(30))
            assert len(one.batches) == len(other.batches) == 2 * len(models)
        away = f"127.0.0.1:{free_port()}"
        async with networks(away, one.address) as opened:
            for _ in range(2):
                assert len(await opened.read(BATCH, Deadline.after(30))) == 2


async def test_nobody_there_is_said() -> None:
    async with networks(f"127.0.0.1:{free_port()}") as opened:
        with pytest.raises(errors.QuorumLost):
            await opened.read(BATCH, Deadline.after(30))
        assert await opened.ready(0.5) == "TensorFlow Serving can't be asked for its models (UNAVAILABLE)."


async def test_a_network_that_is_not_there_is_named() -> None:
    models = {name: version for name, version in models_of(RELEASE).items() if name != "vgg6_m2"}
    async with FakeServing(models) as serving, networks(serving.address) as opened:
        assert (
            await opened.ready(0.5) == "TensorFlow Serving has none of vgg6_m2 available; release test has version 1."
        )
