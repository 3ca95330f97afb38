"""The flags of the model server, and what they must say."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from serving import flags
from serving.errors import StatusError
from serving.server import ModelServer

ROOT = Path(__file__).parents[3]


def test_flags_are_read_as_the_server_reads_them() -> None:
    options, unknown = flags.parse(
        [
            "--port=9000",
            "--enable_grpc_healthcheck_service",
            "--enable_model_warmup=false",
            "--model_base_path=/a=b",
            "--nope",
            "x",
        ]
    )
    assert (options.port, options.enable_grpc_healthcheck_service, options.enable_model_warmup) == (9000, True, False)
    assert options.model_base_path == "/a=b"
    assert unknown == ["--nope", "x"]
    assert options.file_system_poll_wait_seconds == 1


@pytest.mark.parametrize("argument", ["--port=many", "--enable_model_warmup=perhaps", "--grpc_max_threads="])
def test_a_value_that_can_not_be_read_is_an_error(argument: str) -> None:
    with pytest.raises(flags.FlagError, match=r"^Couldn't interpret value"):
        flags.parse([argument])


def test_a_name_and_its_value_as_two_arguments_are_unknown() -> None:
    options, unknown = flags.parse(["--port", "9000"])
    assert (options.port, unknown) == (8500, ["--port", "9000"])


def test_flags_of_what_only_the_real_server_has_are_taken() -> None:
    options, unknown = flags.parse(["--rest_api_port=8501", "--monitoring_config_file=/m", "--enable_batching"])
    assert (options, unknown) == (flags.Options(), [])


@pytest.mark.parametrize("argument", ["--ssl_config_file=/s", "--grpc_socket_path=/s", "--saved_model_tags=train"])
def test_what_clients_would_miss_is_refused_rather_than_left_out(argument: str) -> None:
    with pytest.raises(flags.FlagError, match="needs TensorFlow Serving"):
        flags.parse([argument])


def test_every_flag_is_explained() -> None:
    text = (ROOT / "docs" / "reference" / "serving.md").read_text(encoding="utf-8")
    heeded = {field.name for field in dataclasses.fields(flags.Options)}
    for name in heeded | flags.WITHOUT_EFFECT | flags.REFUSED:
        assert f"`--{name}`" in text
    for name in heeded | flags.WITHOUT_EFFECT:
        assert f"--{name}" in flags.usage()


INCOMPLETE = {
    "no port": ["--port=0", "--model_base_path=/m"],
    "no model": [],
}


@pytest.mark.parametrize("case", INCOMPLETE)
def test_what_is_missing_is_said_before_anything_is_loaded(case: str) -> None:
    options, _ = flags.parse(INCOMPLETE[case])
    with pytest.raises(StatusError, match=r"^INVALID_ARGUMENT"):
        ModelServer(options)
