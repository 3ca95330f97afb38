"""The standards that come with the zoo, and how others are drawn."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from zoo.standards import draw
from zoo.standards.archive import (
    HIDDEN,
    LATTICE,
    PRACTICE,
    SHIPPED,
    Standard,
    StandardsArchive,
    StandardsUnusable,
    write_archive,
)

if TYPE_CHECKING:
    from pathlib import Path

# they are drawn as training's galaxies are, with TensorFlow
pytestmark = pytest.mark.xdist_group("training")


@pytest.fixture(scope="module")
def shipped() -> StandardsArchive:
    return StandardsArchive()


def truths(archive: StandardsArchive, role: str) -> list[float]:
    return sorted(one.truth_deg for one in archive.standards if one.role == role)


def test_the_lattice_has_a_galaxy_every_third_of_a_degree(shipped: StandardsArchive) -> None:
    assert truths(shipped, LATTICE) == pytest.approx(np.arange(271) / 3, abs=1e-4)


@pytest.mark.parametrize("role", [PRACTICE, HIDDEN])
def test_what_people_measure_spans_all_inclinations_evenly(shipped: StandardsArchive, role: str) -> None:
    counts, _ = np.histogram(truths(shipped, role), bins=np.arange(0, 91, 15))
    assert counts.min() >= 0.9 * counts.mean()


def test_a_project_from_45_degrees_has_standards_enough_to_calibrate(shipped: StandardsArchive) -> None:
    assert sum(truth >= 45 for truth in truths(shipped, HIDDEN)) >= 30


def test_no_galaxy_is_shown_twice_and_every_picture_is_384_pixels_wide(shipped: StandardsArchive) -> None:
    pictures = [shipped.picture(one.name) for one in shipped.standards]
    assert len({hashlib.sha256(one).digest() for one in pictures}) == len(pictures)
    assert {Image.open(io.BytesIO(one)).size for one in pictures} == {(384, 384)}
    assert SHIPPED.stat().st_size < 2_000_000


def test_a_picture_shows_the_inclination_that_its_table_says(shipped: StandardsArchive) -> None:
    # of the lattice the major axis lies along the rows: how much taller than wide the light is falls with inclination
    def flatness(one: Standard) -> float:
        light = np.asarray(Image.open(io.BytesIO(shipped.picture(one.name))).convert("L"), float)
        light = np.clip(light - np.percentile(light, 50) - 8, 0, None)[96:288, 96:288]
        y, x = np.mgrid[: light.shape[0], : light.shape[1]]
        spread = [np.average((axis - np.average(axis, weights=light)) ** 2, weights=light) for axis in (y, x)]
        return float(np.sqrt(spread[0] / spread[1]))

    lattice = [one for one in shipped.standards if one.role == LATTICE]
    found = [flatness(one) for one in lattice]
    truth = [one.truth_deg for one in lattice]
    assert np.corrcoef(np.cos(np.radians(truth)), found)[0, 1] > 0.93


def test_an_archive_comes_out_as_it_went_in_and_the_same_each_time(tmp_path: Path) -> None:
    standard = Standard("one.webp", HIDDEN, 12.3457)
    write_archive(tmp_path / "a" / "s.zip", [(standard, b"picture")])
    first = (tmp_path / "a" / "s.zip").read_bytes()
    write_archive(tmp_path / "a" / "s.zip", [(standard, b"picture")])
    assert (tmp_path / "a" / "s.zip").read_bytes() == first
    again = StandardsArchive(tmp_path / "a" / "s.zip")
    assert again.standards == (standard,)
    assert again.picture("one.webp") == b"picture"


def test_another_file_is_told_to_be_no_archive(tmp_path: Path) -> None:
    (tmp_path / "s.zip").write_bytes(b"PK")
    with pytest.raises(StandardsUnusable, match="can't be read"):
        StandardsArchive(tmp_path / "s.zip")


def test_drawn_galaxies_are_of_the_inclination_asked_for_and_the_same_for_a_seed() -> None:
    first, again = (draw._drawn(3, 5, HIDDEN, 70.0) for _ in range(2))  # noqa: SLF001 - pictures of it take minutes
    assert first["cos"] == pytest.approx(np.cos(np.radians(70)), abs=1e-6)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert first["noise"].shape == (3, draw.SIDE, draw.SIDE)
    assert not np.array_equal(first["noise"], draw._drawn(4, 5, HIDDEN, 70.0)["noise"])  # noqa: SLF001 - as above
