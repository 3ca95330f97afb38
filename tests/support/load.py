"""Continuous Predict calls from several threads; every answer is compared with the version that it names."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Self

import grpc
import numpy as np

from gateway.core.manifest import INCLINATION, INPUT, INPUT_SHAPE
from serving.protos import get_model_status_pb2, model_service_pb2_grpc, predict_pb2, prediction_service_pb2_grpc
from tests.support.models import flavor_answer, images_proto

if TYPE_CHECKING:
    from numpy.typing import NDArray

AVAILABLE, END = 30, 50
CALL_S = 30.0
# Fast reconnects, for tests that kill the server.
_CHANNEL = (("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200))


def images(count: int, *, seed: int = 0) -> NDArray[np.uint8]:
    """Return random model inputs, uint8 ``[count, 128, 128, 3]``, no two with the same mean."""
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (count, *INPUT_SHAPE), dtype=np.uint8) // random.integers(
        1, 9, (count, 1, 1, 1), dtype=np.uint8
    )


def predict_request(name: str, inputs: NDArray[np.uint8], version: int | None = None) -> Any:
    """Return a ``PredictRequest`` for a flavor."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    if version is not None:
        request.model_spec.version.value = version
    request.inputs[INPUT].CopyFrom(images_proto(inputs))
    return request


def states(channel: grpc.Channel, name: str) -> dict[int, int]:
    """Return the state of each version of a model."""
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = name
    response = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(request, timeout=CALL_S)
    return {entry.version: entry.state for entry in response.model_version_status}


def read_answer(response: Any) -> tuple[int, NDArray[np.float64]]:
    """Return the version that answered and the inclinations, degrees."""
    values = np.array(response.outputs[INCLINATION].float_val, dtype=np.float64)
    return response.model_spec.version.value, values


class Load:
    """Calls a flavor continuously while the context is open.

    Attributes
    ----------
    versions : list of int
        Version of each answer, in order of arrival.
    wrong : list of str
        Answers that differ from those of the version they name.
    failures : list of str
        Codes of failed calls.
    """

    def __init__(self, address: str, name: str, *, threads: int = 3, rows: int = 4, offset_deg: float = 0.0) -> None:
        self.versions: list[int] = []
        self.wrong: list[str] = []
        self.failures: list[str] = []
        self._channel = grpc.insecure_channel(address, options=list(_CHANNEL))
        self._inputs = images(rows)
        self._request = predict_request(name, self._inputs)
        self._offset_deg = offset_deg
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call_forever, daemon=True) for _ in range(threads)]

    @property
    def channel(self) -> grpc.Channel:
        """The connection that the calls use."""
        return self._channel

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._channel.close()

    def _call_forever(self) -> None:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        while not self._stop.is_set():
            try:
                response = stub.Predict(self._request, timeout=CALL_S)
            except grpc.RpcError as error:
                self.failures.append(error.code().name)
                self._stop.wait(0.02)
                continue
            version, values = read_answer(response)
            expected = flavor_answer(self._inputs, version=version, offset_deg=self._offset_deg)
            if not np.allclose(values, expected, atol=1e-4):
                self.wrong.append(f"version {version} answered {values}")
            self.versions.append(version)
