"""Tensors to JSON, printed as the model server prints it.

Four blanks a level, innermost lists on one line, every float with its point.
"""

from __future__ import annotations

import base64
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from serving import status
from serving.messages import types_pb2
from serving.rest_inputs import VALUE_FIELDS, type_name

if TYPE_CHECKING:
    from collections.abc import Mapping

_INDENT = " " * 4


class Token(str):
    """A number that is printed as it is."""

    __slots__ = ()


def outputs(tensors: Mapping[str, Any], *, rows: bool) -> dict[str, Any]:
    """Return the answer to a ``:predict``: ``predictions`` row by row, or ``outputs``.

    Raises
    ------
    serving.status.StatusError
        INVALID_ARGUMENT: row format needs every output to have the same first dimension.
    """
    if not rows:
        columns = {alias: _nested(alias, proto) for alias, proto in sorted(tensors.items())}
        return {"outputs": columns if len(columns) > 1 else next(iter(columns.values()))}
    size: int | None = None
    for alias, proto in sorted(tensors.items()):
        if not proto.tensor_shape.dim:
            raise status.invalid(f"Tensor name: {alias} has no shape information ")
        first = proto.tensor_shape.dim[0].size
        if size is not None and first != size:
            raise status.invalid(f"Tensor name: {alias} has inconsistent batch size: {first} expecting: {size}")
        size = first
    columns = {alias: _nested(alias, proto) for alias, proto in sorted(tensors.items())}
    if len(columns) == 1:
        return {"predictions": next(iter(columns.values()))}
    return {"predictions": [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]}


def _nested(alias: str, proto: Any) -> Any:
    cells = _cells(alias, proto)
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return array.reshape([dim.size for dim in proto.tensor_shape.dim]).tolist()


def _cells(alias: str, proto: Any) -> list[Any]:
    dtype = proto.dtype
    if dtype not in VALUE_FIELDS:
        raise status.unimplemented(f"Conversion of type: {type_name(dtype)} to JSON")
    values = getattr(proto, VALUE_FIELDS[dtype])
    if dtype == types_pb2.DT_STRING:
        if alias.endswith("_bytes"):
            return [{"b64": base64.b64encode(value).decode()} for value in values]
        return [value.decode(errors="replace") for value in values]
    if dtype == types_pb2.DT_FLOAT:
        return [Token(_number(value, np.float32, digits=9)) for value in values]
    if dtype == types_pb2.DT_DOUBLE:
        return [Token(_number(value, np.float64, digits=17)) for value in values]
    return list(values)


def _number(value: float, kind: type[np.floating[Any]], *, digits: int) -> str:
    """Print a float with 6 digits if that is exact for its ``kind``, else with ``digits``; always as a float."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    text = f"{value:.6g}"
    if kind(text) != kind(value):
        text = f"{value:.{digits}g}"
    return text if any(mark in text for mark in ".e") else f"{text}.0"


def pretty(value: Any, indent: str = "") -> str:
    """Return ``value`` as JSON."""
    inner = indent + _INDENT
    if isinstance(value, Token):
        return str(value)
    if isinstance(value, dict) and value:
        members = ",\n".join(f"{inner}{_string(key)}: {pretty(item, inner)}" for key, item in value.items())
        return f"{{\n{members}\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, list | dict) for item in value):
        items = ",\n".join(f"{inner}{pretty(item, inner)}" for item in value)
        return f"[\n{items}\n{indent}]"
    if isinstance(value, list):
        return "[" + ", ".join(pretty(item) for item in value) + "]"
    return _string(value)


def _string(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
