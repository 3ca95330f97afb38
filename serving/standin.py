"""The stand-in as a whole: options in, a server out. The one place of this room that wires."""

from __future__ import annotations

import logging
import os
import threading
from concurrent import futures
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from serving import config, grpc_services, status, textprotos, warmup
from serving.core import Core
from serving.manager import Manager, Version
from serving.messages import config_pb2, model_server_config_pb2
from serving.model import Model
from serving.session import Session

if TYPE_CHECKING:
    from serving.flags import Options

GRACE_S = 30.0
"""How long calls in progress may take to end when the server is told to stop, seconds."""

_log = logging.getLogger(__name__)


def processors() -> int:
    """Return how many processors this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # only Linux counts them per process
        return os.cpu_count() or 1


class Standin:
    """A model server. :meth:`start` returns when the ports are open, :meth:`stop` when the last call is done.

    Raises
    ------
    serving.status.StatusError
        The options contradict each other, or a file that they name can't be read.
    """

    def __init__(self, options: Options) -> None:
        _check(options)
        self._options = options
        self._stopped = threading.Event()
        self._session_config = _session_config(options)
        # Read here only to refuse a broken file at start-up; each load reads it, or the version's own, again.
        textprotos.max_batch_size(options.batching_parameters_file)
        self._manager = Manager(
            self._load,
            load_threads=4 * processors(),
            retries=options.max_num_load_retries,
            retry_interval_s=options.load_retry_interval_micros / 1e6,
        )
        self.core = Core(
            self._manager,
            poll_s=options.file_system_poll_wait_seconds,
            allow_unavailable_labels=options.allow_version_labels_for_unavailable_models,
        )
        self._grpc: grpc.Server | None = None

    def start(self) -> None:
        """Load every configured model, then open the ports.

        Raises
        ------
        serving.status.StatusError
            The config is wrong, a model can't be loaded, or a port can't be bound.
        """
        self.core.start(_model_server_config(self._options))
        self._manager.load_threads = max(1, self._options.num_load_threads)
        if self._stopped.is_set():
            return
        self._grpc = self._start_grpc()
        if self._options.model_config_file and self._options.model_config_file_poll_wait_seconds > 0:
            threading.Thread(target=self._poll_config_file, name="config", daemon=True).start()

    def wait(self) -> None:
        """Return when :meth:`stop` was called."""
        self._stopped.wait()

    def request_stop(self) -> None:
        """Let :meth:`wait` and a :meth:`start` in progress return."""
        self._stopped.set()
        self.core.stop()

    def stop(self) -> None:
        """Take no further calls, let those in progress end, and give up what is left after ``GRACE_S``."""
        self._stopped.set()
        if self._grpc is not None:
            self._grpc.stop(GRACE_S).wait()
        self.core.stop()

    def _start_grpc(self) -> grpc.Server:
        options = self._options
        threads = options.grpc_max_threads or 4 * processors()
        server = grpc.server(
            futures.ThreadPoolExecutor(threads, thread_name_prefix="grpc"),
            options=[
                ("grpc.max_receive_message_length", -1),
                ("grpc.max_send_message_length", -1),
                # Two servers on one port would share its calls at random; a taken port has to be an error.
                ("grpc.so_reuseport", 0),
                *_channel_arguments(options.grpc_channel_arguments),
            ],
            maximum_concurrent_rpcs=threads,
        )
        grpc_services.add_services(server, self.core, as_content=options.enable_serialization_as_tensor_content)
        if options.enable_grpc_healthcheck_service:
            grpc_services.add_health(server)
        addresses = [f"0.0.0.0:{options.port}"] if options.port else []
        if options.grpc_socket_path:
            addresses.append(f"unix:{Path(options.grpc_socket_path).absolute()}")
        for address in addresses:
            try:
                server.add_insecure_port(address)
            except RuntimeError as error:
                raise status.StatusError(grpc.StatusCode.UNKNOWN, f"Error starting gRPC server: {error}") from error
        server.start()
        for address in addresses:
            _log.info("Running gRPC ModelServer at %s ...", address)
        return server

    def _load(self, version: Version) -> Model:
        options = self._options
        session = Session(version.path, tags=options.saved_model_tags.split(","), config=self._session_config)
        try:
            model = Model(
                session,
                max_batch_size=self._max_batch_size(version.path) if options.enable_batching else None,
            )
            if options.enable_model_warmup:
                count = warmup.replay(model, version.path, repetitions=options.num_request_iterations_for_warmup)
                _log.info("Warmed servable version %s up with %d records", version, count)
        except BaseException:
            session.close()
            raise
        return model

    def _max_batch_size(self, version_directory: str) -> int:
        own = Path(version_directory) / "batching_params.pbtxt"
        if self._options.enable_per_model_batching_parameters and own.exists():
            return textprotos.max_batch_size(str(own))
        return textprotos.max_batch_size(self._options.batching_parameters_file)

    def _poll_config_file(self) -> None:
        while not self._stopped.wait(self._options.model_config_file_poll_wait_seconds):
            try:
                proto = _model_server_config(self._options)
                if proto.WhichOneof("config") == "model_config_list":
                    self.core.reload(proto, self._stopped.is_set)
            except status.StatusError as error:
                _log.error("Reloading %s failed: %s", self._options.model_config_file, error)


def _check(options: Options) -> None:
    if not options.port and not options.grpc_socket_path:
        raise status.invalid("At least one of server_options.grpc_port or server_options.grpc_socket_path must be set.")
    if not options.model_base_path and not options.model_config_file:
        raise status.invalid("Both server_options.model_base_path and server_options.model_config_file are empty!")
    if options.batching_parameters_file and not options.enable_batching:
        raise status.invalid(
            "server_options.batching_parameters_file is set without setting server_options.enable_batching to true."
        )
    parallelism = (
        options.tensorflow_session_parallelism,
        options.tensorflow_intra_op_parallelism,
        options.tensorflow_inter_op_parallelism,
    )
    if all(parallelism):
        raise status.invalid("Set either tensorflow_session_parallelism or the intra and inter op parallelism, not all")
    if options.ssl_config_file:
        raise status.unimplemented("The stand-in serves plain text only; --ssl_config_file needs TensorFlow Serving")


def _session_config(options: Options) -> Any:
    if options.tensorflow_session_config_file:
        return textprotos.parse_file(options.tensorflow_session_config_file, config_pb2.ConfigProto())
    intra, inter = options.tensorflow_intra_op_parallelism, options.tensorflow_inter_op_parallelism
    if not intra and not inter:
        intra = inter = options.tensorflow_session_parallelism
    return config_pb2.ConfigProto(intra_op_parallelism_threads=intra, inter_op_parallelism_threads=inter)


def _model_server_config(options: Options) -> Any:
    if options.model_config_file:
        return textprotos.parse_file(options.model_config_file, model_server_config_pb2.ModelServerConfig())
    proto = model_server_config_pb2.ModelServerConfig()
    proto.model_config_list.config.add(
        name=options.model_name, base_path=options.model_base_path, model_platform=config.PLATFORM
    )
    return proto


def _channel_arguments(text: str) -> list[tuple[str, int | str]]:
    arguments: list[tuple[str, int | str]] = []
    for pair in filter(None, text.split(",")):
        key, _, value = pair.partition("=")
        arguments.append((key, int(value) if value.lstrip("-").isdigit() else value))
    return arguments
