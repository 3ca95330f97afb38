"""The HTTP face: status, metadata, ``:predict`` in both formats, and the Prometheus page."""

from __future__ import annotations

import gzip
import json
import re
import time
import zlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import grpc
from google.protobuf import json_format

from serving import inference, info, predict, rest_inputs, rest_outputs, status
from serving.messages import (
    classification_pb2,
    get_model_metadata_pb2,
    model_pb2,
    predict_pb2,
    regression_pb2,
)
from serving.model import DEFAULT_SIGNATURE

if TYPE_CHECKING:
    from serving.core import Core
    from serving.metrics import Metrics

JSON = "application/json"

_CODES = {
    grpc.StatusCode.OK: 200,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}
_SPEC = r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_INFERENCE = re.compile(rf"/v1/models/(?P<name>[^/:]+){_SPEC}:(?P<verb>classify|regress|predict)", re.IGNORECASE)
_STATUS = re.compile(rf"/v1/models(?:/(?P<name>[^/:]+))?{_SPEC}(?:/(?P<verb>metadata))?", re.IGNORECASE)
_NOT_FOUND_PAGE = (
    "<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1>"
    "<p>The requested URL {path} was not found on this server.</p></body></html>"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    code: int
    body: str
    content_type: str = JSON


class RestApi:
    """Answers requests; knows no sockets.

    Parameters
    ----------
    core : serving.core.Core
    metrics : serving.metrics.Metrics
    timeout_ms : int
        How long the graph may run for a request.
    metrics_path : str, optional
        Where the Prometheus page is.
    """

    def __init__(self, core: Core, metrics: Metrics, *, timeout_ms: int, metrics_path: str | None = None) -> None:
        self._core = core
        self._metrics = metrics
        self._timeout_ms = timeout_ms
        self._metrics_path = metrics_path

    def answer(self, method: str, path: str, body: bytes = b"", *, encoding: str = "") -> Answer:
        """Answer one request.

        Parameters
        ----------
        method, path : str
            The path as it was sent, percent-encoded, without a query.
        encoding : str
            ``Content-Encoding`` of the body: gzip is unpacked.
        """
        if method == "GET" and path == self._metrics_path:
            return Answer(200, self._metrics.page(), "text/plain")
        if not path.lower().startswith("/v1/"):
            return Answer(404, _NOT_FOUND_PAGE.format(path=path), "text/html")
        inferring = _INFERENCE.fullmatch(path) if method == "POST" else None
        asking = _STATUS.fullmatch(path) if method == "GET" else None
        matched = inferring or asking
        name = unquote(matched["name"] or "") if matched else ""
        begun = time.perf_counter()
        code = grpc.StatusCode.OK
        try:
            if inferring is not None:
                text = self._infer(inferring["verb"], _spec(inferring), _unpacked(body, encoding), f"{method} {path}")
            elif asking is not None:
                text = self._tell(asking["verb"], _spec(asking), f"{method} {path}")
            else:
                raise _malformed(f"{method} {path}")
        except status.StatusError as error:
            code = error.code
            text = rest_outputs.pretty({"error": error.message})
        self._metrics.count_request(name, code.name)
        if inferring is not None and code is grpc.StatusCode.OK:
            self._metrics.observe_request(
                name, api=inferring["verb"], entrypoint="REST", seconds=time.perf_counter() - begun
            )
        return Answer(_CODES.get(code, HTTPStatus.INTERNAL_SERVER_ERROR), text)

    def _tell(self, verb: str | None, spec: Any, line: str) -> str:
        if not spec.name:
            raise status.invalid("Missing model name in request.")
        if verb is None:
            return _status_text(info.model_status(self._core.manager, spec))
        if verb != "metadata":
            raise _malformed(line)
        request = get_model_metadata_pb2.GetModelMetadataRequest(model_spec=spec, metadata_field=[info.SIGNATURES])
        return _metadata_text(info.model_metadata(self._core, request))

    def _infer(self, verb: str, spec: Any, body: bytes, line: str) -> str:
        if verb not in ("predict", "classify", "regress"):
            raise _malformed(line)
        document = rest_inputs.parse(body)
        name = document.get("signature_name", "")
        if not isinstance(name, str):
            raise status.invalid("'signature_name' key must be a string value.")
        spec.signature_name = name
        with self._core.use(spec) as version:
            if verb != "predict":
                return self._refuse_examples(verb, spec, version.model)
            signature = version.model.session.signatures.get(name or DEFAULT_SIGNATURE)
            if signature is None:
                raise status.invalid(
                    f'Serving signature name: "{name or DEFAULT_SIGNATURE}" not found in signature def'
                )
            inputs, rows = rest_inputs.inputs(document, signature)
            request = predict_pb2.PredictRequest(model_spec=spec, inputs=inputs)
            response = predict.predict(
                version.model, request, version=version.number, timeout_ms=self._timeout_ms or None
            )
            return rest_outputs.pretty(rest_outputs.outputs(response.outputs, rows=rows))

    @staticmethod
    def _refuse_examples(verb: str, spec: Any, model: Any) -> str:
        message = classification_pb2.ClassificationRequest if verb == "classify" else regression_pb2.RegressionRequest
        request = message(model_spec=spec)
        # What the examples hold is not looked at: no call of this kind is run.
        request.input.example_list.examples.add()
        answer = inference.classify if verb == "classify" else inference.regress
        text: str = answer(model, request)
        return text


def _spec(matched: re.Match[str]) -> Any:
    spec = model_pb2.ModelSpec(name=unquote(matched["name"] or ""))
    if matched["version"]:
        number = int(matched["version"])
        if number >= 2**63:
            raise status.invalid(f"Failed to convert version: {number} to numeric.")
        spec.version.value = number
    elif matched["label"]:
        spec.version_label = unquote(matched["label"])
    return spec


def _malformed(line: str) -> status.StatusError:
    return status.invalid(f"Malformed request: {line}")


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding.lower() != "gzip":
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error) as error:
        raise status.invalid(f"Failed to uncompress the request: {error}") from error


def _status_text(response: Any) -> str:
    entries = json_format.MessageToDict(
        response, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return json.dumps(entries, indent=1)


def _metadata_text(response: Any) -> str:
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata[info.SIGNATURES].Unpack(signatures)
    listed = json_format.MessageToDict(
        signatures, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    spec = {"name": response.model_spec.name, "signature_name": "", "version": str(response.model_spec.version.value)}
    return json.dumps({"model_spec": spec, "metadata": {info.SIGNATURES: listed}}, indent=1)
