"""The stand-in as a program: when its ports open, what makes it refuse to start, which flags it heeds."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import grpc
import psutil
import pytest

from serving.protos import predict_pb2, prediction_service_pb2_grpc
from tests.support.load import AVAILABLE, CALL_S, END, images, predict_request, states
from tests.support.models import Repository, write_flavor, write_repository, write_warmup
from tests.support.serving import ROOT, ServingProcess
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

MODEL = "tiny_m0"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return write_repository(tmp_path, flavors=1)


def serving(repository: Repository, *flags: str) -> ServingProcess:
    return ServingProcess(repository.config, repository.root / "serving.log", *flags)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "serving", *flags], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_ports_open_when_every_model_is_loaded(repository: Repository) -> None:
    hidden = repository.base(MODEL).rename(repository.root / "hidden")
    process = serving(repository)
    process.launch()
    try:
        process.wait_for_log(re.compile("File system polling failed"))
        assert not is_open(process.port)
        hidden.rename(repository.base(MODEL))
        process.wait_for_log(re.compile("Running gRPC ModelServer at"))
        log = process.log()
        assert log.index("Successfully loaded servable version {name: tiny_reject version: 1}") < log.index(
            "Running gRPC"
        )
        assert is_open(process.port)
    finally:
        process.stop()


def test_it_can_be_stopped_while_it_waits_for_a_model(repository: Repository) -> None:
    shutil.rmtree(repository.base(MODEL))
    process = serving(repository)
    process.launch()
    process.wait_for_log(re.compile("File system polling failed"))
    assert process.stop() == 0
    assert "Traceback" not in process.log()


def test_a_model_that_can_not_be_loaded_ends_the_start(repository: Repository) -> None:
    (repository.base(MODEL) / "1" / "saved_model.pb").unlink()
    process = serving(repository)
    process.launch()
    assert process.wait() == 255
    log = process.log()
    assert log.count("Loading servable version {name: tiny_m0 version: 1} failed") == 1
    assert (
        "Failed to start server. Error: UNKNOWN: 1 servable(s) did not become available: "
        "{{name: tiny_m0 version: 1} due to error: NOT_FOUND: Could not find SavedModel"
    ) in log


def test_a_taken_port_is_a_clear_error(repository: Repository) -> None:
    with socket.socket() as taken:
        process = serving(repository)
        taken.bind(("0.0.0.0", process.port))  # noqa: S104 - the port has to be taken everywhere
        taken.listen()
        process.launch()
        assert process.wait() == 255
    assert "Failed to start server. Error: UNKNOWN: Error starting gRPC server" in process.log()


def test_the_version_is_printed() -> None:
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].startswith("TensorFlow ModelServer: ")
    assert re.fullmatch(r"TensorFlow Library: 2\.20\.\d+", done.stdout.splitlines()[1])


def test_a_bad_value_prints_the_usage_and_fails() -> None:
    done = run("--port=http")
    assert done.returncode == 255
    assert "--model_config_file=" in done.stdout


def test_warm_up_runs_before_a_version_is_available(repository: Repository) -> None:
    with serving(repository) as process, grpc.insecure_channel(process.address) as channel:
        log = process.log()
        warmed = log.index("Warmed servable version {name: tiny_m0 version: 1} up with 1 records")
        assert warmed < log.index("Successfully loaded servable version {name: tiny_m0 version: 1}")
        renamed = predict_pb2.PredictRequest()
        renamed.inputs["pictures"].CopyFrom(predict_request(MODEL, images(1)).inputs["images"])
        hidden = write_flavor(repository.root / "hidden", version=2, warm=False)
        write_warmup(hidden, [renamed])
        hidden.rename(repository.base(MODEL) / "2")
        wait_until(lambda: states(channel, MODEL) == {1: AVAILABLE, 2: END}, "version 2 to fail")
        assert "Signature input alias: images(feed name: serving_default_images:0) not found" in process.log()


def test_the_config_file_is_read_again(repository: Repository) -> None:
    write_flavor(repository.base("tiny_m9"))
    flags = ("--model_config_file_poll_wait_seconds=1",)
    with serving(repository, *flags) as process, grpc.insecure_channel(process.address) as channel:
        text = repository.config.read_text(encoding="utf-8")
        repository.config.write_text("broken {", encoding="utf-8")
        process.wait_for_log(re.compile("Reloading .* failed: INVALID_ARGUMENT"))
        assert states(channel, MODEL) == {1: AVAILABLE}
        repository.config.write_text(text.replace(MODEL, "tiny_m9"), encoding="utf-8")
        process.wait_for_log(re.compile("Successfully loaded servable version {name: tiny_m9 version: 1}"))
        wait_until(lambda: states(channel, MODEL) == {1: END}, "the model that was left out to end")
        assert states(channel, "tiny_m9") == {1: AVAILABLE}


def test_more_models_need_no_more_threads(tmp_path: Path) -> None:
    def threads(models: int, between: int) -> int:
        repository = write_repository(tmp_path / f"{models}-{between}", flavors=models)
        flags = ("--tensorflow_intra_op_parallelism=2", f"--tensorflow_inter_op_parallelism={between}")
        with serving(repository, *flags) as process, grpc.insecure_channel(process.address) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            for model in repository.manifest.flavors:
                stub.Predict(predict_request(model.name, images(2)), timeout=CALL_S)
            return psutil.Process(process.pid).num_threads()

    few = threads(1, 2)
    # gRPC and the loader add a thread or two at their own pace; a pool for each model would add dozens.
    assert threads(9, 2) <= few + 4
    assert threads(1, 32) >= few + 30
