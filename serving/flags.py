"""The command line of ``tensorflow_model_server``; docs/reference/serving.md explains each flag."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_SWITCH = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Options:
    """The flags that the stand-in uses, named as on the command line."""

    port: int = 8500
    model_name: str = "default"
    model_base_path: str = ""
    model_config_file: str = ""
    model_config_file_poll_wait_seconds: int = 0
    file_system_poll_wait_seconds: int = 1
    allow_version_labels_for_unavailable_models: bool = False
    enable_model_warmup: bool = True
    grpc_max_threads: int = 0
    grpc_channel_arguments: str = ""
    tensorflow_intra_op_parallelism: int = 0
    tensorflow_inter_op_parallelism: int = 0
    enable_grpc_healthcheck_service: bool = False
    version: bool = False


WITHOUT_EFFECT = frozenset(
    (
        *("rest_api_port", "rest_api_num_threads", "rest_api_timeout_in_ms", "rest_api_enable_cors_support"),
        *("enable_batching", "batching_parameters_file", "enable_per_model_batching_parameters", "enable_profiler"),
        *("max_num_load_retries", "load_retry_interval_micros", "num_load_threads", "num_unload_threads"),
        *("tensorflow_session_parallelism", "tensorflow_session_config_file", "per_process_gpu_memory_fraction"),
        *("enable_serialization_as_tensor_content", "enable_signature_method_name_check", "monitoring_config_file"),
        *("num_request_iterations_for_warmup", "flush_filesystem_caches", "prefer_tflite_model"),
    )
)
"""Flags that the stand-in accepts and ignores, so that command lines of TensorFlow Serving run."""

REFUSED = frozenset(("grpc_socket_path", "saved_model_tags", "ssl_config_file"))
"""Flags about address, graph and safety that the stand-in can't obey, and therefore refuses."""


class FlagError(Exception):
    """A flag has an invalid value, or is one that the stand-in refuses."""


def parse(arguments: Sequence[str]) -> tuple[Options, list[str]]:
    """Return the options in arguments ``--name=value`` (``--name`` for a switch), and arguments that are no flag.

    The real server prints its usage for an unknown argument and continues.
    """
    defaults = {field.name: field.default for field in dataclasses.fields(Options)}
    values: dict[str, Any] = {}
    unknown = []
    for argument in arguments:
        flag, given, text = argument.partition("=")
        name = flag.removeprefix("--") if flag.startswith("--") else ""
        if name in REFUSED:
            raise FlagError(f"The stand-in can't follow --{name}; it needs TensorFlow Serving.")
        if name in defaults and (given or isinstance(defaults[name], bool)):
            values[name] = _value(name, text if given else "true", defaults[name])
        elif name not in WITHOUT_EFFECT:
            unknown.append(argument)
    return Options(**values), unknown


def _value(name: str, text: str, default: object) -> object:
    try:
        if isinstance(default, bool):
            return _SWITCH[text.lower()]
        return int(text) if isinstance(default, int) else text
    except (KeyError, ValueError) as error:
        raise FlagError(f"Couldn't interpret value {text} for flag {name}.") from error


def usage() -> str:
    """Return the list of flags with their defaults."""
    lines = (f"\t--{field.name}={str(field.default).lower()}" for field in dataclasses.fields(Options))
    ignored = (f"\t--{name} (no effect)" for name in sorted(WITHOUT_EFFECT))
    return "\n".join(("usage: python -m serving", "Flags:", *lines, *ignored))
