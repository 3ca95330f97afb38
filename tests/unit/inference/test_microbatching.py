from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from gateway.core import errors
from gateway.core.models import Deadline, EnsemblePrediction, FlavorPrediction
from gateway.inference.microbatching import Batcher


class CountedNetworks:
    """Reads a batch when it is let, remembering every batch; the reading of an image is its first pixel."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def read(self, batch: np.ndarray[Any, Any], _deadline: Deadline) -> list[EnsemblePrediction]:
        self.batches.append(batch[:, 0, 0, 0].tolist())
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return [EnsemblePrediction((FlavorPrediction("vgg6_m0", 1, float(image[0, 0, 0])),), ()) for image in batch]


def picture(value: int) -> np.ndarray[Any, Any]:
    return np.full((128, 128, 3), value, np.uint8)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def ask(batcher: Batcher, value: int, seconds: float = 60.0) -> asyncio.Task[EnsemblePrediction]:
    return asyncio.create_task(batcher.read(picture(value), Deadline.after(seconds)))


async def test_a_lone_image_leaves_at_once() -> None:
    networks = CountedNetworks()
    lone = ask(Batcher(networks.read, largest=32, in_flight=2), 7)
    await settle()
    assert networks.batches == [[7]]
    networks.gate.set()
    assert (await lone).flavors[0].inclination_deg == 7


async def test_images_that_wait_share_the_next_batch_in_order_and_each_gets_its_own_answer() -> None:
    networks = CountedNetworks()
    batcher = Batcher(networks.read, largest=4, in_flight=1)
    tasks = [ask(batcher, value) for value in range(10)]
    await settle()
    assert networks.batches == [[0]]
    networks.gate.set()
    answers = await asyncio.gather(*tasks)
    assert networks.batches == [[0], [1, 2, 3, 4], [5, 6, 7, 8], [9]]
    assert [answer.flavors[0].inclination_deg for answer in answers] == list(range(10))


async def test_images_gather_behind_a_batch_until_they_are_as_many_or_it_is_back() -> None:
    networks = CountedNetworks()
    batcher = Batcher(networks.read, largest=32, in_flight=2)
    tasks = [ask(batcher, 0), ask(batcher, 1)]
    await settle()
    assert networks.batches == [[0], [1]]  # one is as many as one
    tasks += [ask(batcher, value) for value in range(2, 5)]
    await settle()
    back, networks.gate = networks.gate, asyncio.Event()
    back.set()
    await settle()
    assert networks.batches[2:] == [[2, 3, 4]]
    tasks += [ask(batcher, value) for value in range(5, 7)]
    await settle()
    assert networks.batches[3:] == []  # there is a place, but two are not worth it behind three
    tasks.append(ask(batcher, 7))
    await settle()
    assert networks.batches[3:] == [[5, 6, 7]]
    tasks.append(ask(batcher, 8))
    networks.gate.set()
    answers = await asyncio.gather(*tasks)
    assert networks.batches[4:] == [[8]]
    assert [answer.flavors[0].inclination_deg for answer in answers] == list(range(9))


async def test_behind_a_batch_that_hangs_an_image_waits_for_others_no_longer_than_it_may() -> None:
    networks = CountedNetworks()
    batcher = Batcher(networks.read, largest=32, in_flight=2, longest_wait_s=0.05)
    tasks = [ask(batcher, value) for value in range(5)]
    await settle()
    back, networks.gate = networks.gate, asyncio.Event()
    back.set()
    await settle()
    assert networks.batches == [[0], [1], [2, 3, 4]]
    tasks.append(ask(batcher, 5))
    await settle()
    assert networks.batches[3:] == []
    while not networks.batches[3:]:
        await settle()
    assert networks.batches[3:] == [[5]]
    assert batcher.out == 2
    networks.gate.set()
    await asyncio.gather(*tasks)


async def test_no_more_batches_are_out_than_allowed_even_when_their_callers_gave_up() -> None:
    networks = CountedNetworks()
    batcher = Batcher(networks.read, largest=1, in_flight=2)
    first = [ask(batcher, value, 0.01) for value in range(2)]
    results = await asyncio.gather(*first, return_exceptions=True)
    assert all(isinstance(result, errors.DeadlineExceeded) for result in results)
    later = ask(batcher, 9)
    await settle()
    assert networks.batches == [[0], [1]]  # the server still works on both
    networks.gate.set()
    assert (await later).flavors[0].inclination_deg == 9


async def test_those_who_gave_up_while_waiting_are_not_computed() -> None:
    networks = CountedNetworks()
    batcher = Batcher(networks.read, largest=8, in_flight=1)
    out, gone, stays = ask(batcher, 1), ask(batcher, 2), ask(batcher, 3)
    await settle()
    gone.cancel()
    await settle()
    networks.gate.set()
    await asyncio.gather(out, stays)
    assert networks.batches == [[1], [3]]


async def test_a_failed_batch_fails_its_own_callers_only_each_with_an_exception_of_its_own() -> None:
    networks = CountedNetworks()
    batcher = Batcher(networks.read, largest=2, in_flight=1)
    alone, one, other = ask(batcher, 1), ask(batcher, 2), ask(batcher, 3)
    await settle()
    networks.gate.set()
    await alone
    networks.error = errors.QuorumLost("Too few.", retry_after_s=5, missing=["vgg6_m0"])
    failed = await asyncio.gather(one, other, return_exceptions=True)
    assert [type(error) for error in failed] == [errors.QuorumLost] * 2
    assert failed[0] is not failed[1]
    assert isinstance(failed[0], errors.QuorumLost)
    assert (failed[0].retry_after_s, failed[0].extra) == (5, {"missing": ["vgg6_m0"]})
    networks.error = None
    assert (await ask(batcher, 4)).flavors[0].inclination_deg == 4


async def test_a_deadline_that_has_passed_is_never_sent() -> None:
    networks = CountedNetworks()
    batcher = Batcher(networks.read, largest=2, in_flight=1)
    with pytest.raises(errors.DeadlineExceeded):
        await batcher.read(picture(1), Deadline.after(-1))
    assert networks.batches == []


async def test_draining_waits_for_what_is_out() -> None:
    networks = CountedNetworks()
    batcher = Batcher(networks.read, largest=2, in_flight=1)
    task = ask(batcher, 5)
    await settle()
    drained = asyncio.create_task(batcher.drain())
    await settle()
    assert not drained.done()
    networks.gate.set()
    await drained
    assert (await task).flavors[0].inclination_deg == 5
