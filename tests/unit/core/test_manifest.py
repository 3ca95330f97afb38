from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pydantic
import pytest

from gateway.core.manifest import Manifest, read_manifest, write_manifest
from tests.support.manifests import manifest

if TYPE_CHECKING:
    from pathlib import Path

QUANTILES = {"at_deg": 60, "low68": 1, "high68": 1, "low95": 2, "high95": 2, "below95": 1.5}


def test_a_manifest_survives_being_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    write_manifest(manifest(), path)
    assert read_manifest(path) == manifest()
    assert json.loads(path.read_text())["schema"] == 2
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 1},
        {"flavors": []},
        {"unknown": 1},
        {"calibration": {"floor_deg": 0, "quantiles": [QUANTILES], "galaxies": 9}},
        {"calibration": {"floor_deg": 2, "quantiles": [], "galaxies": 9}},
        {"calibration": {"floor_deg": 2, "quantiles": [QUANTILES, QUANTILES], "galaxies": 9}},
        {"calibration": {"floor_deg": 2, "quantiles": [QUANTILES | {"low68": 3}], "galaxies": 9}},
        {"calibration": {"floor_deg": 2, "quantiles": [QUANTILES | {"below95": 3}], "galaxies": 9}},
    ],
    ids=[
        "schema",
        "no flavors",
        "unknown key",
        "no floor",
        "no quantiles",
        "a median twice",
        "68 % wider than 95 %",
        "a bound outside its interval",
    ],
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
