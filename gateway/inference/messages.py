"""Requests of Predict, and the checks of its answers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gateway.core.manifest import INPUT, LIKELIHOODS, SIGNATURE
from gateway.inference import protos

if TYPE_CHECKING:
    from numpy.typing import NDArray

Values = list[tuple[float, ...]]
"""A model's answers for the images of a batch: one tuple per image, one value per output."""

_TOLERANCE = 1e-3
"""Rounding error by which a likelihood may lie outside of 0..1."""


def serialized_inputs(batch: NDArray[np.uint8]) -> bytes:
    """Return a batch uint8 ``[N, 128, 128, 3]`` as the inputs of a serialized request."""
    request = protos.PredictRequest()
    tensor = request.inputs[INPUT]
    tensor.dtype = protos.types_pb2.DT_UINT8
    for size in batch.shape:
        tensor.tensor_shape.dim.add(size=size)
    tensor.tensor_content = batch.tobytes()
    serialized: bytes = request.SerializeToString()
    return serialized


def request(model: str, version: int | None, images: bytes) -> bytes:
    """Return the request for one model: its name and version, then the result of :func:`serialized_inputs`.

    Serialized messages concatenate to the merged message, so that a batch is serialized once for all models.
    """
    asked = protos.PredictRequest()
    asked.model_spec.name = model
    if version is not None:
        asked.model_spec.version.value = version
    asked.model_spec.signature_name = SIGNATURE
    spec: bytes = asked.SerializeToString()
    return spec + images


def answer(response: Any, outputs: tuple[str, ...], count: int, version: int | None) -> tuple[int, Values]:
    """Return the version that answered, and for each image the values of ``outputs``, in their order.

    Parameters
    ----------
    response : PredictResponse
    outputs : tuple of str
        Names of the outputs to read.
    count : int
        Number of images that were sent.
    version : int, optional
        Version that was requested.

    Raises
    ------
    ValueError
        The answer is from another version, lacks an output, or has too many or too few values, or values that are not
        finite or no likelihoods.
    """
    served: int = response.model_spec.version.value
    if version not in {None, served}:
        raise ValueError(f"version {version} was asked, and version {served} answered")
    return served, list(zip(*(_values(response, output, count) for output in outputs), strict=True))


def _values(response: Any, output: str, count: int) -> list[float]:
    """Return the values of one output, from typed fields or tensor content."""
    tensor = response.outputs.get(output)
    if tensor is None or tensor.dtype != protos.types_pb2.DT_FLOAT:
        raise ValueError(f"the answer has no float output {output!r}")
    values = np.frombuffer(tensor.tensor_content, "<f4").tolist() if tensor.tensor_content else list(tensor.float_val)
    if len(values) != count or not all(map(math.isfinite, values)):
        raise ValueError(f"{count} finite values were expected in {output!r}")
    if output in LIKELIHOODS and any(abs(value - 0.5) > 0.5 + _TOLERANCE for value in values):
        raise ValueError(f"likelihoods of 0 to 1 were expected in {output!r}")
    return values
