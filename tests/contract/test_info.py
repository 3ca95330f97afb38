"""GetModelStatus, GetModelMetadata, and the health service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.protos import get_model_metadata_pb2, get_model_status_pb2
from tests.contract.client import AVAILABLE, TIMEOUT_S, refusal
from tests.support.graphs import UINT8

if TYPE_CHECKING:
    from tests.contract.client import Server


def metadata_request(name: str, *fields: str) -> Any:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = name
    return request


def test_all_versions_are_listed_highest_first(server: Server) -> None:
    entries = [entry for entry in server.status("mean") if entry.version <= 3]
    assert [(entry.version, entry.state) for entry in entries] == [(3, AVAILABLE), (2, AVAILABLE), (1, AVAILABLE)]
    assert all(entry.status.error_code == 0 and entry.status.error_message == "" for entry in entries)


def test_one_version_is_listed_alone(server: Server) -> None:
    assert [(entry.version, entry.state) for entry in server.status("mean", 2)] == [(2, AVAILABLE)]


def test_unknown_models_and_versions_have_no_status(server: Server) -> None:
    assert refusal(server.status, "nobody") == ("NOT_FOUND", "Could not find any versions of model nobody")
    assert refusal(server.status, "") == ("NOT_FOUND", "Could not find any versions of model ")
    assert refusal(server.status, "two", 9) == ("NOT_FOUND", "Could not find version 9 of model two")


def test_a_status_request_needs_a_model_spec(server: Server) -> None:
    request = get_model_status_pb2.GetModelStatusRequest()
    assert refusal(server.model_status, request) == ("INVALID_ARGUMENT", "Missing ModelSpec")


def test_metadata_holds_every_signature_of_the_file(server: Server) -> None:
    response = server.call("GetModelMetadata", metadata_request("mean", "signature_def"))
    assert (response.model_spec.name, response.model_spec.version.value) == ("mean", 3)
    assert response.model_spec.signature_name == ""
    packed = response.metadata["signature_def"]
    assert packed.type_url == "type.googleapis.com/tensorflow.serving.SignatureDefMap"
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert packed.Unpack(signatures)
    images = signatures.signature_def["serving_default"].inputs["images"]
    assert (images.name, images.dtype) == ("serving_default_images:0", UINT8)
    assert [dim.size for dim in images.tensor_shape.dim] == [-1, 8, 8, 3]
    assert signatures.signature_def["serving_default"].outputs["mean"].name == "StatefulPartitionedCall:0"


def test_metadata_requests_are_checked_in_order(server: Server) -> None:
    nothing = get_model_metadata_pb2.GetModelMetadataRequest()
    assert refusal(server.call, "GetModelMetadata", nothing) == ("INVALID_ARGUMENT", "Missing ModelSpec")
    assert refusal(server.call, "GetModelMetadata", metadata_request("nobody")) == (
        "INVALID_ARGUMENT",
        "GetModelMetadataRequest must specify at least one metadata_field",
    )
    assert refusal(server.call, "GetModelMetadata", metadata_request("nobody", "signature_def", "foo")) == (
        "INVALID_ARGUMENT",
        "Metadata field foo is not supported",
    )
    assert refusal(server.call, "GetModelMetadata", metadata_request("nobody", "signature_def")) == (
        "NOT_FOUND",
        "Servable not found for request: Latest(nobody)",
    )


@pytest.mark.parametrize("name", ["", "ModelService", "PredictionService"])
def test_the_health_service_knows_the_process(server: Server, name: str) -> None:
    stub = health_pb2_grpc.HealthStub(server.channel)
    response = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=TIMEOUT_S)
    assert response.status == health_pb2.HealthCheckResponse.SERVING
