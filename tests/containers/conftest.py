"""The images of this tree, built once, and a second model release to roll to."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from gateway.core.manifest import read_manifest
from gateway.core.models_config import models_config
from tests.support import podman
from tests.support.podman import ROOT, SERVING_BASE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST, SECOND = "test", "test-next"
NEXT_RELEASE = "next"
COMMITTED = read_manifest(ROOT / "model_repo" / "manifest.json")
RELEASES = {FIRST: COMMITTED.release, SECOND: NEXT_RELEASE}


def served_versions(tag: str) -> dict[str, set[int]]:
    """Return the version of each network of a tag."""
    return {model.name: {model.version + (tag == SECOND)} for model in COMMITTED.models}


@pytest.fixture(scope="session", autouse=True)
def _somewhere_to_run() -> None:
    reason = podman.why_not()
    if reason is not None:
        pytest.skip(f"The containers are not tested here. {reason}")


@pytest.fixture(scope="session")
def images() -> None:
    """Both images of the committed release, on a TensorFlow Serving that the stand-in plays unless it is there."""
    with ThreadPoolExecutor() as pool:
        gateway = pool.submit(podman.build, f"localhost/inclinet-gateway:{FIRST}", ROOT / "gateway" / "Dockerfile")
        _serving()
        gateway.result()


def _serving() -> None:
    here = ROOT / "tests" / "containers"
    official = podman.exists(SERVING_BASE) and "inclinet.standin" not in (
        podman.inspect(SERVING_BASE, "image")["Labels"] or {}
    )
    if not official:
        ignored = ("--ignorefile", str(here / "serving.dockerignore"))
        podman.build(SERVING_BASE, here / "serving.Dockerfile", ROOT, *ignored)
    podman.build(f"localhost/inclinet-serving:{FIRST}", ROOT / "serving" / "Dockerfile")


@pytest.fixture(scope="session")
def releases(images: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:  # noqa: ARG001 - has to be built
    """Tag to release: the committed one, and one of the same networks under higher versions."""
    context = tmp_path_factory.mktemp("next-release")
    shutil.copytree(ROOT / "model_repo", context / "model_repo")
    (context / "serving").mkdir()
    for config in (ROOT / "serving").glob("*.config"):
        shutil.copy(config, context / "serving")
    _raise_versions(context / "model_repo")
    podman.build(f"localhost/inclinet-serving:{SECOND}", ROOT / "serving" / "Dockerfile", context)
    # The gateway of a release is the same program with another manifest.
    dockerfile = context / "Dockerfile"
    dockerfile.write_text(
        f"FROM localhost/inclinet-gateway:{FIRST}\nCOPY model_repo/manifest.json /app/model_repo/manifest.json\n",
        encoding="utf-8",
    )
    podman.build(f"localhost/inclinet-gateway:{SECOND}", dockerfile, context)
    return RELEASES


def _raise_versions(repository: Path) -> None:
    path = repository / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["release"] = NEXT_RELEASE
    for model in [*manifest["flavors"], *manifest["rejectors"]]:
        folder = repository / model["name"]
        model["version"] += 1
        (folder / str(model["version"] - 1)).rename(folder / str(model["version"]))
    path.write_text(json.dumps(manifest), encoding="utf-8")
    # which versions are served is said there
    config = repository.parent / "serving" / "models.config"
    config.write_text(models_config(read_manifest(path)), encoding="utf-8")


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left(_somewhere_to_run: None) -> Iterator[None]:
    yield
    for tag in (FIRST, SECOND):
        for name in ("gateway", "serving", "batch"):
            image = f"localhost/inclinet-{name}:{tag}"
            if podman.exists(image):
                podman.podman("untag", image)
