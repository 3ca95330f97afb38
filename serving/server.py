"""The stand-in as a whole: makes a server from options. The one place of this folder that wires its parts together."""

from __future__ import annotations

import logging
import threading
from concurrent import futures
from typing import TYPE_CHECKING, Any

import grpc

from gateway.core.resources import processors
from serving.errors import StatusError, invalid
from serving.protos import config_pb2, model_server_config_pb2
from serving.rpc import services, warmup
from serving.runtime.session import Session
from serving.versions.config import PLATFORM, parsed_file
from serving.versions.core import ServerCore
from serving.versions.manager import Servable, VersionManager

if TYPE_CHECKING:
    from serving.flags import Options

GRACE_S = 30.0
"""Time for calls in progress to end when the server is stopped, seconds."""

_log = logging.getLogger(__name__)


class ModelServer:
    """A model server. Raises StatusError where an option is missing."""

    def __init__(self, options: Options) -> None:
        if not options.port:
            raise invalid("At least one of server_options.grpc_port or server_options.grpc_socket_path must be set.")
        if not options.model_base_path and not options.model_config_file:
            raise invalid("Both server_options.model_base_path and server_options.model_config_file are empty!")
        self._options = options
        self._stopped = threading.Event()
        self._session_config = config_pb2.ConfigProto(
            intra_op_parallelism_threads=options.tensorflow_intra_op_parallelism,
            inter_op_parallelism_threads=options.tensorflow_inter_op_parallelism,
        )
        self._core = ServerCore(
            VersionManager(self._load),
            poll_s=options.file_system_poll_wait_seconds,
            allow_unavailable_labels=options.allow_version_labels_for_unavailable_models,
        )

    def run(self) -> None:
        """Load every configured model, open the port, and serve until :meth:`stop`; then let calls in progress end.

        Raises StatusError if the config is wrong, a model can't be loaded, or the port can't be bound.
        """
        self._core.start(_model_server_config(self._options))
        if self._stopped.is_set():
            return
        server = self._listening()
        if self._options.model_config_file and self._options.model_config_file_poll_wait_seconds > 0:
            threading.Thread(target=self._poll_config_file, name="config", daemon=True).start()
        self._stopped.wait()
        server.stop(GRACE_S).wait()

    def stop(self) -> None:
        """Make :meth:`run` return, even while it loads."""
        self._stopped.set()
        self._core.stop()

    def _listening(self) -> grpc.Server:
        options = self._options
        threads = options.grpc_max_threads or 4 * processors()
        server = grpc.server(
            futures.ThreadPoolExecutor(threads, thread_name_prefix="grpc"),
            options=[
                ("grpc.max_receive_message_length", -1),
                ("grpc.max_send_message_length", -1),
                # Two servers on one port would share its calls at random, so a used port has to be an error.
                ("grpc.so_reuseport", 0),
                *_channel_arguments(options.grpc_channel_arguments),
            ],
            maximum_concurrent_rpcs=threads,
        )
        services.add_services(server, self._core, health=options.enable_grpc_healthcheck_service)
        try:
            server.add_insecure_port(f"0.0.0.0:{options.port}")
        except RuntimeError as error:
            raise StatusError(grpc.StatusCode.UNKNOWN, f"Error starting gRPC server: {error}") from error
        server.start()
        _log.info("Running gRPC ModelServer at 0.0.0.0:%d ...", options.port)
        return server

    def _load(self, servable: Servable) -> Session:
        session = Session(servable.path, config=self._session_config)
        try:
            if self._options.enable_model_warmup:
                count = warmup.replay(session, servable.path)
                _log.info("Warmed servable version %s up with %d records", servable, count)
        except BaseException:
            session.close()
            raise
        return session

    def _poll_config_file(self) -> None:
        while not self._stopped.wait(self._options.model_config_file_poll_wait_seconds):
            try:
                wanted = _model_server_config(self._options)
                if wanted.WhichOneof("config") == "model_config_list":
                    self._core.reload(wanted, timeout_s=None)
            except StatusError as error:
                _log.error("Reloading %s failed: %s", self._options.model_config_file, error)


def _model_server_config(options: Options) -> Any:
    config = model_server_config_pb2.ModelServerConfig()
    if options.model_config_file:
        return parsed_file(options.model_config_file, config)
    only = {"name": options.model_name, "base_path": options.model_base_path, "model_platform": PLATFORM}
    config.model_config_list.config.add(**only)
    return config


def _channel_arguments(text: str) -> list[tuple[str, int | str]]:
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    return [(key, int(value) if value.lstrip("-").isdigit() else value) for key, _, value in pairs]
