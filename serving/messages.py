"""The message classes of TensorFlow Serving, imported without running TensorFlow.

``tensorflow_serving.apis`` imports ``tensorflow.core.*_pb2``, and importing those the naive way executes
``tensorflow/__init__.py``: seconds, and hundreds of megabytes, for what is only generated code. While the message
modules are imported, an empty package with TensorFlow's path stands in its place; afterwards ``import tensorflow``
works as ever.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def _hollow_tensorflow() -> Iterator[None]:
    if "tensorflow" in sys.modules:
        yield
        return
    spec = importlib.util.find_spec("tensorflow")
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError("TensorFlow is not installed; the extra is called `serving`", name="tensorflow")
    hollow = types.ModuleType("tensorflow")
    hollow.__path__ = list(spec.submodule_search_locations)
    sys.modules["tensorflow"] = hollow
    try:
        yield
    finally:
        del sys.modules["tensorflow"]


def _import(name: str) -> Any:
    return importlib.import_module(name)


with _hollow_tensorflow(), warnings.catch_warnings():
    # tensorflow-serving-api ships code generated for protobuf 5, which protobuf 6 supports and remarks upon.
    warnings.filterwarnings("ignore", message="Protobuf gencode version", category=UserWarning)
    tensor_pb2 = _import("tensorflow.core.framework.tensor_pb2")
    types_pb2 = _import("tensorflow.core.framework.types_pb2")
    graph_pb2 = _import("tensorflow.core.framework.graph_pb2")
    config_pb2 = _import("tensorflow.core.protobuf.config_pb2")
    meta_graph_pb2 = _import("tensorflow.core.protobuf.meta_graph_pb2")
    saved_model_pb2 = _import("tensorflow.core.protobuf.saved_model_pb2")
    classification_pb2 = _import("tensorflow_serving.apis.classification_pb2")
    get_model_metadata_pb2 = _import("tensorflow_serving.apis.get_model_metadata_pb2")
    get_model_status_pb2 = _import("tensorflow_serving.apis.get_model_status_pb2")
    inference_pb2 = _import("tensorflow_serving.apis.inference_pb2")
    model_management_pb2 = _import("tensorflow_serving.apis.model_management_pb2")
    model_pb2 = _import("tensorflow_serving.apis.model_pb2")
    model_service_pb2_grpc = _import("tensorflow_serving.apis.model_service_pb2_grpc")
    predict_pb2 = _import("tensorflow_serving.apis.predict_pb2")
    prediction_log_pb2 = _import("tensorflow_serving.apis.prediction_log_pb2")
    prediction_service_pb2_grpc = _import("tensorflow_serving.apis.prediction_service_pb2_grpc")
    regression_pb2 = _import("tensorflow_serving.apis.regression_pb2")
    model_server_config_pb2 = _import("tensorflow_serving.config.model_server_config_pb2")
