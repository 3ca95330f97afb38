"""The client of TensorFlow Serving: one Predict call per flavor and batch, all at once, and the models' states."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import structlog

from gateway.core import errors
from gateway.core.ensemble import quorum
from gateway.core.manifest import INCLINATION, INPUT_SHAPE, LIKELIHOODS, Manifest
from gateway.core.models import Deadline, EnsemblePrediction, FlavorPrediction, RejectorPrediction
from gateway.inference import messages, protos
from gateway.inference.versions import OTHER_REPLICAS, RETRY_AFTER_S, ServedVersions
from gateway.telemetry import tracing
from inclinet.http.proxies import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from gateway.inference.versions import ReleaseStatus, VersionStates

log = structlog.get_logger(__name__)

RETRY_FIRST_S = 0.05
RETRY_LONGEST_S = 0.5
ABSENT_S = 5.0
"""Time for which a version that no replica seems to have is requested only once per batch, seconds."""

_CHANNEL_OPTIONS: tuple[tuple[str, Any], ...] = (
    # a headless service has one address per replica; the default would stay with the first
    ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
    # a batch of model inputs exceeds the client's default of 4 MiB
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # the default backs off up to two minutes, long after a restarted server is back
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.dns_min_time_between_resolutions_ms", 5000),
)
_THROUGH_PROXY = "grpc.enable_http_proxy"
"""Option that lets gRPC use ``http_proxy`` of the environment, which often leads to the web, not to the networks."""

OK = "OK"
_ABSENT = "Servable not found"
"""TensorFlow Serving's message when it does not have a version, or not yet (``ServableManager``)."""
_ABANDONED = grpc.StatusCode.CANCELLED.name
"""Code for a call that failed by its deadline, or that nobody waits for any more."""

_CALL = {"rpc.system.name": "grpc", "rpc.method": protos.PREDICT.removeprefix("/")}


@dataclass(frozen=True, slots=True)
class _Failure:
    code: grpc.StatusCode
    text: str


class Predictor:
    """Sends batches of model inputs to every network of a release.

    Parameters
    ----------
    address : str
        ``host:port`` of TensorFlow Serving's gRPC interface.
    manifest : Manifest
        The release that it hosts.
    quorum_fraction : float
        Fraction of the flavors that must answer.
    call_timeout_s, retry_s : float
        Longest time for one Predict call, and for repeating it while the server is unavailable or full, seconds. The
        request's deadline limits both.
    observe : callable
        Called with ``(model, gRPC status name, seconds)`` after every call.
    pin_versions : bool
        Whether to request the manifest's version of every model, and reject answers of others. Otherwise the server's
        newest version answers, and readings name those that are not the manifest's.
    through_proxy : bool
        Whether gRPC may use a proxy of the environment; otherwise, and to loopback, it connects directly.
    """

    def __init__(
        self,
        address: str,
        manifest: Manifest,
        *,
        quorum_fraction: float,
        call_timeout_s: float,
        retry_s: float,
        observe: Callable[[str, str, float], None],
        pin_versions: bool = True,
        through_proxy: bool = False,
    ) -> None:
        self._manifest = manifest
        self._released = {model.name: model.version for model in manifest.models}
        self._pinned = pin_versions
        self._absent_until: dict[str, float] = {}
        self._needed = quorum(quorum_fraction, len(manifest.flavors))
        self._call_timeout_s = call_timeout_s
        self._retry_s = retry_s
        self._observe = observe
        may_use_proxy = through_proxy and not is_loopback(address.rpartition(":")[0])
        options = (*_CHANNEL_OPTIONS, (_THROUGH_PROXY, int(may_use_proxy)))
        self._channel = grpc.aio.insecure_channel(f"dns:///{address}", options=options)
        # requests are serialized once for all models (see _request), so the stub passes bytes through
        self._predict = self._channel.unary_unary(
            protos.PREDICT,
            request_serializer=None,
            response_deserializer=protos.PredictResponse.FromString,
        )
        self._served = ServedVersions(
            protos.ModelServiceStub(self._channel), manifest, needed=self._needed, pin_versions=pin_versions
        )

    async def aclose(self) -> None:
        """Close the channel; calls in flight get a short time to end."""
        await self._channel.close(grace=1.0)

    async def read(self, batch: NDArray[np.uint8], deadline: Deadline) -> list[EnsemblePrediction]:
        """Return the answers of all networks for each model input of a batch.

        Parameters
        ----------
        batch : uint8 [N, 128, 128, 3]
        deadline : Deadline

        Raises
        ------
        errors.QuorumLost, errors.DeadlineExceeded, errors.ServingRefused
            Fewer flavors answered than the quorum; the class tells why.
        """
        if batch.dtype != np.uint8 or batch.shape[1:] != INPUT_SHAPE:
            raise ValueError(f"a batch is uint8 [N, 128, 128, 3], not {batch.dtype} {list(batch.shape)}")
        images = messages.serialized_inputs(batch)
        deadline = Deadline(min(deadline.at, time.monotonic() + self._call_timeout_s), deadline.budget_s)
        models = self._manifest.models
        outputs = [(INCLINATION,)] * len(self._manifest.flavors) + [LIKELIHOODS] * len(self._manifest.rejectors)
        asked = (
            self._ask(model.name, named, images, len(batch), deadline)
            for model, named in zip(models, outputs, strict=True)
        )
        answers = dict(zip((model.name for model in models), await asyncio.gather(*asked), strict=True))
        failures = {name: answer for name, answer in answers.items() if isinstance(answer, _Failure)}
        told = {name: answer for name, answer in answers.items() if not isinstance(answer, _Failure)}
        flavors = [(one.name, *told[one.name]) for one in self._manifest.flavors if one.name in told]
        rejectors = [(one.name, *told[one.name]) for one in self._manifest.rejectors if one.name in told]
        if len(flavors) < self._needed:
            raise self._quorum_lost(len(flavors), failures)
        unreleased = tuple(
            f"{name} version {version}" for name, (version, _) in told.items() if version != self._released[name]
        )
        return [
            EnsemblePrediction(
                tuple(FlavorPrediction(name, version, *values[row]) for name, version, values in flavors),
                tuple(RejectorPrediction(name, version, *values[row]) for name, version, values in rejectors),
                tuple(failures),
                unreleased,
            )
            for row in range(len(batch))
        ]

    async def _ask(
        self,
        model: str,
        outputs: tuple[str, ...],
        images: bytes,
        count: int,
        deadline: Deadline,
    ) -> tuple[int, messages.Values] | _Failure:
        """Call one model, and repeat the call while the server is unavailable or full and there is time."""
        version = self._released[model] if self._pinned else None
        request = messages.request(model, version, images)
        give_up = time.monotonic() + self._retry_s
        pause = RETRY_FIRST_S
        replicas_left = OTHER_REPLICAS if self._pinned and self._absent_until.get(model, 0.0) < time.monotonic() else 0
        while True:
            started = time.monotonic()
            failure, code = None, _ABANDONED
            with tracing.span("Predict", {**_CALL, "inclinet.model": model}, calls=True) as span:
                try:
                    # gRPC's metadata are headers of HTTP/2, so that the server can join the trace
                    trace = tuple(tracing.outgoing().items())
                    response = await self._predict(
                        request, timeout=max(deadline.at - started, 0.001), metadata=trace or None
                    )
                    answer = messages.answer(response, outputs, count, version)
                except grpc.aio.AioRpcError as error:
                    failure, code = _Failure(error.code(), error.details() or ""), error.code().name
                except ValueError as error:
                    failure, code = _Failure(grpc.StatusCode.DATA_LOSS, str(error)), grpc.StatusCode.DATA_LOSS.name
                else:
                    code = OK
                    return answer
                finally:
                    self._observe(model, code, time.monotonic() - started)
                    span.set_attributes({"rpc.response.status_code": code})
                tracing.fail(span, code)
            if self._pinned and failure.code is grpc.StatusCode.NOT_FOUND and failure.text.startswith(_ABSENT):
                if replicas_left > 0 and time.monotonic() < deadline.at:
                    replicas_left -= 1
                    continue
                if self._absent_until.get(model, 0.0) < time.monotonic():
                    self._absent_until[model] = time.monotonic() + ABSENT_S
                    log.error("version not served", model=model, version=version, text=failure.text)
                return failure
            if failure.code not in _TRANSIENT or time.monotonic() + pause > min(give_up, deadline.at):
                level = log.error if failure.code in _OWN_FAULT else log.warning
                level("flavor failed", model=model, code=failure.code.name, text=failure.text)
                return failure
            await asyncio.sleep(pause)
            pause = min(2 * pause, RETRY_LONGEST_S)

    def _quorum_lost(self, answered: int, failures: Mapping[str, _Failure]) -> errors.GatewayError:
        codes = {failure.code for failure in failures.values()}
        total = len(self._manifest.flavors)
        if codes & _OWN_FAULT:
            return errors.ServingRefused("The networks refused what they were asked; this is a fault of the service.")
        if codes == {grpc.StatusCode.DEADLINE_EXCEEDED}:
            return errors.DeadlineExceeded("The networks did not answer in time.", retry_after_s=RETRY_AFTER_S)
        absent = [name for name, failure in failures.items() if failure.text.startswith(_ABSENT)]
        because = ""
        if absent and self._pinned:
            because = (
                f" TensorFlow Serving does not have version {self._released[absent[0]]} of {absent[0]}, which the "
                "release's manifest names."
            )
        return errors.QuorumLost(
            f"Only {answered} of the {total} networks answered; at least {self._needed} are needed for a result."
            f"{because}",
            retry_after_s=RETRY_AFTER_S,
            missing=sorted(failures),
        )

    async def states(self, *, timeout_s: float) -> VersionStates:
        """Return the states of all versions; errors as :meth:`gateway.inference.versions.ServedVersions.states`."""
        return await self._served.states(timeout_s=timeout_s)

    async def release_status(self, *, timeout_s: float) -> ReleaseStatus:
        """Return how much of the release is available; errors as :meth:`states`."""
        return await self._served.release_status(timeout_s=timeout_s)


_TRANSIENT = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED})
"""Codes of transient failures: a restart, or all of the server's threads (``--grpc_max_threads``) in use."""

_OWN_FAULT = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION})
"""Codes for a request that is itself wrong: a fault of this gateway or of the release."""
