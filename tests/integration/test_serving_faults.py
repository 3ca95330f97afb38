"""The stand-in under load while models roll, break and go, and while it is killed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest

from serving.protos import prediction_service_pb2_grpc
from tests.support.load import AVAILABLE, CALL_S, END, Load, images, predict_request, read_answer, states
from tests.support.models import Repository, flavor_answer, write_flavor, write_repository
from tests.support.serving import ServingProcess
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

MODEL = "tiny_m0"
BUSY = 200


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return write_repository(tmp_path, flavors=2)


def serving(repository: Repository, *flags: str) -> ServingProcess:
    return ServingProcess(repository.config, repository.root / "serving.log", *flags)


def test_a_new_version_under_load_costs_no_call_and_mixes_no_answer(repository: Repository) -> None:
    with serving(repository) as process, Load(process.address, MODEL) as load:
        wait_until(lambda: len(load.versions) > 20, "answers of version 1")
        write_flavor(repository.base(MODEL), version=2)
        wait_until(lambda: load.versions[-1] == 2, "an answer of version 2")
        wait_until(lambda: states(load.channel, MODEL) == {1: END, 2: AVAILABLE}, "version 1 to end")
        after = len(load.versions)
        wait_until(lambda: len(load.versions) > after + 20, "more answers of version 2")
    assert load.failures == []
    assert load.wrong == []
    assert set(load.versions) == {1, 2}
    assert set(load.versions[after + 3 :]) == {2}


def test_a_request_in_flight_keeps_its_version(repository: Repository) -> None:
    base = repository.base("tiny_m1")
    write_flavor(base, version=2, busy=BUSY, warm=False)
    inputs = images(2)
    answers: list[Any] = []
    with serving(repository) as process, grpc.insecure_channel(process.address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

        replaced = threading.Event()

        def call_without_pause() -> None:
            while not replaced.is_set():
                answers.append(stub.Predict(predict_request("tiny_m1", inputs), timeout=CALL_S))

        # A call takes long and the next follows at once: one is in progress at whatever moment the version changes.
        calls = threading.Thread(target=call_without_pause)
        calls.start()
        write_flavor(base, version=3)
        wait_until(lambda: states(channel, "tiny_m1").get(3) == AVAILABLE, "version 3")
        replaced.set()
        calls.join()
        wait_until(lambda: states(channel, "tiny_m1") == {2: END, 3: AVAILABLE}, "version 2 to end")
    seen = [read_answer(answer) for answer in answers]
    assert seen[0][0] == 2
    for version, values in seen:
        np.testing.assert_allclose(values, flavor_answer(inputs, version=version), atol=1e-4)


def test_being_told_to_stop_finishes_the_call_in_progress(repository: Repository) -> None:
    base = repository.base("tiny_m1")
    write_flavor(base, version=2, busy=BUSY, warm=False)
    inputs = images(1)
    process = serving(repository).start()
    with grpc.insecure_channel(process.address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        call = stub.Predict.future(predict_request("tiny_m1", inputs), timeout=CALL_S)
        # The quick model's answer means that the slow call, sent before on the same connection, has arrived.
        stub.Predict(predict_request(MODEL, inputs), timeout=CALL_S)
        assert process.stop() == 0
        version, values = read_answer(call.result())
    assert version == 2
    np.testing.assert_allclose(values, flavor_answer(inputs, version=2), atol=1e-4)
    assert "Traceback" not in process.log()


def test_more_calls_at_a_time_than_threads_are_refused_at_once(repository: Repository) -> None:
    write_flavor(repository.base("tiny_m1"), version=2, busy=BUSY, warm=False)
    with (
        serving(repository, "--grpc_max_threads=2") as process,
        grpc.insecure_channel(process.address) as channel,
    ):
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        request = predict_request("tiny_m1", images(1))
        calls = [stub.Predict.future(request, timeout=CALL_S) for _ in range(6)]
        outcomes = [call.code().name for call in calls if call.exception() is not None]
        assert set(outcomes) == {"RESOURCE_EXHAUSTED"}
        assert 1 <= len(outcomes) <= 4
