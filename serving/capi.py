"""TensorFlow's C interface (``tensorflow/c/c_api.h``), reached with ctypes.

The model server is a C++ program around TensorFlow's session. Going to the same session through its C interface gives
the same error texts, leaves shapes unchecked as the real server does, and spares the Python half of TensorFlow: half a
second and 280 MB to start instead of several seconds and 550 MB. ctypes releases the GIL during every call.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import sys
from ctypes import POINTER, c_char_p, c_int, c_int64, c_size_t, c_void_p
from pathlib import Path

from serving import status


class TfOutput(ctypes.Structure):
    """``TF_Output``: one output of one operation of a graph."""

    _fields_ = (("oper", c_void_p), ("index", c_int))


class TfBuffer(ctypes.Structure):
    """``TF_Buffer``: a serialized message."""

    _fields_ = (("data", c_void_p), ("length", c_size_t), ("data_deallocator", c_void_p))


_STRINGS = POINTER(c_char_p)
_POINTERS = POINTER(c_void_p)
_OUTPUTS = POINTER(TfOutput)
_BUFFER = POINTER(TfBuffer)
_DIMS = POINTER(c_int64)

_SIGNATURES: dict[str, tuple[object, tuple[object, ...]]] = {
    "TF_Version": (c_char_p, ()),
    "TF_NewStatus": (c_void_p, ()),
    "TF_DeleteStatus": (None, (c_void_p,)),
    "TF_GetCode": (c_int, (c_void_p,)),
    "TF_Message": (c_char_p, (c_void_p,)),
    "TF_NewBuffer": (_BUFFER, ()),
    "TF_NewBufferFromString": (_BUFFER, (c_char_p, c_size_t)),
    "TF_DeleteBuffer": (None, (_BUFFER,)),
    "TF_NewSessionOptions": (c_void_p, ()),
    "TF_DeleteSessionOptions": (None, (c_void_p,)),
    "TF_SetConfig": (None, (c_void_p, c_char_p, c_size_t, c_void_p)),
    "TF_NewGraph": (c_void_p, ()),
    "TF_DeleteGraph": (None, (c_void_p,)),
    "TF_GraphOperationByName": (c_void_p, (c_void_p, c_char_p)),
    "TF_OperationNumOutputs": (c_int, (c_void_p,)),
    "TF_LoadSessionFromSavedModel": (
        c_void_p,
        (c_void_p, _BUFFER, c_char_p, _STRINGS, c_int, c_void_p, _BUFFER, c_void_p),
    ),
    "TF_SessionRun": (
        None,
        (
            c_void_p,
            _BUFFER,
            _OUTPUTS,
            _POINTERS,
            c_int,
            _OUTPUTS,
            _POINTERS,
            c_int,
            _POINTERS,
            c_int,
            _BUFFER,
            c_void_p,
        ),
    ),
    "TF_CloseSession": (None, (c_void_p, c_void_p)),
    "TF_DeleteSession": (None, (c_void_p, c_void_p)),
    "TF_AllocateTensor": (c_void_p, (c_int, _DIMS, c_int, c_size_t)),
    "TF_DeleteTensor": (None, (c_void_p,)),
    "TF_TensorFromProto": (None, (_BUFFER, c_void_p, c_void_p)),
    "TF_TensorType": (c_int, (c_void_p,)),
    "TF_NumDims": (c_int, (c_void_p,)),
    "TF_Dim": (c_int64, (c_void_p, c_int)),
    "TF_TensorByteSize": (c_size_t, (c_void_p,)),
    "TF_TensorData": (c_void_p, (c_void_p,)),
    "TF_StringGetDataPointer": (c_void_p, (c_void_p,)),
    "TF_StringGetSize": (c_size_t, (c_void_p,)),
}


@functools.cache
def library() -> ctypes.CDLL:
    """Load TensorFlow's C++ library once, with the types of the functions used here."""
    spec = importlib.util.find_spec("tensorflow")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("TensorFlow is not installed; the extra is called `serving`", name="tensorflow")
    name = "libtensorflow_cc.2.dylib" if sys.platform == "darwin" else "libtensorflow_cc.so.2"
    library_path = Path(spec.origin).parent / name
    # Its symbols stay its own: it carries another OpenSSL than Python's, and visible to all it would crash `hashlib`.
    loaded = ctypes.CDLL(str(library_path), mode=ctypes.RTLD_LOCAL)
    for symbol, (result, arguments) in _SIGNATURES.items():
        function = getattr(loaded, symbol)
        function.restype = result
        function.argtypes = arguments
    return loaded


def version() -> str:
    """Return the version of TensorFlow's library, such as ``2.20.0``."""
    text: bytes = library().TF_Version()
    return text.decode()


class Status:
    """A ``TF_Status`` to pass to one call; :meth:`check` raises what the call reported."""

    def __init__(self) -> None:
        self.pointer = library().TF_NewStatus()

    def __del__(self) -> None:
        library().TF_DeleteStatus(self.pointer)

    def check(self) -> None:
        """Raise :class:`~serving.status.StatusError` unless the call went well."""
        code = library().TF_GetCode(self.pointer)
        if code:
            raise status.from_number(code, library().TF_Message(self.pointer).decode(errors="replace"))
