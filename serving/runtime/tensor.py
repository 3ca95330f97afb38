"""Tensors of TensorFlow's runtime, converted from and to ``TensorProto``.

The runtime itself decodes requests, so that short, surplus and out-of-range values have the same effect as in the
real server. Answers are encoded here.
"""

from __future__ import annotations

import ctypes
import math
from typing import Any

import numpy as np
from grpc import StatusCode

from serving.errors import StatusError
from serving.protos import tensor_pb2, types_pb2
from serving.runtime.library import buffer, checked, library

_TSTRING_BYTES = 24

# Memory layout of a type's values, and the field of TensorProto that holds them. Types that numpy lacks are passed
# as their bits.
_LAYOUT: dict[int, tuple[str, str]] = {
    types_pb2.DT_FLOAT: ("f4", "float_val"),
    types_pb2.DT_DOUBLE: ("f8", "double_val"),
    types_pb2.DT_INT32: ("i4", "int_val"),
    types_pb2.DT_UINT8: ("u1", "int_val"),
    types_pb2.DT_INT64: ("i8", "int64_val"),
    types_pb2.DT_BOOL: ("?", "bool_val"),
    types_pb2.DT_HALF: ("u2", "half_val"),
    types_pb2.DT_BFLOAT16: ("u2", "half_val"),
    types_pb2.DT_COMPLEX64: ("f4", "scomplex_val"),
}


class Tensor:
    """Owns one ``TF_Tensor``: a value for or from a session."""

    def __init__(self, pointer: int) -> None:
        self.pointer = pointer

    def __del__(self) -> None:
        library().TF_DeleteTensor(self.pointer)

    @classmethod
    def from_proto(cls, proto: Any) -> Tensor:
        """Decode a ``TensorProto``; raises StatusError for a wrong type, shape or length."""
        # TF_TensorFromProto needs an existing tensor; this scalar is replaced.
        tensor = cls(library().TF_AllocateTensor(types_pb2.DT_FLOAT, None, 0, 4))
        with buffer(proto.SerializeToString()) as data, checked() as status:
            library().TF_TensorFromProto(data, tensor.pointer, status)
        return tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the sizes of the dimensions."""
        return tuple(library().TF_Dim(self.pointer, axis) for axis in range(library().TF_NumDims(self.pointer)))

    def to_proto(self) -> Any:
        """Encode as ``TensorProto`` with complete typed fields."""
        lib, dtype, count = library(), library().TF_TensorType(self.pointer), math.prod(self.shape)
        proto = tensor_pb2.TensorProto(dtype=dtype)
        proto.tensor_shape.SetInParent()
        for size in self.shape:
            proto.tensor_shape.dim.add(size=size)
        # A tensor without elements has no memory, and a call for it ends the process.
        data = lib.TF_TensorData(self.pointer) if count else 0
        if dtype == types_pb2.DT_STRING:
            for item in range(data, data + count * _TSTRING_BYTES, _TSTRING_BYTES):
                text = ctypes.string_at(lib.TF_StringGetDataPointer(item), lib.TF_StringGetSize(item))
                proto.string_val.append(text)
        elif dtype in _LAYOUT:
            numbers, field = _LAYOUT[dtype]
            content = ctypes.string_at(data, lib.TF_TensorByteSize(self.pointer)) if count else b""
            getattr(proto, field).extend(np.frombuffer(content, numbers).tolist())
        else:
            raise StatusError(StatusCode.UNIMPLEMENTED, f"Type {types_pb2.DataType.Name(dtype)} can't be sent")
        return proto
