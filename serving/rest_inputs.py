"""JSON to tensors, in the two formats of ``:predict`` (``util/json_tensor.cc``).

``instances`` lists rows, ``inputs`` holds whole tensors.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from serving import status
from serving.messages import tensor_pb2, types_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

INSTANCES = "instances"
INPUTS = "inputs"

_QUOTED_BYTES = 256
VALUE_FIELDS: dict[int, str] = {
    types_pb2.DT_FLOAT: "float_val",
    types_pb2.DT_DOUBLE: "double_val",
    types_pb2.DT_INT32: "int_val",
    types_pb2.DT_UINT8: "int_val",
    types_pb2.DT_INT16: "int_val",
    types_pb2.DT_INT8: "int_val",
    types_pb2.DT_UINT16: "int_val",
    types_pb2.DT_INT64: "int64_val",
    types_pb2.DT_UINT32: "uint32_val",
    types_pb2.DT_UINT64: "uint64_val",
    types_pb2.DT_BOOL: "bool_val",
    types_pb2.DT_STRING: "string_val",
}
"""The types that JSON can carry, and the field of ``TensorProto`` that holds each."""

_RANGES = {
    types_pb2.DT_INT64: range(-(2**63), 2**63),
    types_pb2.DT_UINT32: range(2**32),
    types_pb2.DT_UINT64: range(2**64),
}
# The narrow types come in as int32 and are cut by the runtime, 300 to 44.
_INT32 = range(-(2**31), 2**31)


def parse(body: bytes) -> dict[str, Any]:
    """Read a request's body, a JSON object; ``NaN`` and ``Infinity`` are numbers.

    Raises
    ------
    serving.status.StatusError
        INVALID_ARGUMENT.
    """
    if not body.strip():
        raise status.invalid("JSON Parse error: The document is empty")
    try:
        document = json.loads(body)
    except json.JSONDecodeError as error:
        raise status.invalid(f"JSON Parse error: {error.msg} at offset: {error.pos}") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise status.invalid(f"JSON Parse error: {error} at offset: 0") from error
    if not isinstance(document, dict):
        raise status.invalid(f"JSON Value: {_quoted(document)} Is not object")
    return document


def inputs(document: Mapping[str, Any], signature: Any) -> tuple[dict[str, Any], bool]:
    """Return the inputs as ``TensorProto`` by alias, and whether the request is in row format.

    Raises
    ------
    serving.status.StatusError
        INVALID_ARGUMENT for whatever doesn't fit the signature, UNIMPLEMENTED for a type that JSON can't carry.
    """
    types = {alias: info.dtype for alias, info in signature.inputs.items()}
    if INSTANCES in document and INPUTS in document:
        raise status.invalid(
            f"JSON Value: {_quoted(document)} Not formatted correctly expecting only one of "
            f"'{INPUTS}' or '{INSTANCES}' keys to exist "
        )
    if INSTANCES in document:
        return _from_rows(document[INSTANCES], types), True
    if INPUTS in document:
        return _from_columns(document[INPUTS], types), False
    raise status.invalid(f"Missing '{INPUTS}' or '{INSTANCES}' key")


def _from_columns(value: Any, types: Mapping[str, int]) -> dict[str, Any]:
    if not _is_object(value):
        if len(types) > 1:
            raise status.invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
                "tensorinfo_map"
            )
        value = dict.fromkeys(types, value)
    for alias in sorted(types):
        if alias not in value:
            raise status.invalid(f"Missing named input: {alias} in '{INPUTS}' object.")
    tensors = {}
    for alias, dtype in types.items():
        shape = _shape(value[alias])
        tensors[alias] = _tensor(dtype, shape, _flat(value[alias], shape, dtype))
    return tensors


def _from_rows(rows: Any, types: Mapping[str, int]) -> dict[str, Any]:
    if not isinstance(rows, list):
        raise status.invalid(f"JSON Value: {_quoted(rows)} Expecting '{INSTANCES}' to be an list/array")
    if not rows:
        raise status.invalid(f"JSON Value: {_quoted(rows)} No values in '{INSTANCES}' array")
    named = _is_object(rows[0])
    if not named and len(types) > 1:
        raise status.invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
            "tensorinfo_map"
        )
    shapes: dict[str, tuple[int, ...]] = {}
    values: dict[str, list[Any]] = {alias: [] for alias in types}
    for index, row in enumerate(rows):
        where = f"Failed to process element: {index} of '{INSTANCES}' list."
        if named and (not _is_object(row) or set(row) != set(types)):
            raise status.invalid(
                f"{where} JSON object: {_quoted(row)} keys must be equal to: {','.join(sorted(types))}"
            )
        for alias, dtype in types.items():
            value = row[alias] if named else row
            shape = shapes.setdefault(alias, _shape(value))
            try:
                values[alias] += _flat(value, shape, dtype)
            except status.StatusError as error:
                raise status.StatusError(error.code, f"{where} Error: {error}") from error
    return {alias: _tensor(dtype, (len(rows), *shapes[alias]), values[alias]) for alias, dtype in types.items()}


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value: Any) -> bool:
    return isinstance(value, dict) and list(value) == ["b64"]


def _shape(value: Any) -> tuple[int, ...]:
    sizes = []
    while isinstance(value, list):
        sizes.append(len(value))
        value = value[0] if value else None
    return tuple(sizes)


def _flat(value: Any, shape: tuple[int, ...], dtype: int) -> list[Any]:
    """Return the values in row-major order; ``shape`` is what the first row has."""
    level = [value]
    for depth, size in enumerate(shape):
        for item in level:
            if not isinstance(item, list):
                raise status.invalid(f"JSON Value: {_quoted(item)} is not a list at level: {depth}")
            if len(item) != size:
                raise status.invalid(f"Expecting tensor size: {size} but got: {len(item)}")
        level = [element for item in level for element in item]
    for item in level:
        if isinstance(item, list):
            raise status.invalid(f"Encountered list at unexpected level: {len(shape)} expected < {len(shape)}")
    return [_converted(item, dtype) for item in level]


def _converted(value: Any, dtype: int) -> Any:
    if dtype not in VALUE_FIELDS:
        raise status.unimplemented(f"Conversion of JSON Value: {_quoted(value)} to type: {type_name(dtype)}")
    if dtype == types_pb2.DT_STRING and _is_base64(value):
        try:
            return base64.b64decode(value["b64"], validate=True)
        except (binascii.Error, ValueError, TypeError) as error:
            raise status.invalid(f"JSON Value: {_quoted(value)} Unable to base64 decode") from error
    if not _is_of_type(value, dtype):
        raise status.invalid(
            f"JSON Value: {_quoted(value)} Type: {_json_type(value)} is not of expected type: {type_name(dtype)}"
        )
    return value.encode() if dtype == types_pb2.DT_STRING else value


def _is_of_type(value: Any, dtype: int) -> bool:
    if dtype == types_pb2.DT_STRING:
        return isinstance(value, str)
    if isinstance(value, bool) or dtype == types_pb2.DT_BOOL:
        return isinstance(value, bool) and dtype == types_pb2.DT_BOOL
    if dtype in (types_pb2.DT_FLOAT, types_pb2.DT_DOUBLE):
        return isinstance(value, int | float)
    return isinstance(value, int) and value in _RANGES.get(dtype, _INT32)


def _tensor(dtype: int, shape: Iterable[int], values: list[Any]) -> Any:
    proto = tensor_pb2.TensorProto(dtype=dtype)
    proto.tensor_shape.SetInParent()
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    if values:
        getattr(proto, VALUE_FIELDS[dtype]).extend(values)
    return proto


def _quoted(value: Any) -> str:
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return data[:_QUOTED_BYTES].decode(errors="ignore") + ("..." if len(data) > _QUOTED_BYTES else "")


def type_name(dtype: int) -> str:
    """Return what TensorFlow calls a type, such as ``float``."""
    name: str = types_pb2.DataType.Name(dtype)
    return name.removeprefix("DT_").lower()


def _json_type(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "Null", True: "True", False: "False"}[value]
    names: dict[type, str] = {dict: "Object", list: "Array", str: "String"}
    return names.get(type(value), "Number")
