"""Tensors of TensorFlow's runtime, to and from ``TensorProto``.

Requests are decoded by the runtime itself, so that short, surplus and out-of-range values mean what they mean to the
real server. Answers are encoded here: typed fields of full length, ``tensor_content`` only on demand.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np

from serving import capi, status
from serving.messages import tensor_pb2, types_pb2

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRING = types_pb2.DT_STRING
_TSTRING_BYTES = 24

# How a type lies in memory, and the field of TensorProto that carries its values. Types without a numpy equivalent
# travel as their bits.
_LAYOUT: dict[int, tuple[Any, str]] = {
    types_pb2.DT_FLOAT: (np.float32, "float_val"),
    types_pb2.DT_DOUBLE: (np.float64, "double_val"),
    types_pb2.DT_INT32: (np.int32, "int_val"),
    types_pb2.DT_UINT8: (np.uint8, "int_val"),
    types_pb2.DT_INT16: (np.int16, "int_val"),
    types_pb2.DT_INT8: (np.int8, "int_val"),
    types_pb2.DT_UINT16: (np.uint16, "int_val"),
    types_pb2.DT_INT64: (np.int64, "int64_val"),
    types_pb2.DT_BOOL: (np.bool_, "bool_val"),
    types_pb2.DT_UINT32: (np.uint32, "uint32_val"),
    types_pb2.DT_UINT64: (np.uint64, "uint64_val"),
    types_pb2.DT_HALF: (np.uint16, "half_val"),
    types_pb2.DT_BFLOAT16: (np.uint16, "half_val"),
    types_pb2.DT_COMPLEX64: (np.float32, "scomplex_val"),
    types_pb2.DT_COMPLEX128: (np.float64, "dcomplex_val"),
}
_COMPLEX = (types_pb2.DT_COMPLEX64, types_pb2.DT_COMPLEX128)


class Tensor:
    """Owns one ``TF_Tensor``: a value on its way into or out of a session."""

    __slots__ = ("pointer",)

    def __init__(self, pointer: int) -> None:
        self.pointer = pointer

    def __del__(self) -> None:
        capi.library().TF_DeleteTensor(self.pointer)

    @classmethod
    def from_proto(cls, proto: Any) -> Tensor:
        """Decode a ``TensorProto`` as the runtime does.

        Raises
        ------
        serving.status.StatusError
            INVALID_ARGUMENT: no type, negative or overflowing shape, content of the wrong length.
        """
        lib = capi.library()
        # A scalar to be replaced: TF_TensorFromProto wants a tensor to assign to.
        tensor = cls(lib.TF_AllocateTensor(types_pb2.DT_FLOAT, None, 0, 4))
        data = proto.SerializeToString()
        buffer = lib.TF_NewBufferFromString(data, len(data))
        outcome = capi.Status()
        try:
            lib.TF_TensorFromProto(buffer, tensor.pointer, outcome.pointer)
        finally:
            lib.TF_DeleteBuffer(buffer)
        outcome.check()
        return tensor

    @property
    def dtype(self) -> int:
        """The ``DataType``."""
        return int(capi.library().TF_TensorType(self.pointer))

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the dimensions."""
        lib = capi.library()
        return tuple(lib.TF_Dim(self.pointer, axis) for axis in range(lib.TF_NumDims(self.pointer)))

    def values(self) -> NDArray[Any]:
        """Return the values, flat: numbers as they lie in memory (half, bfloat16 as uint16), strings as ``bytes``."""
        count = int(np.prod(self.shape, dtype=np.int64))
        if self.dtype == STRING:
            return self._strings(count)
        layout = _LAYOUT.get(self.dtype)
        if layout is None:
            raise status.unimplemented(f"Type {types_pb2.DataType.Name(self.dtype)} can't be sent")
        numbers = count * 2 if self.dtype in _COMPLEX else count
        lib = capi.library()
        data = (
            ctypes.string_at(lib.TF_TensorData(self.pointer), lib.TF_TensorByteSize(self.pointer)) if numbers else b""
        )
        return np.frombuffer(data, dtype=layout[0], count=numbers)

    def _strings(self, count: int) -> NDArray[Any]:
        lib = capi.library()
        first = lib.TF_TensorData(self.pointer)
        values = np.empty(count, dtype=object)
        for index in range(count):
            item = first + index * _TSTRING_BYTES
            values[index] = ctypes.string_at(lib.TF_StringGetDataPointer(item), lib.TF_StringGetSize(item))
        return values

    def to_proto(self, *, as_content: bool = False) -> Any:
        """Encode as ``TensorProto``: typed fields, or ``tensor_content`` for whatever is not text."""
        dtype, shape, values = self.dtype, self.shape, self.values()
        proto = tensor_pb2.TensorProto(dtype=dtype)
        proto.tensor_shape.SetInParent()
        for size in shape:
            proto.tensor_shape.dim.add(size=size)
        if dtype == STRING:
            proto.string_val.extend(values.tolist())
        elif as_content:
            proto.tensor_content = values.tobytes()
        else:
            getattr(proto, _LAYOUT[dtype][1]).extend(values.tolist())
        return proto
