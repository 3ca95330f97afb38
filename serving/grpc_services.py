"""The gRPC services: PredictionService and ModelService over the core."""

from __future__ import annotations

import functools
import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from serving import info, predict, status
from serving.messages import (
    model_management_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import grpc

    from serving.core import Core

_RELOADS_LISTS_ONLY = (
    "ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently supported"
)
_log = logging.getLogger(__name__)


def add_services(server: grpc.Server, core: Core, *, as_content: bool) -> None:
    """Let ``server`` answer both services.

    Parameters
    ----------
    as_content : bool
        Predict answers with ``tensor_content``.
    """
    prediction = PredictionService(core, as_content=as_content)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(prediction, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(core), server)


def add_health(server: grpc.Server) -> None:
    """Let ``server`` answer the standard health service: SERVING for the process, whatever its models do."""
    # Imported on demand: most servers run without it.
    from grpc_health.v1 import health, health_pb2, health_pb2_grpc  # noqa: PLC0415

    servicer = health.HealthServicer()
    for name in ("", "ModelService", "PredictionService"):
        servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)


@contextmanager
def _refusing(context: grpc.ServicerContext) -> Iterator[None]:
    try:
        yield
    except status.StatusError as error:
        context.abort(error.code, error.wire_message)


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):  # type: ignore[misc] # generated, untyped
    """``tensorflow.serving.PredictionService``; Classify, Regress and MultiInference are UNIMPLEMENTED."""

    def __init__(self, core: Core, *, as_content: bool) -> None:
        self._core = core
        self._as_content = as_content

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - the protocol's name
        """Run a signature."""
        with _refusing(context):
            if not request.HasField("model_spec"):
                raise status.invalid("Missing ModelSpec")
            with self._core.use(request.model_spec) as version:
                return predict.predict(
                    version.model,
                    request,
                    version=version.number,
                    timeout_ms=_timeout_ms(context),
                    as_content=self._as_content,
                )

    def GetModelMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - the protocol's name
        """Return a model's signatures."""
        with _refusing(context):
            return info.model_metadata(self._core, request)


class ModelService:
    """``tensorflow.serving.ModelService``."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def GetModelStatus(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - the protocol's name
        """Return the states of a model's versions."""
        with _refusing(context):
            if not request.HasField("model_spec"):
                raise status.invalid("Missing ModelSpec")
            return info.model_status(self._core.manager, request.model_spec)

    def HandleReloadConfigRequest(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - as above
        """Replace the config; the answer comes when every new model is available."""
        left = threading.Event()
        context.add_callback(functools.partial(self._leave, left))
        with _refusing(context):
            if request.config.WhichOneof("config") != "model_config_list":
                raise status.invalid(_RELOADS_LISTS_ONLY)
            self._core.reload(request.config, left.is_set)
            _log.info("Config reloaded: %d models", len(request.config.model_config_list.config))
        response = model_management_pb2.ReloadConfigResponse()
        response.status.SetInParent()
        return response

    def _leave(self, left: threading.Event) -> None:
        left.set()
        self._core.manager.wake()


def _timeout_ms(context: grpc.ServicerContext) -> int | None:
    remaining: float | None = context.time_remaining()
    return None if remaining is None else max(1, int(remaining * 1000))
