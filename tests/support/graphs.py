"""SavedModels from hand-written graphs: valid for TensorFlow and its server, and written without importing it.

A graph is a list of nodes; a test that a request reaches the right version needs no network.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gateway.core.light_import import without_running
from serving.protos import meta_graph_pb2, tensor_pb2, types_pb2

with without_running("tensorflow"):
    from tensorflow.core.framework import graph_pb2
    from tensorflow.core.protobuf import saved_model_pb2

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FLOAT = types_pb2.DT_FLOAT
DOUBLE = types_pb2.DT_DOUBLE
INT32 = types_pb2.DT_INT32
INT64 = types_pb2.DT_INT64
UINT8 = types_pb2.DT_UINT8
STRING = types_pb2.DT_STRING
BOOL = types_pb2.DT_BOOL

# Version of the graph language in TensorFlow 2.20; readers of older versions would add compatibility shims.
_PRODUCER = 2153


class Graph:
    """A graph under construction; every method adds a node and returns its name."""

    def __init__(self) -> None:
        self._definition = graph_pb2.GraphDef()
        self._definition.versions.producer = _PRODUCER
        self._signatures: dict[str, Any] = {}
        self._types: dict[str, tuple[int, tuple[int, ...]]] = {}

    def op(self, kind: str, name: str, *inputs: str, **types: int) -> str:
        """Add an operation; keyword arguments are its type attributes."""
        node = self._definition.node.add(op=kind, name=name, input=inputs)
        for key, value in types.items():
            node.attr[key].type = value
        return name

    def placeholder(self, name: str, dtype: int, shape: tuple[int, ...]) -> str:
        """Add an input; -1 is an unknown size."""
        node = self._definition.node.add(op="Placeholder", name=name)
        node.attr["dtype"].type = dtype
        _fill_shape(node.attr["shape"].shape, shape)
        self._types[name] = (dtype, shape)
        return name

    def constant(self, name: str, dtype: int, values: float | list[int]) -> str:
        """Add a scalar, or a vector of integers."""
        tensor = tensor_pb2.TensorProto(dtype=dtype)
        listed = values if isinstance(values, list) else [values]
        if isinstance(values, list):
            tensor.tensor_shape.dim.add(size=len(values))
        field = {FLOAT: "float_val", DOUBLE: "double_val", INT64: "int64_val"}.get(dtype, "int_val")
        getattr(tensor, field).extend(listed)
        node = self._definition.node.add(op="Const", name=name)
        node.attr["dtype"].type = dtype
        node.attr["value"].tensor.CopyFrom(tensor)
        return name

    def output(self, name: str, source: str, dtype: int, shape: tuple[int, ...]) -> str:
        """Add an output with the value of ``source``."""
        self._types[name] = (dtype, shape)
        return self.op("Identity", name, source, T=dtype)

    def signature(
        self,
        inputs: Mapping[str, str],
        outputs: Mapping[str, str],
        *,
        name: str = "serving_default",
        method: str = "tensorflow/serving/predict",
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        """Declare a signature: node by alias, with ``TensorProto`` defaults for optional inputs."""
        definition = meta_graph_pb2.SignatureDef(method_name=method)
        for listed, target in ((inputs, definition.inputs), (outputs, definition.outputs)):
            for alias, node in listed.items():
                dtype, shape = self._types[node]
                target[alias].name = f"{node}:0"
                target[alias].dtype = dtype
                _fill_shape(target[alias].tensor_shape, shape)
        for alias, value in (defaults or {}).items():
            definition.defaults[alias].CopyFrom(value)
        self._signatures[name] = definition

    def save(self, directory: Path) -> None:
        """Write the SavedModel; an existing ``directory`` is an error."""
        model = saved_model_pb2.SavedModel(saved_model_schema_version=1)
        meta = model.meta_graphs.add()
        meta.meta_info_def.tags.append("serve")
        meta.graph_def.CopyFrom(self._definition)
        for name, definition in self._signatures.items():
            meta.signature_def[name].CopyFrom(definition)
        directory.mkdir(parents=True)
        (directory / "saved_model.pb").write_bytes(model.SerializeToString())


def mean_of_images(graph: Graph, *, side: int) -> str:
    """Add input ``images`` uint8 ``[N, side, side, 3]`` and the mean of each image, float32 ``[N]``, 0..255."""
    graph.placeholder("serving_default_images", UINT8, (-1, side, side, 3))
    rows = graph.constant("rows", INT32, [-1, math.prod((side, side, 3))])
    flat = graph.op("Reshape", "Reshape", "serving_default_images", rows, T=UINT8, Tshape=INT32)
    numbers = graph.op("Cast", "Cast", flat, SrcT=UINT8, DstT=FLOAT)
    return graph.op("Mean", "Mean", numbers, graph.constant("axis", INT32, 1), T=FLOAT, Tidx=INT32)


def _fill_shape(target: Any, shape: tuple[int, ...]) -> None:
    target.SetInParent()
    for size in shape:
        target.dim.add(size=size)
