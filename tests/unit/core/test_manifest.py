from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pydantic
import pytest

from gateway.core.manifest import Manifest, read_manifest, write_manifest
from tests.support.manifests import manifest

if TYPE_CHECKING:
    from pathlib import Path


def test_a_manifest_survives_being_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    write_manifest(manifest(), path)
    assert read_manifest(path) == manifest()
    assert json.loads(path.read_text())["schema"] == 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"flavors": []},
        {"unknown": 1},
        {"calibration": {"floor_deg": 0, "quantile68": 1, "quantile95": 2, "galaxies": 9}},
    ],
    ids=["schema", "no flavors", "unknown key", "calibration"],
)
def test_what_is_not_a_manifest_is_refused(change: dict[str, object]) -> None:
    good = json.loads(manifest().model_dump_json(by_alias=True))
    with pytest.raises(pydantic.ValidationError):
        Manifest.model_validate(good | change)


@pytest.mark.parametrize("name", ["VGG6_m0", "vgg6", "vgg6_m", "vgg6_m-1", "../vgg6_m0", "vgg6_rejects"])
def test_names_of_models_follow_the_convention(name: str) -> None:
    good = json.loads(manifest().model_dump_json(by_alias=True))
    good["flavors"][0]["name"] = name
    with pytest.raises(pydantic.ValidationError):
        Manifest.model_validate(good)


def test_a_model_listed_twice_is_refused() -> None:
    good = json.loads(manifest().model_dump_json(by_alias=True))
    good["flavors"].append(good["flavors"][0])
    with pytest.raises(pydantic.ValidationError, match="listed twice"):
        Manifest.model_validate(good)
