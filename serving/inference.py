"""Classify, Regress and MultiInference, as far as models with tensor signatures need them.

The three calls carry ``tf.Example`` records to a signature whose only input is called ``inputs``. Models that take
tensors are refused in the real server's words. One that takes examples is refused as well, with UNIMPLEMENTED: running
it is TensorFlow Serving's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf import text_format

from serving import status
from serving.model import DEFAULT_SIGNATURE

if TYPE_CHECKING:
    from serving.model import Model

CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"
_INPUTS = "inputs"
_TWO_OUTPUTS = (1, 2)


def classify(model: Model, request: Any, *, check_method: bool = False) -> Any:
    """Refuse a ``ClassificationRequest`` in the words that fit the signature.

    Raises
    ------
    serving.status.StatusError
        Always.
    """
    signature = _signature(model, request.model_spec.signature_name)
    _check_method(signature, CLASSIFY, "classification", check=check_method)
    if len(signature.inputs) != 1:
        raise status.invalid("Expected one input Tensor.")
    if len(signature.outputs) not in _TWO_OUTPUTS:
        raise status.invalid(f"Expected one or two output Tensors, found {len(signature.outputs)}")
    _check_examples(signature, "classification", request.input)
    raise status.unimplemented("The stand-in runs no Classify; TensorFlow Serving does")


def regress(model: Model, request: Any, *, check_method: bool = False) -> Any:
    """Refuse a ``RegressionRequest``; as :func:`classify`."""
    signature = _signature(model, request.model_spec.signature_name)
    _check_method(signature, REGRESS, "regression", check=check_method)
    if len(signature.inputs) != 1:
        raise status.invalid("Expected one input Tensor.")
    if len(signature.outputs) != 1:
        raise status.invalid("Expected one output Tensor.")
    _check_examples(signature, "regression", request.input)
    raise status.unimplemented("The stand-in runs no Regress; TensorFlow Serving does")


def multi_inference(model: Model, request: Any) -> Any:
    """Refuse a ``MultiInferenceRequest``; as :func:`classify`."""
    names = {task.model_spec.name for task in request.tasks}
    if len(names) > 1:
        raise status.invalid("All ModelSpecs in a MultiInferenceRequest must access the same model name.")
    seen: set[str] = set()
    for task in request.tasks:
        name = task.model_spec.signature_name or DEFAULT_SIGNATURE
        if name in seen:
            raise status.invalid(f"Duplicate evaluation of signature: {name}")
        seen.add(name)
        signature = model.session.signatures.get(name)
        if signature is None:
            raise status.invalid(f"Requested signature not found in model graph: {name}")
        if task.method_name not in (CLASSIFY, REGRESS):
            raise status.unimplemented(f"Unsupported signature method_name: {task.method_name}")
        kind = "classification" if task.method_name == CLASSIFY else "regression"
        _check_examples(signature, kind, request.input)
    raise status.unimplemented("The stand-in runs no MultiInference; TensorFlow Serving does")


def _signature(model: Model, name: str) -> Any:
    name = name or DEFAULT_SIGNATURE
    signature = model.session.signatures.get(name)
    if signature is None:
        raise status.invalid(f"No signature was found with the name: {name}")
    return signature


def _check_method(signature: Any, method: str, kind: str, *, check: bool) -> None:
    if check and signature.method_name != method:
        raise status.invalid(f"Expected {kind} signature method_name to be {method}. Was: {signature.method_name}")


def _check_examples(signature: Any, kind: str, examples: Any) -> None:
    if _INPUTS not in signature.inputs:
        raise status.invalid(f"No {kind} inputs found in SignatureDef: {text_format.MessageToString(signature)}")
    if not examples.example_list.examples and not examples.example_list_with_context.examples:
        raise status.invalid("Input is empty.")
