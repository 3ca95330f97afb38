"""A small real gRPC server that answers as TensorFlow Serving would, with memory and failure switches."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Self

import grpc
import numpy as np

from gateway.core.manifest import INCLINATION, INPUT, LIKELIHOODS
from gateway.inference import protos


def inclination_of(image: np.ndarray[Any, Any]) -> float:
    """Return the answer of every fake flavor, a known function: brighter images are more inclined."""
    return 45.0 + 45.0 * float(image.mean()) / 255.0


@dataclass
class FakeServing:
    """TensorFlow Serving for tests: a flavor answers :func:`inclination_of` plus its offset, a rejector the brightness.

    A rejector's likelihood is 0 for black and 1 for white; ``parts`` are the factors of its three outputs.

    Switches: ``failing`` maps a model to an error status, ``slow_s`` to a delay, ``nonsense`` to float values that
    replace its answer, ``lacking`` to an output that it does not have. ``as_content`` makes answers use
    ``tensor_content``, as an option of the real server does. ``answers_as`` is the version in all answers. ``hold``
    delays answers until it is set; ``hold_after`` is the number of images that each model accepts before it is set.
    Memory: ``batches``, the ``traces`` of Predict calls, and ``asked_versions``, None where a call left the version to
    the server.
    """

    models: dict[str, int]
    offsets: dict[str, float] = field(default_factory=dict)
    failing: dict[str, grpc.StatusCode] = field(default_factory=dict)
    slow_s: dict[str, float] = field(default_factory=dict)
    nonsense: dict[str, list[float]] = field(default_factory=dict)
    lacking: dict[str, str] = field(default_factory=dict)
    parts: tuple[float, float, float] = (1.0, 0.75, 0.25)
    states: dict[str, str] = field(default_factory=dict)
    as_content: bool = False
    answers_as: int | None = None
    hold_after: int | None = None
    batches: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    hold: asyncio.Event | None = None
    traces: list[str] = field(default_factory=list)
    asked_versions: list[int | None] = field(default_factory=list)
    most_at_once: int = 0
    _now: int = 0
    _server: Any = None
    address: str = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        unary = grpc.unary_unary_rpc_method_handler
        self._server.add_generic_rpc_handlers(
            (
                grpc.method_handlers_generic_handler(
                    "tensorflow.serving.PredictionService",
                    {
                        "Predict": unary(
                            self._predict,
                            protos.PredictRequest.FromString,
                            protos.PredictResponse.SerializeToString,
                        ),
                    },
                ),
                grpc.method_handlers_generic_handler(
                    "tensorflow.serving.ModelService",
                    {
                        "GetModelStatus": unary(
                            self._status,
                            protos.GetModelStatusRequest.FromString,
                            protos.GetModelStatusResponse.SerializeToString,
                        ),
                    },
                ),
            ),
        )
        bound = self._server.add_insecure_port(f"{host}:{port}")
        self.address = f"{host}:{bound}"
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop(None)

    def seen(self, name: str) -> int:
        """Return the number of images that a model has received."""
        return sum(shape[0] for one, shape in list(self.batches) if one == name)

    async def _predict(self, request: Any, context: Any) -> Any:
        name = request.model_spec.name
        while self.hold_after is not None and self.seen(name) >= self.hold_after:  # noqa: ASYNC110 - another thread changes it
            await asyncio.sleep(0.01)
        tensor = request.inputs[INPUT]
        shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
        images = np.frombuffer(tensor.tensor_content, np.uint8).reshape(shape)
        self.batches.append((name, shape))
        self.traces += [str(value) for key, value in context.invocation_metadata() if key == "traceparent"]
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            await asyncio.sleep(self.slow_s.get(name, 0.0))
            if self.hold is not None:
                await self.hold.wait()
        finally:
            self._now -= 1
        if name in self.failing:
            await context.abort(self.failing[name], f"{name} fails as told")
        pinned = request.model_spec.WhichOneof("version_choice") == "version"
        self.asked_versions.append(request.model_spec.version.value if pinned else None)
        wanted = f"Specific({name}, {request.model_spec.version.value})" if pinned else f"Latest({name})"
        if name not in self.models or (pinned and request.model_spec.version.value != self.models[name]):
            await context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {wanted}")
        outputs = {INCLINATION: [inclination_of(image) + self.offsets.get(name, 0.0) for image in images]}
        if name.endswith("_reject"):
            said = [float(image.mean()) / 255.0 for image in images]
            outputs = {key: [part * one for one in said] for key, part in zip(LIKELIHOODS, self.parts, strict=True)}
        outputs.pop(self.lacking.get(name, ""), None)
        response = protos.PredictResponse()
        response.model_spec.name = name
        response.model_spec.version.value = self.models[name] if self.answers_as is None else self.answers_as
        for output, said in outputs.items():
            values = self.nonsense.get(name, said)
            answer = response.outputs[output]
            answer.dtype = protos.types_pb2.DT_FLOAT
            answer.tensor_shape.dim.add(size=len(values))
            if self.as_content:
                answer.tensor_content = np.asarray(values, "<f4").tobytes()
            else:
                answer.float_val.extend(values)
        return response

    async def _status(self, request: Any, context: Any) -> Any:
        name = request.model_spec.name
        if name not in self.models:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"Could not find any versions of model {name}")
        response = protos.GetModelStatusResponse()
        response.model_version_status.add(
            version=self.models[name],
            state=protos.ModelVersionStatus.State.Value(self.states.get(name, "AVAILABLE")),
        )
        return response
