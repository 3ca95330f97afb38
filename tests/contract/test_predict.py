"""Predict: codes and texts, in the order of the server's checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.client import answered, image_request, refusal, request_for, tensor
from tests.contract.repository import SIDE
from tests.support.graphs import DOUBLE, FLOAT, UINT8

if TYPE_CHECKING:
    from tests.contract.client import Server

A = tensor(FLOAT, (2,), float_val=[5.0, 7.0])
B = tensor(FLOAT, (2,), float_val=[1.0, 2.0])
BOTH = {"a": A, "b": B}


def test_the_answer_names_the_resolved_version_and_signature(server: Server) -> None:
    response = server.predict(request_for("two", BOTH))
    assert response.model_spec.name == "two"
    assert response.model_spec.version.value == 1
    assert response.model_spec.signature_name == "serving_default"
    assert response.model_spec.version_label == ""
    assert list(response.outputs["sum"].float_val) == [6.0, 9.0]
    assert list(response.outputs["diff"].float_val) == [4.0, 5.0]


def test_without_a_version_the_highest_answers(server: Server) -> None:
    response = server.predict(image_request(value=9))
    assert (response.model_spec.version.value, answered(response)) == (3, 3009.0)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_version_that_is_asked_for_answers(server: Server, version: int) -> None:
    response = server.predict(image_request(version=version))
    assert (response.model_spec.version.value, answered(response)) == (version, 1000.0 * version + 7)


def test_the_output_filter_chooses_the_outputs(server: Server) -> None:
    assert set(server.predict(request_for("two", BOTH, outputs=("diff",))).outputs) == {"diff"}
    assert set(server.predict(request_for("two", BOTH)).outputs) == {"diff", "sum"}


def test_an_input_with_a_default_may_be_left_out(server: Server) -> None:
    response = server.predict(request_for("two", {"a": A}, signature="with_default"))
    assert list(response.outputs["sum"].float_val) == [6.0, 8.0]
    assert response.model_spec.signature_name == "with_default"


REFUSED: dict[str, tuple[Any, str, str]] = {
    "unknown label": (
        request_for("two", BOTH, label="stable"),
        "INVALID_ARGUMENT",
        "Unrecognized servable version label: stable",
    ),
    "unknown model": (request_for("nobody", BOTH), "NOT_FOUND", "Servable not found for request: Latest(nobody)"),
    "unknown version": (
        request_for("two", BOTH, version=42),
        "NOT_FOUND",
        "Servable not found for request: Specific(two, 42)",
    ),
    "unknown signature before wrong inputs": (
        request_for("two", {"zz": A}, signature="nope"),
        "FAILED_PRECONDITION",
        'Serving signature key "nope" not found.',
    ),
    "too few inputs": (
        request_for("two", {"a": A}),
        "INVALID_ARGUMENT",
        "input size does not match signature: 1!=2 len({a}) != len({a,b}). Sent extra: {}. Missing but required: {b}.",
    ),
    "wrong name": (
        request_for("mean", {"zz": A}),
        "INVALID_ARGUMENT",
        (
            "Signature input alias: images(feed name: serving_default_images:0) not found in request and no default "
            "value provided. Inputs expected to be in the request {zz}, or default input alias set: "
        ),
    ),
    "no type": (request_for("mean", {"images": tensor(0, (1,))}), "INVALID_ARGUMENT", "tensor parsing error: images"),
    "content of another length": (
        request_for("mean", {"images": tensor(UINT8, (1, SIDE, SIDE, 3), tensor_content=b"abc")}),
        "INVALID_ARGUMENT",
        "tensor parsing error: images",
    ),
    "unknown output": (
        request_for("two", BOTH, outputs=("q",)),
        "INVALID_ARGUMENT",
        "output tensor alias not found in signature: q Outputs expected to be in the set {diff,sum}.",
    ),
    "wrong type": (
        request_for("two", {"a": tensor(DOUBLE, (1,), double_val=[1.0]), "b": B}),
        "INVALID_ARGUMENT",
        "Expects arg[0] to be float but double is provided",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_and_how(server: Server, case: str) -> None:
    request, code, text = REFUSED[case]
    assert refusal(server.predict, request) == (code, text)


def test_a_shape_that_no_operation_can_take_is_the_graphs_own_error(server: Server) -> None:
    request = request_for("mean", {"images": tensor(UINT8, (100,))})
    code, text = refusal(server.predict, request)
    assert code == "INVALID_ARGUMENT"
    assert text.startswith(
        "Input to reshape is a tensor with 100 values, but the requested shape requires a multiple of"
    )
    assert text.endswith("{{node Reshape}}]]")


def test_an_empty_batch_is_answered_with_an_empty_batch(server: Server) -> None:
    mean = server.predict(request_for("mean", {"images": tensor(UINT8, (0, SIDE, SIDE, 3))})).outputs["mean"]
    assert [dim.size for dim in mean.tensor_shape.dim] == [0]
    assert len(mean.float_val) == 0


def test_a_batch_of_more_than_four_mebibytes_is_taken_and_answered(server: Server) -> None:
    count = 2**21
    content = bytes(range(256)) * (4 * count // 256)
    once = tensor(FLOAT, (count,), tensor_content=content)
    response = server.predict(request_for("echo", {"x": once}))
    assert len(response.outputs["y"].float_val) == count


def test_the_clients_deadline_ends_the_call(server: Server) -> None:
    request = request_for("slow", {"x": tensor(FLOAT, (1,), float_val=[0.0])})
    code, _ = refusal(server.predict, request, timeout_s=0.05)
    assert code == "DEADLINE_EXCEEDED"
