"""The protobuf messages and stubs of TensorFlow Serving, without TensorFlow's runtime.

The message classes of ``tensorflow-serving-api`` import those below ``tensorflow.core``; a plain import of these runs
``tensorflow/__init__.py``: 2.6 s and 550 MB for a dozen message definitions. Here the package's folder is found without
executing it, stands in for the package while the messages are imported, and is taken away again, so that a process that
wants the runtime (a test of training, say) can still import it.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def _package_without_runtime(name: str) -> Iterator[None]:
    if name in sys.modules:
        yield
        return
    spec = importlib.util.find_spec(name)
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError(f"The message classes need the files of the package {name!r}, which is not installed.")
    package = types.ModuleType(name)
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules[name] = package
    try:
        yield
    finally:
        del sys.modules[name]


with _package_without_runtime("tensorflow"):
    from tensorflow.core.framework import types_pb2
    from tensorflow.core.framework.tensor_pb2 import TensorProto
    from tensorflow_serving.apis.get_model_status_pb2 import (
        GetModelStatusRequest,
        GetModelStatusResponse,
        ModelVersionStatus,
    )
    from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceStub
    from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse

PREDICT = "/tensorflow.serving.PredictionService/Predict"

__all__ = [
    "PREDICT",
    "GetModelStatusRequest",
    "GetModelStatusResponse",
    "ModelServiceStub",
    "ModelVersionStatus",
    "PredictRequest",
    "PredictResponse",
    "TensorProto",
    "types_pb2",
]
