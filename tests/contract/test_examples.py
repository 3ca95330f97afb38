"""Classify, Regress and MultiInference, asked of models that take tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from serving.messages import classification_pb2, inference_pb2, regression_pb2
from tests.contract.client import refusal

if TYPE_CHECKING:
    from tests.contract.client import Server

REQUESTS = {"Classify": classification_pb2.ClassificationRequest, "Regress": regression_pb2.RegressionRequest}


def examples_request(method: str, name: str, signature: str = "") -> Any:
    request = REQUESTS[method]()
    request.model_spec.name = name
    request.model_spec.signature_name = signature
    request.input.example_list.examples.add()
    return request


def tasks(*specs: tuple[str, str, str]) -> Any:
    request = inference_pb2.MultiInferenceRequest()
    request.input.example_list.examples.add()
    for name, signature, method in specs:
        task = request.tasks.add(method_name=method)
        task.model_spec.name = name
        task.model_spec.signature_name = signature
    return request


@pytest.mark.parametrize(("method", "kind"), [("Classify", "classification"), ("Regress", "regression")])
def test_a_signature_of_tensors_has_no_examples(server: Server, method: str, kind: str) -> None:
    code, text = refusal(server.call, method, examples_request(method, "mean"))
    assert code == "INVALID_ARGUMENT"
    assert text.startswith(f"No {kind} inputs found in SignatureDef: inputs {{")


@pytest.mark.parametrize("method", REQUESTS)
def test_models_and_signatures_are_looked_up_first(server: Server, method: str) -> None:
    assert refusal(server.call, method, examples_request(method, "nobody")) == (
        "NOT_FOUND",
        "Servable not found for request: Latest(nobody)",
    )
    assert refusal(server.call, method, examples_request(method, "mean", "nope")) == (
        "INVALID_ARGUMENT",
        "No signature was found with the name: nope",
    )
    assert refusal(server.call, method, REQUESTS[method]()) == ("INVALID_ARGUMENT", "Missing ModelSpec")


@pytest.mark.parametrize("method", REQUESTS)
def test_two_inputs_are_one_too_many(server: Server, method: str) -> None:
    code, text = refusal(server.call, method, examples_request(method, "two"))
    assert (code, text) == ("INVALID_ARGUMENT", "Expected one input Tensor.")


def test_regress_wants_one_output(server: Server) -> None:
    code, text = refusal(server.call, "Regress", examples_request("Regress", "shapes"))
    assert (code, text) == ("INVALID_ARGUMENT", "Expected one output Tensor.")


def test_no_examples_are_none(server: Server) -> None:
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name = "two"
    request.model_spec.signature_name = "takes_examples"
    request.input.example_list.SetInParent()
    assert refusal(server.call, "Classify", request) == ("INVALID_ARGUMENT", "Input is empty.")


CLASSIFY = "tensorflow/serving/classify"
MULTIPLE: dict[str, tuple[Any, str, str]] = {
    "no task": (tasks(), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
    "unknown model": (
        tasks(("nobody", "", CLASSIFY)),
        "NOT_FOUND",
        "Servable not found for request: Latest(nobody)",
    ),
    "two models": (
        tasks(("two", "takes_examples", CLASSIFY), ("mean", "", CLASSIFY)),
        "INVALID_ARGUMENT",
        "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
    ),
    "unknown signature": (
        tasks(("two", "nope", CLASSIFY)),
        "INVALID_ARGUMENT",
        "Requested signature not found in model graph: nope",
    ),
    "repeated signature": (
        tasks(("two", "takes_examples", CLASSIFY), ("two", "takes_examples", CLASSIFY)),
        "INVALID_ARGUMENT",
        "Duplicate evaluation of signature: takes_examples",
    ),
    "unknown method": (
        tasks(("two", "takes_examples", "tensorflow/serving/predict")),
        "UNIMPLEMENTED",
        "Unsupported signature method_name: tensorflow/serving/predict",
    ),
}


@pytest.mark.parametrize("case", MULTIPLE)
def test_multi_inference_refuses(server: Server, case: str) -> None:
    request, code, text = MULTIPLE[case]
    assert refusal(server.call, "MultiInference", request) == (code, text)
