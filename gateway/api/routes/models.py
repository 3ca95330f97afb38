"""``GET /api/models``: the release, and what TensorFlow Serving says of its networks."""

from __future__ import annotations

import re

from fastapi import APIRouter

from gateway.api.dependencies import WiredServices
from gateway.api.problems import responses
from gateway.api.schemas import Models, ModelVersion, ServedModel
from gateway.core import errors
from gateway.core.ensemble import quorum
from gateway.core.manifest import Flavor
from gateway.inference.versions import AVAILABLE

router = APIRouter(tags=["models"])

STATUS_TIMEOUT_S = 5.0
_PATH = re.compile(r"(?:\b[a-z][a-z0-9+.-]*:/)?(?<![\w.])(?:/[\w.@%+~=-]+)+/?")


@router.get(
    "/api/models",
    summary="The networks of the release and their states",
    responses=responses(errors.UpstreamUnavailable),
)
async def models(services: WiredServices) -> Models:
    """Show flavors and rejectors, the versions served with their states, and the release's metrics."""
    manifest = services.manifest
    states = await services.predictor.states(timeout_s=STATUS_TIMEOUT_S)
    return Models(
        release=manifest.release,
        label_range_deg=manifest.label_range_deg,
        quorum=quorum(services.settings.quorum, len(manifest.flavors)),
        versions_pinned=services.settings.pin_versions,
        metrics=manifest.metrics,
        models=[
            ServedModel(
                name=model.name,
                kind="flavor" if isinstance(model, Flavor) else "rejector",
                architecture=model.architecture,
                bag=model.bag if isinstance(model, Flavor) else None,
                parameters=model.parameters,
                training_galaxies=model.training_galaxies,
                metrics=model.metrics,
                released_version=model.version,
                released_version_available=any(
                    one.version == model.version and one.state == AVAILABLE for one in states[model.name]
                ),
                versions=[
                    ModelVersion(version=one.version, state=one.state, error=without_paths(one.error))
                    for one in states[model.name]
                ],
            )
            for model in manifest.models
        ],
    )


def without_paths(text: str) -> str:
    """Remove the paths from TensorFlow Serving's message about a version; the layout of its disk is private."""
    return _PATH.sub("…", text)
