"""Several TensorFlow Servings as one: each gets model inputs in turn, and the next one when a server fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.core import errors
from gateway.inference.predictor import Predictor

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from gateway.core.manifest import Manifest
    from gateway.core.models import Deadline, EnsemblePrediction

CALL_TIMEOUT_S = 60.0
RETRY_S = 30.0
"""Time for which one server is retried while it is down, seconds: a restart takes less."""

_STATES_TIMEOUT_S = 5.0
_POLL_S = 0.5


class Networks:
    """All networks of a release, on one server or several.

    A batch accepts only answers of the whole ensemble: a reading that lacks a network in the release's version is
    refused as a passing problem, so that no row depends on the time of its measurement.

    Parameters
    ----------
    addresses : sequence of str
        ``host:port`` of each server; one name may have many addresses.
    manifest : Manifest
    retry_s : float
        Time for which one server is retried while it is down, seconds.
    """

    def __init__(self, addresses: Sequence[str], manifest: Manifest, *, retry_s: float = RETRY_S) -> None:
        self._versions = {model.name: model.version for model in manifest.models}
        self._release = manifest.release
        self._predictors = [
            Predictor(
                address,
                manifest,
                quorum_fraction=1.0,
                call_timeout_s=CALL_TIMEOUT_S,
                retry_s=retry_s,
                observe=lambda _model, _code, _seconds: None,
            )
            for address in addresses
        ]
        self._next = 0

    async def aclose(self) -> None:
        """Close the channels."""
        await asyncio.gather(*(predictor.aclose() for predictor in self._predictors))

    async def read(self, batch: NDArray[np.uint8], deadline: Deadline) -> list[EnsemblePrediction]:
        """Return the answers of all networks for each model input of a batch, uint8 ``[N, 128, 128, 3]``.

        Raises
        ------
        gateway.core.errors.EnsembleError, gateway.core.errors.DeadlineExceeded
            No server had the whole release, or no server answered.
        """
        first = self._next
        self._next = (first + 1) % len(self._predictors)
        failure: errors.GatewayError = errors.QuorumLost("There is no TensorFlow Serving to ask.")
        for turn in range(len(self._predictors)):
            predictor = self._predictors[(first + turn) % len(self._predictors)]
            try:
                return [self._whole(reading) for reading in await predictor.read(batch, deadline)]
            except (errors.EnsembleError, errors.DeadlineExceeded) as problem:
                failure = problem
                deadline.remaining_s()
        raise failure

    def _whole(self, reading: EnsemblePrediction) -> EnsemblePrediction:
        if reading.missing:
            raise errors.QuorumLost(
                f"A batch needs every network of release {self._release}; without an answer: "
                f"{', '.join(reading.missing)}.",
                missing=list(reading.missing),
            )
        return reading

    async def ready(self, timeout_s: float) -> str | None:
        """Wait until every server has the whole release; return the reason, for people, if it takes too long."""
        try:
            async with asyncio.timeout(timeout_s):
                while (wrong := await self._wrong()) is not None:  # noqa: ASYNC110 - another machine sends no event
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            return wrong or "TensorFlow Serving did not answer in time."
        return None

    async def _wrong(self) -> str | None:
        try:
            everyone = await asyncio.gather(
                *(predictor.states(timeout_s=_STATES_TIMEOUT_S) for predictor in self._predictors),
            )
        except errors.UpstreamUnavailable as error:
            return error.detail
        for states in everyone:
            for name, version in self._versions.items():
                available = [state.version for state in states[name] if state.state == "AVAILABLE"]
                if version not in available:
                    served = f"version {max(available)}" if available else "none"
                    return (
                        f"TensorFlow Serving has {served} of {name} available; release {self._release} has version "
                        f"{version}."
                    )
        return None
