"""Predict: the checks in the real server's order and words (``servables/tensorflow/predict_util.cc``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serving import status
from serving.messages import predict_pb2
from serving.model import DEFAULT_SIGNATURE
from serving.tensors import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from serving.model import Model


def predict(
    model: Model, request: Any, *, version: int, timeout_ms: int | None = None, as_content: bool = False
) -> Any:
    """Answer a ``PredictRequest`` with a ``PredictResponse``.

    Parameters
    ----------
    model : serving.model.Model
        What the request's model spec was resolved to, and its ``version``.
    timeout_ms : int, optional
        DEADLINE_EXCEEDED after that long.
    as_content : bool
        Answer with ``tensor_content`` instead of typed fields.

    Raises
    ------
    serving.status.StatusError
        FAILED_PRECONDITION for an unknown signature, INVALID_ARGUMENT for inputs and outputs that don't fit it, and
        what the runtime says of types and shapes.
    """
    name = request.model_spec.signature_name or DEFAULT_SIGNATURE
    signature = model.session.signatures.get(name)
    if signature is None:
        raise status.failed_precondition(f'Serving signature key "{name}" not found.')
    feeds = _feeds(signature, request.inputs)
    aliases = _outputs(signature, request.output_filter)
    results = model.run(feeds, [signature.outputs[alias].name for alias in aliases], timeout_ms=timeout_ms)
    response = predict_pb2.PredictResponse()
    response.model_spec.name = request.model_spec.name
    response.model_spec.version.value = version
    response.model_spec.signature_name = name
    for alias, result in zip(aliases, results, strict=True):
        response.outputs[alias].CopyFrom(result.to_proto(as_content=as_content))
    return response


def _feeds(signature: Any, inputs: Any) -> list[tuple[str, Tensor]]:
    given, known, defaults = set(inputs), set(signature.inputs), set(signature.defaults)
    if len(given) > len(known) or (len(given) < len(known) and not defaults):
        raise status.invalid(
            f"input size does not match signature: {len(given)}!={len(known)} len({_braced(given)}) != "
            f"len({_braced(known)}). Sent extra: {_braced(given - known)}. "
            f"Missing but required: {_braced(known - given)}."
        )
    feeds = []
    for alias in sorted(known):
        feed_name = signature.inputs[alias].name
        if alias not in given and alias not in defaults:
            raise status.invalid(
                f"Signature input alias: {alias}(feed name: {feed_name}) not found in request and no default value "
                f"provided. Inputs expected to be in the request {_braced(given)}, or default input alias set: "
                f"{_joined(defaults)}"
            )
        feeds.append((feed_name, _decoded(alias, inputs[alias] if alias in given else signature.defaults[alias])))
    if given - known:
        raise status.invalid(
            f"Inputs contains invalid name. Used request inputs: {_joined(given & known)}, "
            f"request input: {_joined(given)}"
        )
    return feeds


def _decoded(alias: str, proto: Any) -> Tensor:
    try:
        return Tensor.from_proto(proto)
    except status.StatusError as error:
        raise status.invalid(f"tensor parsing error: {alias}") from error


def _outputs(signature: Any, output_filter: Iterable[str]) -> list[str]:
    chosen: list[str] = []
    for alias in output_filter:
        if alias not in signature.outputs:
            raise status.invalid(
                f"output tensor alias not found in signature: {alias} Outputs expected to be in the set "
                f"{_braced(signature.outputs)}."
            )
        if alias in chosen:
            raise status.invalid(f"duplicate output tensor alias: {alias}")
        chosen.append(alias)
    return chosen or sorted(signature.outputs)


def _joined(names: Iterable[str]) -> str:
    return ",".join(sorted(names))


def _braced(names: Iterable[str]) -> str:
    return f"{{{_joined(names)}}}"
