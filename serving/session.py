"""A SavedModel in a session of TensorFlow's runtime."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from serving import capi, status
from serving.messages import config_pb2, meta_graph_pb2
from serving.tensors import Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Session:
    """A loaded SavedModel. Calls may come from many threads at once; :meth:`close` must be the last.

    Parameters
    ----------
    path : str
        The version directory: ``saved_model.pb``, ``variables/``, ``assets/``.
    tags : sequence of str
        Which meta graph of the file, ``serve`` as a rule.
    config : tensorflow.ConfigProto
        Thread pools are the process's: the first session loaded decides their size for all.

    Raises
    ------
    serving.status.StatusError
        The directory holds no such SavedModel, or a broken one; text and code are the loader's.
    """

    def __init__(self, path: str, *, tags: Sequence[str], config: Any) -> None:
        lib = capi.library()
        outcome = capi.Status()
        options = lib.TF_NewSessionOptions()
        meta = lib.TF_NewBuffer()
        self._graph = lib.TF_NewGraph()
        self._session = None
        try:
            serialized = config.SerializeToString()
            lib.TF_SetConfig(options, serialized, len(serialized), outcome.pointer)
            outcome.check()
            names = (ctypes.c_char_p * len(tags))(*(tag.encode() for tag in tags))
            self._session = lib.TF_LoadSessionFromSavedModel(
                options, None, path.encode(), names, len(tags), self._graph, meta, outcome.pointer
            )
            outcome.check()
            content = meta.contents
            graph = meta_graph_pb2.MetaGraphDef.FromString(ctypes.string_at(content.data, content.length))
        except status.StatusError:
            self.close()
            raise
        finally:
            lib.TF_DeleteBuffer(meta)
            lib.TF_DeleteSessionOptions(options)
        self.signatures: Mapping[str, Any] = dict(graph.signature_def)

    def run(
        self, feeds: Sequence[tuple[str, Tensor]], fetches: Sequence[str], *, timeout_ms: int | None = None
    ) -> list[Tensor]:
        """Run the graph once.

        Parameters
        ----------
        feeds : sequence of (str, Tensor)
            Tensor names such as ``serving_default_images:0`` with their values. Shapes are not compared with anything.
        fetches : sequence of str
        timeout_ms : int, optional
            DEADLINE_EXCEEDED after that long; operations already running are not interrupted.

        Raises
        ------
        serving.status.StatusError
            Whatever the runtime says: a wrong type, a shape that an operation can't take, the time-out.
        """
        lib = capi.library()
        inputs = (capi.TfOutput * len(feeds))(*(self._endpoint(name) for name, _ in feeds))
        values = (ctypes.c_void_p * len(feeds))(*(tensor.pointer for _, tensor in feeds))
        outputs = (capi.TfOutput * len(fetches))(*(self._endpoint(name) for name in fetches))
        results = (ctypes.c_void_p * len(fetches))()
        outcome = capi.Status()
        options = None
        if timeout_ms is not None:
            data = config_pb2.RunOptions(timeout_in_ms=max(1, timeout_ms)).SerializeToString()
            options = lib.TF_NewBufferFromString(data, len(data))
        try:
            lib.TF_SessionRun(
                self._session,
                options,
                inputs,
                values,
                len(feeds),
                outputs,
                results,
                len(fetches),
                None,
                0,
                None,
                outcome.pointer,
            )
        finally:
            if options is not None:
                lib.TF_DeleteBuffer(options)
        outcome.check()
        return [Tensor(pointer) for pointer in results if pointer is not None]

    def _endpoint(self, tensor_name: str) -> capi.TfOutput:
        operation, _, index = tensor_name.partition(":")
        lib = capi.library()
        found = lib.TF_GraphOperationByName(self._graph, operation.encode())
        position = int(index or 0)
        if not found or position >= lib.TF_OperationNumOutputs(found):
            raise status.invalid(
                f"Tensor {tensor_name}, specified in either feed_devices or fetch_devices was not found in the Graph"
            )
        return capi.TfOutput(found, position)

    def close(self) -> None:
        """Give the model's memory back."""
        lib = capi.library()
        if self._session is not None:
            outcome = capi.Status()
            lib.TF_CloseSession(self._session, outcome.pointer)
            lib.TF_DeleteSession(self._session, outcome.pointer)
            self._session = None
        if self._graph is not None:
            lib.TF_DeleteGraph(self._graph)
            self._graph = None
