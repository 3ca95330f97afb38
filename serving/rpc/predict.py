"""Predict: the checks in the real server's order and words (``servables/tensorflow/predict_util.cc``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grpc import StatusCode

from serving.errors import StatusError, invalid
from serving.protos import predict_pb2
from serving.runtime.tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from serving.runtime.session import Session

DEFAULT_SIGNATURE = "serving_default"


def predict(session: Session, request: Any, *, version: int, timeout_ms: int | None = None) -> Any:
    """Return the ``PredictResponse`` of a session and its version to a ``PredictRequest``.

    The StatusError is FAILED_PRECONDITION for an unknown signature, INVALID_ARGUMENT for inputs and outputs that don't
    fit it, or the error of :meth:`Session.run`.
    """
    name = request.model_spec.signature_name or DEFAULT_SIGNATURE
    signature = session.signatures.get(name)
    if signature is None:
        raise StatusError(StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.')
    feeds = _feeds(signature, request.inputs)
    aliases = _outputs(signature, request.output_filter)
    results = session.run(feeds, [signature.outputs[alias].name for alias in aliases], timeout_ms=timeout_ms)
    response = predict_pb2.PredictResponse()
    response.model_spec.name = request.model_spec.name
    response.model_spec.version.value = version
    response.model_spec.signature_name = name
    for alias, result in zip(aliases, results, strict=True):
        response.outputs[alias].CopyFrom(result.to_proto())
    return response


def _feeds(signature: Any, inputs: Any) -> list[tuple[str, Tensor]]:
    given, known, defaults = set(inputs), set(signature.inputs), set(signature.defaults)
    if len(given) > len(known) or (len(given) < len(known) and not defaults):
        raise invalid(
            f"input size does not match signature: {len(given)}!={len(known)} len({{{_joined(given)}}}) != "
            f"len({{{_joined(known)}}}). Sent extra: {{{_joined(given - known)}}}. "
            f"Missing but required: {{{_joined(known - given)}}}."
        )
    feeds = []
    for alias in sorted(known):
        feed_name = signature.inputs[alias].name
        if alias not in given | defaults:
            raise invalid(
                f"Signature input alias: {alias}(feed name: {feed_name}) not found in request and no default value "
                f"provided. Inputs expected to be in the request {{{_joined(given)}}}, or default input alias set: "
                f"{_joined(defaults)}"
            )
        try:
            feeds.append((feed_name, Tensor.from_proto((inputs if alias in given else signature.defaults)[alias])))
        except StatusError as error:
            raise invalid(f"tensor parsing error: {alias}") from error
    if given - known:
        raise invalid(
            f"Inputs contains invalid name. Used request inputs: {_joined(given & known)}, "
            f"request input: {_joined(given)}"
        )
    return feeds


def _outputs(signature: Any, output_filter: Iterable[str]) -> list[str]:
    chosen: list[str] = []
    for alias in output_filter:
        if alias not in signature.outputs:
            raise invalid(
                f"output tensor alias not found in signature: {alias} Outputs expected to be in the set "
                f"{{{_joined(signature.outputs)}}}."
            )
        if alias in chosen:
            raise invalid(f"duplicate output tensor alias: {alias}")
        chosen.append(alias)
    return chosen or sorted(signature.outputs)


def _joined(names: Iterable[str]) -> str:
    return ",".join(sorted(names))
