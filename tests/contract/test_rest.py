"""The HTTP port: status, metadata, and ``:predict`` in both formats."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.repository import SIDE

if TYPE_CHECKING:
    import httpx

IMAGE = [[[7, 7, 7]] * SIDE] * SIDE


def predict(http: httpx.Client, model: str, body: Any, *, expected: int = 200) -> Any:
    """POST a ``:predict``; a ``str`` is sent as it is."""
    content = body if isinstance(body, str) else json.dumps(body)
    response = http.post(f"/v1/models/{model}:predict", content=content)
    assert response.status_code == expected, response.text
    assert response.headers["content-type"] == "application/json"
    return response.json()


def error(http: httpx.Client, model: str, body: Any, *, expected: int = 400) -> str:
    answer = predict(http, model, body, expected=expected)
    assert list(answer) == ["error"]
    return str(answer["error"])


def test_the_status_prints_numbers_and_states_as_text(http: httpx.Client) -> None:
    response = http.get("/v1/models/mean/versions/2")
    fine = {"error_code": "OK", "error_message": ""}
    assert response.json() == {"model_version_status": [{"version": "2", "state": "AVAILABLE", "status": fine}]}
    assert response.headers["content-type"] == "application/json"
    listed = [entry["version"] for entry in http.get("/v1/models/mean").json()["model_version_status"]]
    assert listed == ["3", "2", "1"]


def test_a_label_is_not_looked_at_by_the_status(http: httpx.Client) -> None:
    assert len(http.get("/v1/models/mean/labels/nope").json()["model_version_status"]) == 3


def test_the_metadata_holds_the_signatures_under_a_doubled_key(http: httpx.Client) -> None:
    answer = http.get("/v1/models/mean/metadata").json()
    assert answer["model_spec"] == {"name": "mean", "signature_name": "", "version": "3"}
    signature = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
    images = signature["inputs"]["images"]
    assert (images["dtype"], images["name"]) == ("DT_UINT8", "serving_default_images:0")
    assert images["tensor_shape"]["unknown_rank"] is False
    assert images["tensor_shape"]["dim"][0] == {"size": "-1", "name": ""}


PATHS: dict[str, tuple[str, str, int, str | None]] = {
    "unknown model": ("GET", "/v1/models/nobody", 404, "Could not find any versions of model nobody"),
    "unknown version": ("GET", "/v1/models/two/versions/9", 404, "Could not find version 9 of model two"),
    "no model": ("GET", "/v1/models", 400, "Missing model name in request."),
    "wrong method": ("GET", "/v1/models/two:predict", 400, "Malformed request: GET /v1/models/two:predict"),
    "wrong path": ("GET", "/v1/anything", 400, "Malformed request: GET /v1/anything"),
    "wrong verb": ("POST", "/v1/models/two:forget", 400, "Malformed request: POST /v1/models/two:forget"),
    "verb in capitals": ("POST", "/v1/models/two:PREDICT", 400, "Malformed request: POST /v1/models/two:PREDICT"),
    "version no number": ("GET", "/v1/models/two/versions/x", 400, "Malformed request: GET /v1/models/two/versions/x"),
    "outside": ("GET", "/healthz", 404, None),
    "root": ("GET", "/", 404, None),
    "half the way": ("GET", "/v1", 404, None),
}


@pytest.mark.parametrize("case", PATHS)
def test_paths_that_lead_nowhere(http: httpx.Client, case: str) -> None:
    method, path, code, text = PATHS[case]
    response = http.request(method, path)
    assert response.status_code == code
    if text is None:
        assert response.headers["content-type"].startswith("text/html")
    else:
        assert response.json() == {"error": text}


def test_paths_are_matched_without_regard_to_case_and_decoded(http: httpx.Client) -> None:
    assert http.get("/V1/MODELS/two").status_code == 200
    assert http.get("/v1/models/t%77o").status_code == 200
    assert http.get("/v1/models/TWO").status_code == 404


def test_rows_of_one_input_give_bare_values(http: httpx.Client) -> None:
    assert predict(http, "mean", {"instances": [IMAGE, IMAGE]}) == {"predictions": [3007.0, 3007.0]}


def test_rows_may_name_their_input_and_the_signature(http: httpx.Client) -> None:
    body = {"signature_name": "serving_default", "instances": [{"images": IMAGE}]}
    assert predict(http, "mean/versions/1", body) == {"predictions": [1007.0]}


def test_rows_of_several_outputs_give_objects(http: httpx.Client) -> None:
    body = {"instances": [{"a": 5, "b": 1}, {"a": 7.5, "b": 2}]}
    assert predict(http, "two", body) == {"predictions": [{"diff": 4.0, "sum": 6.0}, {"diff": 5.5, "sum": 9.5}]}


def test_columns_give_outputs(http: httpx.Client) -> None:
    assert predict(http, "mean", {"inputs": [IMAGE]}) == {"outputs": [3007.0]}
    body = {"inputs": {"a": [5, 7], "b": [1, 2], "surplus": "ignored"}}
    assert predict(http, "two", body) == {"outputs": {"diff": [4.0, 5.0], "sum": [6.0, 9.0]}}


def test_columns_may_be_a_scalar(http: httpx.Client) -> None:
    assert predict(http, "echo", {"signature_name": "int64", "inputs": 2**40}) == {"outputs": 2**40}
    body = {"signature_name": "scalar", "inputs": [1, 2]}
    assert predict(http, "shapes", body) == {"outputs": 3.0}


def test_bytes_travel_in_base64(http: httpx.Client) -> None:
    data = base64.b64encode(b"\xff\x00").decode()
    body = {"signature_name": "binary", "instances": [{"b64": data}, {"b64": "eA=="}]}
    assert predict(http, "echo", body) == {"predictions": [{"b64": data}, {"b64": "eA=="}]}
    assert predict(http, "echo", {"signature_name": "string", "instances": ["é"]}) == {"predictions": ["é"]}


def test_booleans_stay_booleans(http: httpx.Client) -> None:
    body = {"signature_name": "bool", "instances": [True, False]}
    assert predict(http, "echo", body) == {"predictions": [True, False]}


def test_numbers_that_are_none_go_both_ways(http: httpx.Client) -> None:
    body = '{"signature_name": "float", "instances": [NaN, Infinity, -Infinity]}'
    response = http.post("/v1/models/echo:predict", content=body)
    assert "[NaN, Infinity, -Infinity]" in response.text.replace("\n", " ")


def test_floats_are_printed_short_where_that_is_exact(http: httpx.Client) -> None:
    body = '{"signature_name": "float", "instances": [1, 0.1, 16777216, 0.333333343, 1e-20]}'
    text = http.post("/v1/models/echo:predict", content=body).text
    printed = text[text.index("[") + 1 : text.index("]")].replace(",", " ").split()
    assert printed[0] == "1.0"
    assert printed[1] == "0.1"
    assert float(printed[2]) == 16777216.0
    assert printed[3] == "0.333333343"
    assert float(printed[4]) == 1e-20


def test_narrow_integers_wrap(http: httpx.Client) -> None:
    assert predict(http, "echo", {"signature_name": "uint8", "instances": [300]}) == {"predictions": [44]}


def test_a_compressed_body_is_unpacked(http: httpx.Client) -> None:
    content = gzip.compress(json.dumps({"instances": [IMAGE]}).encode())
    response = http.post("/v1/models/mean:predict", content=content, headers={"Content-Encoding": "gzip"})
    assert response.json() == {"predictions": [3007.0]}


BODIES: dict[str, tuple[str, Any, int, str]] = {
    "empty": ("two", "", 400, "JSON Parse error: The document is empty"),
    "no object": ("two", [1], 400, "JSON Value: [1] Is not object"),
    "unknown model": ("nobody", {"instances": [1]}, 404, "Servable not found for request: Latest(nobody)"),
    "unknown version": ("two/versions/9", {"instances": [1]}, 404, "Servable not found for request: Specific(two, 9)"),
    "unknown label": ("two/labels/best", {"instances": [1]}, 400, "Unrecognized servable version label: best"),
    "unknown signature": (
        "two",
        {"signature_name": "nope", "instances": [1]},
        400,
        'Serving signature name: "nope" not found in signature def',
    ),
    "neither format": ("two", {"x": 1}, 400, "Missing 'inputs' or 'instances' key"),
    "both formats": (
        "mean",
        {"inputs": 1, "instances": [1]},
        400,
        (
            'JSON Value: {"inputs":1,"instances":[1]} Not formatted correctly expecting only one of '
            "'inputs' or 'instances' keys to exist "
        ),
    ),
    "plain rows for two inputs": (
        "two",
        {"instances": [1]},
        400,
        (
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
            "tensorinfo_map"
        ),
    ),
    "wrong keys in a row": (
        "two",
        {"instances": [{"a": 1, "c": 2}]},
        400,
        'Failed to process element: 0 of \'instances\' list. JSON object: {"a":1,"c":2} keys must be equal to: a,b',
    ),
    "wrong type": (
        "two",
        {"instances": [{"a": "a", "b": 1}]},
        400,
        (
            "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: "
            'JSON Value: "a" Type: String is not of expected type: float'
        ),
    ),
    "a column that is missing": ("two", {"inputs": {"a": [1]}}, 400, "Missing named input: b in 'inputs' object."),
    "no row format for a scalar": (
        "shapes",
        {"signature_name": "scalar", "instances": [1]},
        400,
        "Tensor name: total has no shape information ",
    ),
    "no row format for outputs of two lengths": (
        "shapes",
        {"instances": [1]},
        400,
        "Tensor name: twice has inconsistent batch size: 2 expecting: 1",
    ),
}


@pytest.mark.parametrize("case", BODIES)
def test_bodies_that_are_refused(http: httpx.Client, case: str) -> None:
    model, body, code, text = BODIES[case]
    assert error(http, model, body, expected=code) == text


@pytest.mark.parametrize(
    ("body", "ending"),
    [
        ({"instances": 1}, "Expecting 'instances' to be an list/array"),
        ({"instances": []}, "No values in 'instances' array"),
        ({"signature_name": "float", "instances": [[1, 2], [3]]}, "Expecting tensor size: 2 but got: 1"),
        (
            {"signature_name": "int32", "instances": [1.5]},
            "JSON Value: 1.5 Type: Number is not of expected type: int32",
        ),
        ({"signature_name": "bool", "instances": [1]}, "JSON Value: 1 Type: Number is not of expected type: bool"),
    ],
)
def test_values_that_are_refused(http: httpx.Client, body: dict[str, Any], ending: str) -> None:
    assert error(http, "echo", {"signature_name": "float", **body}).endswith(ending)


def test_half_floats_can_not_be_written_in_json(http: httpx.Client) -> None:
    text = error(http, "echo", {"signature_name": "half", "instances": [1.0]}, expected=501)
    assert "Conversion of JSON Value: " in text


def test_bad_json_is_found_before_the_model_is_looked_up(http: httpx.Client) -> None:
    text = error(http, "nobody", "{oops")
    assert text.startswith("JSON Parse error: ")
    assert " at offset: " in text


def test_the_graphs_error_is_passed_on(http: httpx.Client) -> None:
    assert error(http, "mean", {"instances": [1]}).startswith("Input to reshape is a tensor with 1 values")


@pytest.mark.parametrize(("verb", "kind"), [("classify", "classification"), ("regress", "regression")])
def test_examples_are_refused_where_tensors_are_taken(http: httpx.Client, verb: str, kind: str) -> None:
    response = http.post(f"/v1/models/mean:{verb}", json={"examples": [{"x": 1.0}]})
    assert response.status_code == 400
    assert response.json()["error"].startswith(f"No {kind} inputs found in SignatureDef: ")


def test_options_want_an_origin(http: httpx.Client) -> None:
    assert http.options("/v1/models/two", headers={"Origin": "https://example.org"}).status_code == 200
    assert http.options("/v1/models/two").status_code == 400


def counted(http: httpx.Client, line: str) -> float:
    page = http.get("/monitoring/prometheus/metrics")
    if page.status_code == 404:
        pytest.skip("the server runs without a monitoring config")
    values = [text.rpartition(" ")[2] for text in page.text.splitlines() if text.startswith(line + " ")]
    return float(values[0]) if values else 0.0


def test_calls_are_counted_by_model_and_status(http: httpx.Client) -> None:
    fine = ':tensorflow:serving:request_count{model_name="two",status="OK"}'
    missing = ':tensorflow:serving:request_count{model_name="two",status="NOT_FOUND"}'
    before = counted(http, fine), counted(http, missing)
    http.get("/v1/models/two")
    predict(http, "two", {"inputs": {"a": [5], "b": [1]}})
    http.get("/v1/models/two/versions/77")
    assert (counted(http, fine), counted(http, missing)) == (before[0] + 2, before[1] + 1)


def test_latencies_are_cumulative_histograms(http: httpx.Client) -> None:
    labels = 'model_name="mean",API="predict",entrypoint="REST"'
    count = f":tensorflow:serving:request_latency_count{{{labels}}}"
    before = counted(http, count)
    predict(http, "mean", {"instances": [IMAGE]})
    assert counted(http, count) == before + 1
    everything = f':tensorflow:serving:request_latency_bucket{{{labels},le="+Inf"}}'
    assert counted(http, everything) == before + 1
    assert counted(http, f":tensorflow:serving:request_latency_sum{{{labels}}}") > 0
    page = http.get("/monitoring/prometheus/metrics").text
    assert "# TYPE :tensorflow:serving:request_count counter" in page.splitlines()
    assert "# TYPE :tensorflow:serving:request_latency histogram" in page.splitlines()
