"""The command line of ``tensorflow_model_server``: its spellings, its defaults, its way of refusing."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_TRUE = ("true", "1")
_FALSE = ("false", "0")


def _flag(default: Any, usage: str) -> Any:
    return dataclasses.field(default=default, metadata={"usage": usage})


@dataclass(frozen=True, slots=True)
class Options:
    """Every flag that the stand-in knows, under the name that it has on the command line."""

    port: int = _flag(8500, "TCP port for gRPC; 0 leaves it closed")
    grpc_socket_path: str = _flag("", "UNIX socket for gRPC, beside or instead of the port")
    rest_api_port: int = _flag(0, "accepted, no effect: REST is TensorFlow Serving's alone")
    rest_api_num_threads: int = _flag(0, "accepted, no effect")
    rest_api_timeout_in_ms: int = _flag(30000, "accepted, no effect")
    rest_api_enable_cors_support: bool = _flag(default=False, usage="accepted, no effect")
    model_name: str = _flag("default", "name of the only model; ignored with --model_config_file")
    model_base_path: str = _flag("", "directory above the versions of the only model")
    model_config_file: str = _flag("", "text-format ModelServerConfig")
    model_config_file_poll_wait_seconds: int = _flag(0, "seconds between readings of the config file; 0 reads it once")
    file_system_poll_wait_seconds: int = _flag(1, "seconds between looks for versions; 0 looks once, negative never")
    enable_batching: bool = _flag(default=False, usage="enforce max_batch_size; requests run unbatched all the same")
    batching_parameters_file: str = _flag("", "text-format BatchingParameters; needs --enable_batching")
    enable_per_model_batching_parameters: bool = _flag(default=False, usage="read batching_params.pbtxt of a version")
    monitoring_config_file: str = _flag("", "accepted, no effect: the Prometheus page is TensorFlow Serving's alone")
    allow_version_labels_for_unavailable_models: bool = _flag(
        default=False, usage="a new label may name a version that is not loaded"
    )
    enable_model_warmup: bool = _flag(
        default=True, usage="replay the warm-up records of a version before it is available"
    )
    num_request_iterations_for_warmup: int = _flag(0, "repeat each warm-up record that often; 0 is once")
    num_load_threads: int = _flag(0, "versions loading at a time after start-up; 0 is one")
    num_unload_threads: int = _flag(0, "accepted; unloads never wait for loads")
    max_num_load_retries: int = _flag(5, "further attempts after a failed load")
    load_retry_interval_micros: int = _flag(60_000_000, "microseconds between the attempts")
    flush_filesystem_caches: bool = _flag(default=True, usage="accepted, no effect")
    saved_model_tags: str = _flag("serve", "tags of the meta graph, comma separated")
    grpc_max_threads: int = _flag(0, "calls in progress at a time; 0 is 4 per CPU, more end RESOURCE_EXHAUSTED")
    grpc_channel_arguments: str = _flag("", "gRPC server arguments, k=v,k=v")
    tensorflow_session_parallelism: int = _flag(0, "threads within and between operations; 0 is every CPU")
    tensorflow_intra_op_parallelism: int = _flag(0, "threads within an operation")
    tensorflow_inter_op_parallelism: int = _flag(0, "threads between operations")
    tensorflow_session_config_file: str = _flag("", "text-format ConfigProto")
    per_process_gpu_memory_fraction: float = _flag(0.0, "accepted, no effect")
    enable_grpc_healthcheck_service: bool = _flag(default=False, usage="answer grpc.health.v1.Health")
    enable_serialization_as_tensor_content: bool = _flag(default=False, usage="answer with tensor_content")
    enable_signature_method_name_check: bool = _flag(default=False, usage="accepted, no effect")
    enable_profiler: bool = _flag(default=True, usage="accepted, no effect")
    ssl_config_file: str = _flag("", "refused: the stand-in serves plain text only")
    prefer_tflite_model: bool = _flag(default=False, usage="accepted, no effect")
    version: bool = _flag(default=False, usage="print the versions and exit")


class BadFlagError(Exception):
    """A known flag has a value that it can't have."""


def parse(arguments: Sequence[str]) -> tuple[Options, list[str]]:
    """Read ``--name=value`` arguments.

    Returns
    -------
    options : Options
    unknown : list of str
        Arguments that are no flag of the server; the real one prints its usage for them and goes on.

    Raises
    ------
    BadFlagError
        The value of a known flag can't be read.
    """
    defaults = {field.name: field.default for field in dataclasses.fields(Options)}
    values: dict[str, Any] = {}
    unknown = []
    for argument in arguments:
        name, given, text = argument.removeprefix("--").partition("=")
        default = defaults.get(name)
        if not argument.startswith("--") or default is None or not (given or isinstance(default, bool)):
            unknown.append(argument)
        else:
            values[name] = _value(name, text if given else "true", default)
    return Options(**values), unknown


def _value(name: str, text: str, default: object) -> object:
    try:
        if isinstance(default, bool):
            return _truth(text)
        return type(default)(text)  # type: ignore[call-arg]  # int, float and str all read a string
    except ValueError as error:
        raise BadFlagError(f"Couldn't interpret value {text} for flag {name}.") from error


def _truth(text: str) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise ValueError(text)
    return text.lower() in _TRUE


def usage() -> str:
    """Return the list of flags with their defaults."""
    lines = ["usage: python -m serving", "Flags:"]
    for field in dataclasses.fields(Options):
        kind = type(field.default).__name__
        default = str(field.default).lower() if isinstance(field.default, bool) else repr(field.default)
        lines.append(f"\t--{field.name}={default}\t{kind}\t{field.metadata['usage']}")
    return "\n".join(lines)
