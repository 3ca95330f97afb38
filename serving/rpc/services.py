"""The gRPC services: PredictionService, ModelService and health."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import HealthServicer

from serving.errors import StatusError, invalid, not_found
from serving.protos import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)
from serving.rpc.predict import predict

if TYPE_CHECKING:
    from collections.abc import Iterator

    import grpc

    from serving.versions.core import ServerCore

SIGNATURES = "signature_def"


def add_services(server: grpc.Server, core: ServerCore, *, health: bool) -> None:
    """Add Predict, the calls about models and, if requested, the standard health service to ``server``.

    Health is SERVING for the process, whatever the state of its models.
    """
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(PredictionService(core), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(core), server)
    if health:
        servicer = HealthServicer()
        for name in ("", "ModelService", "PredictionService"):
            servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)


@contextmanager
def _answering(request: Any, context: grpc.ServicerContext) -> Iterator[None]:
    try:
        if "model_spec" in request.DESCRIPTOR.fields_by_name and not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        yield
    except StatusError as error:
        context.abort(error.code, error.wire_message)


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):  # type: ignore[misc] # generated, untyped
    """``tensorflow.serving.PredictionService``; Classify, Regress and MultiInference are UNIMPLEMENTED."""

    def __init__(self, core: ServerCore) -> None:
        self._core = core

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - the protocol's name
        """Run a signature."""
        with _answering(request, context), self._core.use(request.model_spec) as one:
            remaining_s = context.time_remaining()
            timeout_ms = None if remaining_s is None else max(1, int(remaining_s * 1000))
            return predict(one.session, request, version=one.number, timeout_ms=timeout_ms)

    def GetModelMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - the protocol's name
        """Return every signature of the loaded file, unchanged."""
        with _answering(request, context):
            if not request.metadata_field:
                raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
            for field in request.metadata_field:
                if field != SIGNATURES:
                    raise invalid(f"Metadata field {field} is not supported")
            response = get_model_metadata_pb2.GetModelMetadataResponse()
            response.model_spec.name = request.model_spec.name
            with self._core.use(request.model_spec) as one:
                response.model_spec.version.value = one.number
                signatures = get_model_metadata_pb2.SignatureDefMap(signature_def=one.session.signatures)
            response.metadata[SIGNATURES].Pack(signatures)
            return response


class ModelService(model_service_pb2_grpc.ModelServiceServicer):  # type: ignore[misc] # generated, untyped
    """``tensorflow.serving.ModelService``."""

    def __init__(self, core: ServerCore) -> None:
        self._core = core

    def GetModelStatus(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - the protocol's name
        """Return the states of all versions of a model that the process has seen, or of the version in the spec."""
        spec = request.model_spec
        response = get_model_status_pb2.GetModelStatusResponse()
        with _answering(request, context):
            seen = self._core.manager.seen(spec.name)
            if not seen:
                raise not_found(f"Could not find any versions of model {spec.name}")
            if spec.WhichOneof("version_choice") == "version":
                seen = [one for one in seen if one.number == spec.version.value]
            if not seen:
                raise not_found(f"Could not find version {spec.version.value} of model {spec.name}")
            for one in seen:
                entry = response.model_version_status.add(version=one.number, state=int(one.state))
                entry.status.SetInParent()
                if one.error is not None:
                    entry.status.error_code = one.error.code.value[0]
                    entry.status.error_message = one.error.message
        return response

    def HandleReloadConfigRequest(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - as above
        """Replace the config, and answer when every new model is available."""
        with _answering(request, context):
            if request.config.WhichOneof("config") != "model_config_list":
                raise invalid(
                    "ServerModelConfig type not supported by HandleReloadConfigRequest. "
                    "Only ModelConfigList is currently supported"
                )
            self._core.reload(request.config, timeout_s=context.time_remaining())
        response = model_management_pb2.ReloadConfigResponse()
        response.status.SetInParent()
        return response
