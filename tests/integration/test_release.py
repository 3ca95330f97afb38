"""The committed release, through the whole service: real galaxies that people measured, and galaxies on a mosaic."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from astropy.io import fits

from gateway.core.field_of_view import SkyField, side_pixels
from gateway.core.manifest import read_manifest
from tests.support.galaxies import SHARED, needs_galaxies, simulated_pictures
from tests.support.imaging import PIXEL_ARCSEC, SkyPicture, ideal_planes, plane, tile, written
from tests.support.pictures import disc, encoded
from tests.support.service import UpProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "model_repo" / "manifest.json"
RA_DEG, DEC_DEG = 150.0, 2.0
APART_ARCMIN, SIDE_ARCMIN = 2.0, 1.5
FOV_ARCMIN = 1.4
NOISE = 0.5
SHAPE = (1200, 760)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    # a busy machine is slow, not wrong
    patient = {f"INCLINET_{name}_TIMEOUT_S": "600" for name in ("REQUEST", "UPLOAD", "PREDICT")}
    with UpProcess(tmp_path_factory.mktemp("up"), f"--manifest={MANIFEST}", environment=patient) as service:
        yield service.url


def measured(url: str, *images: bytes, **params: Any) -> dict[str, float]:
    files = [("file", ("galaxy", data)) for data in images]
    answer = httpx.post(f"{url}/api/file", files=files, params=params, timeout=900).json()
    assert len(answer["flavors"]) == len(read_manifest(MANIFEST).flavors), answer
    assert answer["warnings"] is not None
    values: dict[str, float] = answer["inclination"] | {"rejection": answer["rejection"]["median"]}
    return values


@needs_galaxies
def test_a_galaxy_that_people_measured_at_61_deg_is_within_10_of_it(url: str) -> None:
    values = measured(url, (SHARED / "giz512" / "pgc44182_gri.jpg").read_bytes())
    assert values["median_deg"] == pytest.approx(61, abs=10)


@needs_galaxies
def test_galaxies_as_measurers_saw_them_come_out_as_they_measured(url: str) -> None:
    with (SHARED / "giz512.csv").open() as table:
        rows = [row for row in csv.DictReader(table) if row["inclination"]]
    errors = [
        measured(url, (SHARED / row["file"]).read_bytes())["median_deg"] - float(row["inclination"]) for row in rows
    ]
    assert len(errors) >= 10
    rms = (sum(error**2 for error in errors) / len(errors)) ** 0.5
    assert rms < 7.5  # a ruler on these pictures (axis ratios of isophotes) scatters by more than 10


def test_the_networks_tell_thick_from_thin_on_plain_discs(url: str) -> None:
    medians = [measured(url, encoded(disc(160, q), "PNG"))["median_deg"] for q in (0.7, 0.45, 0.25)]
    assert medians == sorted(medians)
    assert medians[-1] - medians[0] > 12


def sky() -> list[SkyPicture]:
    """Twelve simulated galaxies in three rows of four: the border of the tiles runs through the third column."""
    return [
        SkyPicture(
            RA_DEG + (1.9 - number % 4) * APART_ARCMIN / 60 / np.cos(np.radians(DEC_DEG)),
            DEC_DEG + (1 - number // 4) * APART_ARCMIN / 60,
            rgb,
            SIDE_ARCMIN,
        )
        for number, rgb in enumerate(simulated_pictures()[:12])
    ]


@pytest.mark.timeout(1800)
def test_twelve_galaxies_on_two_tiles_are_measured_as_in_ideal_cutouts(url: str) -> None:
    galaxies = sky()
    east = plane(RA_DEG + 0.036, DEC_DEG, SHAPE, turn_deg=0.0)
    west = plane(RA_DEG - 0.032, DEC_DEG, SHAPE, turn_deg=7.0)
    files = [
        written(tile(galaxies, wcs, SHAPE, band=band, seed=seed, noise=NOISE))
        for number, wcs in enumerate((east, west))
        for seed, band in enumerate("gri", 10 * number)
    ]
    differences = []
    for number, one in enumerate(galaxies):
        turn = {} if number % 2 else {"pa": 15.0 * number}
        found = measured(url, *files, ra=one.ra_deg, dec=one.dec_deg, fov=FOV_ARCMIN, **turn)["median_deg"]
        field = SkyField(one.ra_deg, one.dec_deg, FOV_ARCMIN, turn.get("pa"))
        planes = ideal_planes(galaxies, field, side_pixels(FOV_ARCMIN, PIXEL_ARCSEC), seed=number, noise=NOISE)
        # in FITS: of a picture of 8 bits a black sky may be taken for empty corners
        cutout = fits.PrimaryHDU(planes[:, ::-1], fits.Header({"BANDS": "i,r,g"}))
        expected = measured(url, written(fits.HDUList([cutout])), frame="whole")["median_deg"]
        differences.append(found - expected)
    assert np.mean(np.abs(differences)) < 0.3, np.round(differences, 2)
