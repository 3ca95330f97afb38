"""One tiny release, made once in a test run for all tests that need trained networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.core.manifest import read_manifest
from tests.support.networks import TINY_RECIPE, paths_in, quiet
from tests.support.shared_folder import shared_folder
from training.release import build

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.core.manifest import Manifest
    from training.data.training_data import ReleasePaths


@pytest.fixture(scope="session")
def tiny_release(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, ReleasePaths]:
    def make(folder: Path) -> None:
        build.release(TINY_RECIPE, paths_in(folder), name="t", version=3, resume=False, workers=1, say=quiet)

    paths = paths_in(shared_folder(tmp_path_factory, "tiny-release", make))
    return read_manifest(paths.model_repo / "manifest.json"), paths
