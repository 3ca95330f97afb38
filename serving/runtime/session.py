"""A SavedModel in a session of TensorFlow's runtime."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from serving.errors import StatusError, invalid
from serving.protos import config_pb2, meta_graph_pb2
from serving.runtime.library import GraphOutput, buffer, checked, content_of, library
from serving.runtime.tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TAGS = (ctypes.c_char_p * 1)(b"serve")


class Session:
    """A loaded SavedModel. Calls may come from many threads at once; :meth:`close` must be the last.

    A ``path`` without a valid SavedModel raises the loader's own StatusError. The thread pools belong to the process:
    the first session's ``config`` (ConfigProto) decides their size for all.
    """

    def __init__(self, path: str, *, config: Any) -> None:
        lib = library()
        serialized = config.SerializeToString()
        self._session = None
        self._graph = lib.TF_NewGraph()
        options = lib.TF_NewSessionOptions()
        try:
            with buffer() as meta:
                with checked() as status:
                    lib.TF_SetConfig(options, serialized, len(serialized), status)
                with checked() as status:
                    load = lib.TF_LoadSessionFromSavedModel
                    self._session = load(options, None, path.encode(), _TAGS, 1, self._graph, meta, status)
                graph = meta_graph_pb2.MetaGraphDef.FromString(content_of(meta))
        except StatusError:
            self.close()
            raise
        finally:
            lib.TF_DeleteSessionOptions(options)
        self.signatures: Mapping[str, Any] = dict(graph.signature_def)

    def run(
        self, feeds: Sequence[tuple[str, Tensor]], fetches: Sequence[str], *, timeout_ms: int | None = None
    ) -> list[Tensor]:
        """Run the graph once, without a check of shapes; names are such as ``serving_default_images:0``.

        The runtime raises StatusError for a wrong type or shape, or DEADLINE_EXCEEDED after ``timeout_ms``, which does
        not interrupt a running operation.
        """
        inputs = (GraphOutput * len(feeds))(*(self._output(name) for name, _ in feeds))
        values = (ctypes.c_void_p * len(feeds))(*(tensor.pointer for _, tensor in feeds))
        outputs = (GraphOutput * len(fetches))(*(self._output(name) for name in fetches))
        results = (ctypes.c_void_p * len(fetches))()
        options = config_pb2.RunOptions(timeout_in_ms=timeout_ms or 0)
        with buffer(options.SerializeToString()) as how, checked() as status:
            library().TF_SessionRun(
                *(self._session, how, inputs, values, len(feeds)),
                *(outputs, results, len(fetches), None, 0, None, status),
            )
        return [Tensor(pointer) for pointer in results if pointer is not None]

    def _output(self, tensor_name: str) -> GraphOutput:
        name, _, index = tensor_name.partition(":")
        operation, position = library().TF_GraphOperationByName(self._graph, name.encode()), int(index or 0)
        if not operation or position >= library().TF_OperationNumOutputs(operation):
            raise invalid(
                f"Tensor {tensor_name}, specified in either feed_devices or fetch_devices was not found in the Graph"
            )
        return GraphOutput(operation, position)

    def close(self) -> None:
        """Free the model's memory."""
        for end in (library().TF_CloseSession, library().TF_DeleteSession) if self._session is not None else ():
            with suppress(StatusError), checked() as status:
                end(self._session, status)
        if self._graph is not None:
            library().TF_DeleteGraph(self._graph)
        self._session = self._graph = None
