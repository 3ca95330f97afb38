"""The pictures of a sample: read, fitted and turned."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gateway.core.manifest import INPUT_SHAPE
from tests.support.pictures import disc, encoded
from training.data.dataset import RealGalaxy
from training.evaluation import labelled_images
from training.evaluation.evaluate import Predictions

if TYPE_CHECKING:
    from numpy.typing import NDArray


def test_pictures_that_are_missing_or_broken_are_counted_and_named(tmp_path: Path) -> None:
    (tmp_path / "good.png").write_bytes(encoded(disc(), "PNG"))
    (tmp_path / "torn.png").write_bytes(encoded(disc(), "PNG")[:500])
    (tmp_path / "dark.png").write_bytes(encoded(np.zeros((40, 40, 3), np.uint8), "PNG"))
    (tmp_path / "folder.png").mkdir()
    rows = [RealGalaxy(-1, tmp_path / f"{name}.png", 60.0, "") for name in ("good", "gone", "torn", "dark", "folder")]
    sample = labelled_images.read([*rows, RealGalaxy(-1, tmp_path / "nobody.png", math.nan, "")])
    assert [g.path.name for g in sample.galaxies] == ["good.png"]
    assert sample.inputs.shape == (1, *INPUT_SHAPE)
    counted = sample.counted()
    assert [Path(name).name for name in counted["missing"]] == ["gone.png"]
    assert {Path(name).name for name in counted["unreadable"]} == {"torn.png", "dark.png", "folder.png"}
    assert "one colour" in counted["unreadable"][str(tmp_path / "dark.png")]
    assert counted["unjudged"] == 1


def test_the_baseline_is_the_ellipse_of_the_picture_with_a_thickness_of_three_tenths(tmp_path: Path) -> None:
    (tmp_path / "disc.png").write_bytes(encoded(disc(160, axis_ratio=0.5), "PNG"))
    sample = labelled_images.read([RealGalaxy(1, tmp_path / "disc.png", 60.0, "")])
    exact = math.degrees(math.acos(math.sqrt((0.5**2 - 0.3**2) / (1 - 0.3**2))))
    assert sample.ellipticity_deg[0] == pytest.approx(exact, abs=4)


def test_turning_a_picture_keeps_its_galaxy_and_fills_the_corners_with_its_own_sky() -> None:
    rgb = disc(128, axis_ratio=0.4, angle_deg=0.0)
    upright = labelled_images.turned(rgb, 90, mirror=False)
    assert np.abs(upright[:, 64].astype(int) - rgb[64].astype(int)).mean() < 6
    corner = labelled_images.turned(rgb, 45, mirror=True)[:12, :12].astype(float)
    assert corner.mean() == pytest.approx(rgb[:3].mean(), abs=1.5)
    assert 0.5 < corner.std(axis=(0, 1)).mean() < 4


class Leaning:
    """An ensemble that reads the brightness of the upper left corner, in degrees; remembers how much it was shown."""

    def __init__(self) -> None:
        self.shown = 0

    def __call__(self, images: NDArray[np.uint8]) -> Predictions:
        self.shown += len(images)
        corner = images[:, :30, :30].mean(axis=(1, 2, 3)).astype(float)
        return Predictions({"a_m0": 60 + corner - images.mean(axis=(1, 2, 3))})


def test_what_depends_on_how_a_picture_lies_is_measured(tmp_path: Path) -> None:
    even, lopsided = disc(96, axis_ratio=0.9), disc(96, axis_ratio=0.9)
    # with grain: an even corner would be taken for an empty one
    lopsided[60:, 60:] = np.random.default_rng(1).integers(150, 251, (36, 36, 1))
    for name, rgb in (("even", even), ("lopsided", lopsided)):
        (tmp_path / f"{name}.png").write_bytes(encoded(rgb, "PNG"))
    rows = [RealGalaxy(1, tmp_path / f"{name}.png", 60.0, "") for name in ("even", "lopsided", "even")]
    ask = Leaning()
    found = labelled_images.orientation([*rows, RealGalaxy(2, tmp_path / "even.png", math.nan, "face_on")], ask, 8)
    assert ask.shown == 3 * 8
    assert found["galaxies"] == 3
    assert found["median_stdev_deg"] < 2
    assert found["worst"]["file"] == "lopsided.png"
    assert found["worst"]["range_deg"] > 50
