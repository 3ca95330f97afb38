"""The states of a release's models in TensorFlow Serving, and whether the served versions are the manifest's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc

from gateway.core import errors
from gateway.inference import protos

if TYPE_CHECKING:
    from gateway.core.manifest import Manifest, Model

RETRY_AFTER_S = 5.0
OTHER_REPLICAS = 7
"""Number of further requests for the released version at once, where a replica does not have it.

During a rolling release, another replica has it. With one of two replicas, fewer than one search in a hundred fails;
with one of four, one in ten.
"""
AVAILABLE = "AVAILABLE"


@dataclass(frozen=True, slots=True)
class VersionState:
    """TensorFlow Serving's state of one version of a model; ``state`` as in its API, such as ``AVAILABLE``."""

    version: int
    state: str
    error: str = ""


VersionStates = Mapping[str, tuple[VersionState, ...]]
"""States of all versions of every model, highest version first."""


@dataclass(frozen=True, slots=True)
class ReleaseStatus:
    """How much of a release is available.

    Attributes
    ----------
    available : int
        Flavors that are available.
    needed : int
        Flavors that the quorum needs.
    other_versions : mapping
        Served version by model, for models that are served in another version than the release's.
    """

    available: int
    needed: int
    other_versions: Mapping[str, int]

    @property
    def has_quorum(self) -> bool:
        """Whether enough flavors for the quorum are available."""
        return self.available >= self.needed

    @property
    def difference(self) -> str:
        """Description, for people, of the versions served instead of the release's; empty where there are none."""
        if not self.other_versions:
            return ""
        name, version = next(iter(self.other_versions.items()))
        count = len(self.other_versions) - 1
        more = f" and {count} more" if count else ""
        return f"TensorFlow Serving has another version than the release's manifest of {name} (version {version}){more}"


class ServedVersions:
    """Requests the states of a release's models from TensorFlow Serving.

    Parameters
    ----------
    models : ModelServiceStub
    manifest : Manifest
    needed : int
        Flavors that the quorum needs.
    pin_versions : bool
        Whether only the manifest's versions are used.
    """

    def __init__(self, models: Any, manifest: Manifest, *, needed: int, pin_versions: bool) -> None:
        self._models = models
        self._manifest = manifest
        self._released = {model.name: model.version for model in manifest.models}
        self._needed = needed
        self._pinned = pin_versions

    async def states(self, *, timeout_s: float) -> dict[str, tuple[VersionState, ...]]:
        """Return the states of all versions of every model, highest version first; an unknown model has none.

        Where versions are pinned and a replica lacks the manifest's, other replicas are asked as well.

        Raises
        ------
        errors.UpstreamUnavailable
            TensorFlow Serving can't be reached.
        """

        async def ask(model: Model) -> tuple[VersionState, ...]:
            found: dict[int, VersionState] = {}
            for _ in range(1 + OTHER_REPLICAS if self._pinned else 1):
                found |= {one.version: one for one in await self._states_of(model.name, timeout_s)}
                if model.version in found and found[model.version].state == AVAILABLE:
                    break
            return tuple(sorted(found.values(), key=lambda one: -one.version))

        models = self._manifest.models
        return dict(zip((model.name for model in models), await asyncio.gather(*map(ask, models)), strict=True))

    async def _states_of(self, name: str, timeout_s: float) -> tuple[VersionState, ...]:
        request = protos.GetModelStatusRequest()
        request.model_spec.name = name
        try:
            response = await self._models.GetModelStatus(request, timeout=timeout_s)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return ()
            raise errors.UpstreamUnavailable(
                f"TensorFlow Serving can't be asked for its models ({error.code().name}).",
                retry_after_s=RETRY_AFTER_S,
                service="tensorflow-serving",
            ) from error
        name_of = protos.ModelVersionStatus.State.Name
        return tuple(
            VersionState(status.version, name_of(status.state), status.status.error_message)
            for status in response.model_version_status
        )

    async def release_status(self, *, timeout_s: float) -> ReleaseStatus:
        """Return how many flavors are available, and which models are served in another version than the release's.

        Raises
        ------
        errors.UpstreamUnavailable
            TensorFlow Serving can't be reached.
        """
        states = await self.states(timeout_s=timeout_s)
        up = {name: [one.version for one in versions if one.state == AVAILABLE] for name, versions in states.items()}
        others = {name: max(found) for name, found in up.items() if found and self._released[name] not in found}
        available = sum(
            bool(up[flavor.name]) and not (self._pinned and flavor.name in others) for flavor in self._manifest.flavors
        )
        return ReleaseStatus(available, self._needed, others)
