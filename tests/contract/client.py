"""A client of the server under test, and short ways to write its requests."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import text_format

from serving.protos import (
    get_model_status_pb2,
    model_management_pb2,
    model_server_config_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    tensor_pb2,
)
from tests.contract import repository
from tests.support.graphs import UINT8
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

TIMEOUT_S = 30.0
START, LOADING, AVAILABLE, UNLOADING, END = 10, 20, 30, 40, 50


@dataclass(frozen=True)
class Server:
    """A running server and the means to talk to it.

    ``directory`` is the models' as this process sees it, ``base`` as the server does.
    """

    channel: grpc.Channel
    base: str
    directory: Path | None

    def predict(self, request: Any, timeout_s: float = TIMEOUT_S) -> Any:
        """Call Predict."""
        return prediction_service_pb2_grpc.PredictionServiceStub(self.channel).Predict(request, timeout=timeout_s)

    def call(self, method: str, request: Any) -> Any:
        """Call another method of the PredictionService."""
        stub = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        return getattr(stub, method)(request, timeout=TIMEOUT_S)

    def model_status(self, request: Any) -> list[Any]:
        """Call GetModelStatus."""
        stub = model_service_pb2_grpc.ModelServiceStub(self.channel)
        return list(stub.GetModelStatus(request, timeout=TIMEOUT_S).model_version_status)

    def status(self, name: str, version: int | None = None) -> list[Any]:
        """Return the states of a model's versions."""
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = name
        if version is not None:
            request.model_spec.version.value = version
        return self.model_status(request)

    def states(self, name: str) -> dict[int, int]:
        """Return the state of each version of a model."""
        return {entry.version: entry.state for entry in self.status(name)}

    def wait_for_states(self, name: str, wanted: Mapping[int, int], timeout_s: float = TIMEOUT_S) -> None:
        """Wait until the versions named have the states named."""
        wait_until(lambda: wanted.items() <= self.states(name).items(), f"{name} to reach {dict(wanted)}", timeout_s)

    def reload(self, models: Mapping[str, str], timeout_s: float = TIMEOUT_S) -> Any:
        """Reload with a config of :func:`repository.config`."""
        return self.reload_text(repository.config(models, base=self.base), timeout_s)

    def reload_text(self, text: str, timeout_s: float = TIMEOUT_S) -> Any:
        """Reload with a text-format config."""
        request = model_management_pb2.ReloadConfigRequest(
            config=text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
        )
        stub = model_service_pb2_grpc.ModelServiceStub(self.channel)
        return stub.HandleReloadConfigRequest(request, timeout=timeout_s)


@contextmanager
def connected(address: str, *, base: str, directory: Path | None = None) -> Iterator[Server]:
    """Open the connection to a server, and close it."""
    lengths = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(address, options=lengths) as channel:
        yield Server(channel, base, directory)


def refusal(call: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[str, str]:
    """Make a call that has to fail; return its code's name and its text."""
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **named)
    return caught.value.code().name, caught.value.details() or ""


def tensor(dtype: int, shape: tuple[int, ...], **fields: Any) -> Any:
    """Return a ``TensorProto``."""
    proto = tensor_pb2.TensorProto(dtype=dtype, **fields)
    proto.tensor_shape.SetInParent()
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


def request_for(
    name: str,
    inputs: Mapping[str, Any],
    *,
    signature: str = "",
    version: int | None = None,
    label: str = "",
    outputs: tuple[str, ...] = (),
) -> Any:
    """Return a ``PredictRequest``."""
    request = predict_pb2.PredictRequest(inputs=inputs, output_filter=outputs)
    request.model_spec.name = name
    request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    if label:
        request.model_spec.version_label = label
    return request


def image_request(name: str = "mean", *, value: int = 7, **spec: Any) -> Any:
    """Return a request with one image of one colour; version *v* of ``mean`` answers ``value + 1000 v``."""
    side = repository.SIDE
    image = tensor(UINT8, (1, side, side, 3), tensor_content=bytes([value]) * side * side * 3)
    return request_for(name, {"images": image}, **spec)


def answered(response: Any) -> float:
    """Return the one value that ``mean`` answered."""
    (value,) = response.outputs["mean"].float_val
    return float(value)
