"""The BatchingParameters of the model server, which ``tensorflow-serving-api`` leaves out, read from their text format.

The fields are those of ``session_bundle_config.proto``.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format, wrappers_pb2

from serving import status

DEFAULT_MAX_BATCH_SIZE = 1000

_PACKAGE = "inclinet.serving"
_FIELD = descriptor_pb2.FieldDescriptorProto
_BATCHING = (
    ("max_batch_size", 1, "Int64Value"),
    ("batch_timeout_micros", 2, "Int64Value"),
    ("max_enqueued_batches", 3, "Int64Value"),
    ("num_batch_threads", 4, "Int64Value"),
    ("thread_pool_name", 5, "StringValue"),
    ("pad_variable_length_inputs", 7, "BoolValue"),
    ("enable_large_batch_splitting", 8, "BoolValue"),
    ("max_execution_batch_size", 9, "Int64Value"),
)


def _batching_parameters() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="inclinet/serving.proto", package=_PACKAGE, syntax="proto3")
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    batching = file.message_type.add(name="BatchingParameters")
    for name, number, wrapper in _BATCHING:
        batching.field.add(
            name=name,
            number=number,
            label=_FIELD.LABEL_OPTIONAL,
            type=_FIELD.TYPE_MESSAGE,
            type_name=f".google.protobuf.{wrapper}",
        )
    batching.field.add(name="allowed_batch_sizes", number=6, label=_FIELD.LABEL_REPEATED, type=_FIELD.TYPE_INT64)
    pool = descriptor_pool.DescriptorPool()
    wrappers = descriptor_pb2.FileDescriptorProto()
    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    pool.Add(wrappers)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.BatchingParameters"))


_BatchingParameters = _batching_parameters()


def parse_file(path: str, message: Any) -> Any:
    """Read a text-format file into ``message``.

    Raises
    ------
    serving.status.StatusError
        NOT_FOUND, or INVALID_ARGUMENT with the place of the error.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise status.not_found(f"{path}; {error.strerror}") from error
    try:
        return text_format.Parse(text, message)
    except text_format.ParseError as error:
        raise status.invalid(f"Invalid protobuf file: '{path}': {error}") from error


def max_batch_size(path: str) -> int:
    """Return the ``max_batch_size`` of a BatchingParameters file, 1000 if it says nothing; no path, no file.

    Raises
    ------
    serving.status.StatusError
        INVALID_ARGUMENT: not such a file, or its ``allowed_batch_sizes`` don't ascend to ``max_batch_size``.
    """
    if not path:
        return DEFAULT_MAX_BATCH_SIZE
    parameters = parse_file(path, _BatchingParameters())
    size: int = parameters.max_batch_size.value if parameters.HasField("max_batch_size") else DEFAULT_MAX_BATCH_SIZE
    allowed = list(parameters.allowed_batch_sizes)
    if any(later <= earlier for earlier, later in itertools.pairwise(allowed)):
        raise status.invalid("allowed_batch_sizes entries must be monotonically increasing")
    if allowed and allowed[-1] != size:
        raise status.invalid(
            "final entry in allowed_batch_sizes must equal max_batch_size when enable_large_batch_splitting is False"
        )
    return size
