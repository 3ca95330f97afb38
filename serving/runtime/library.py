"""TensorFlow's C interface (``tensorflow/c/c_api.h``), called with ctypes.

The model server is a C++ program around TensorFlow's session. The C interface uses the same session, so error texts
are the same and shapes stay unchecked, as in the real server. TensorFlow's Python code would add 16 s and 400 MB to
the start (docs/reference/serving.md). ctypes releases the GIL during every call.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import sys
from contextlib import contextmanager
from ctypes import c_char_p, c_int, c_int64, c_size_t, c_void_p
from pathlib import Path
from typing import TYPE_CHECKING

from serving.errors import StatusError

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES = {"-": None, "p": c_void_p, "s": c_char_p, "i": c_int, "q": c_int64, "n": c_size_t}

# Each line holds the type of a function's result, then those of its arguments.
_FUNCTIONS = """
TF_Version:s TF_NewStatus:p TF_DeleteStatus:-p TF_GetCode:ip TF_Message:sp
TF_NewBuffer:p TF_NewBufferFromString:psn TF_DeleteBuffer:-p
TF_NewSessionOptions:p TF_SetConfig:-psnp TF_DeleteSessionOptions:-p
TF_NewGraph:p TF_DeleteGraph:-p TF_GraphOperationByName:pps TF_OperationNumOutputs:ip
TF_LoadSessionFromSavedModel:pppspippp TF_SessionRun:-ppppippipipp TF_CloseSession:-pp TF_DeleteSession:-pp
TF_AllocateTensor:pipin TF_TensorFromProto:-ppp TF_DeleteTensor:-p
TF_TensorType:ip TF_NumDims:ip TF_Dim:qpi TF_TensorByteSize:np TF_TensorData:pp
TF_StringGetDataPointer:pp TF_StringGetSize:np
"""


class GraphOutput(ctypes.Structure):
    """``TF_Output``: one output of one operation of a graph."""

    _fields_ = (("operation", c_void_p), ("index", c_int))


class _Buffer(ctypes.Structure):
    _fields_ = (("data", c_void_p), ("length", c_size_t), ("data_deallocator", c_void_p))


@functools.cache
def library() -> ctypes.CDLL:
    """Load TensorFlow's C++ library once, with the types of the functions used here."""
    spec = importlib.util.find_spec("tensorflow")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("TensorFlow is not installed; the extra is called `serving`", name="tensorflow")
    name = "libtensorflow_cc.2.dylib" if sys.platform == "darwin" else "libtensorflow_cc.so.2"
    # Its symbols stay private: its OpenSSL differs from Python's, and global symbols would crash `hashlib`.
    loaded = ctypes.CDLL(str(Path(spec.origin).parent / name), mode=ctypes.RTLD_LOCAL)
    for declared in _FUNCTIONS.split():
        symbol, _, types = declared.partition(":")
        function = getattr(loaded, symbol)
        function.restype, *function.argtypes = (_TYPES[one] for one in types)
    return loaded


@contextmanager
def checked() -> Iterator[int]:
    """Yield a ``TF_Status`` for one call, and raise a StatusError if the call reports an error."""
    status = library().TF_NewStatus()
    try:
        yield status
        if code := library().TF_GetCode(status):
            raise StatusError(code, library().TF_Message(status).decode(errors="replace"))
    finally:
        library().TF_DeleteStatus(status)


@contextmanager
def buffer(content: bytes | None = None) -> Iterator[int]:
    """Yield a ``TF_Buffer`` with a serialized message, or an empty one that a call fills."""
    lib = library()
    pointer = lib.TF_NewBuffer() if content is None else lib.TF_NewBufferFromString(content, len(content))
    try:
        yield pointer
    finally:
        lib.TF_DeleteBuffer(pointer)


def content_of(pointer: int) -> bytes:
    """Return the bytes of a ``TF_Buffer``."""
    held = _Buffer.from_address(pointer)
    return ctypes.string_at(held.data, held.length)
