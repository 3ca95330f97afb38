"""One tiny release, made once in a session for all tests that need trained networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.networks import TINY_RECIPE, paths_in, quiet
from training.release import build

if TYPE_CHECKING:
    from gateway.core.manifest import Manifest
    from training.data.training_data import ReleasePaths


@pytest.fixture(scope="session")
def tiny_release(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, ReleasePaths]:
    paths = paths_in(tmp_path_factory.mktemp("release"))
    return build.release(TINY_RECIPE, paths, name="t", version=3, resume=False, workers=1, say=quiet), paths
