"""The committed release measures a galaxy cut from a mosaic as it measures its ideal cutout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

from gateway.core.field_of_view import SkyField, side_pixels
from tests.support.imaging import PIXEL_ARCSEC, SkyPicture, ideal, plane, tile, written
from tests.support.pictures import encoded
from tests.support.service import UpProcess
from training.simulation.sample import simulate

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

MANIFEST = Path(__file__).parents[2] / "model_repo" / "manifest.json"
RA_DEG, DEC_DEG = 150.0, 2.0
APART_ARCMIN, SIDE_ARCMIN = 2.0, 1.5
FOV_ARCMIN = 1.4
NOISE = 0.5
SHAPE = (1200, 760)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    # a busy machine is slow, not wrong
    patient = {
        "INCLINET_REQUEST_TIMEOUT_S": "600",
        "INCLINET_UPLOAD_TIMEOUT_S": "600",
        "INCLINET_PREDICT_TIMEOUT_S": "600",
    }
    folder = tmp_path_factory.mktemp("up")
    with UpProcess(folder, f"--manifest={MANIFEST}", environment=patient) as service:
        yield service.url


def sky() -> list[SkyPicture]:
    """Twelve simulated galaxies in three rows of four: the border of the tiles runs through the third column."""
    return [
        SkyPicture(
            RA_DEG + (1.9 - number % 4) * APART_ARCMIN / 60 / np.cos(np.radians(DEC_DEG)),
            DEC_DEG + (1 - number // 4) * APART_ARCMIN / 60,
            rgb,
            SIDE_ARCMIN,
        )
        for number, rgb in enumerate(simulate(seed=20261128, count=12).images)
    ]


def measured(url: str, files: list[tuple[str, tuple[str, bytes]]], **params: Any) -> float:
    response = httpx.post(f"{url}/api/file", files=files, params=params, timeout=900)
    assert response.status_code == 200, response.text
    return float(response.json()["inclination"]["median_deg"])


@pytest.mark.timeout(1800)
def test_twelve_galaxies_on_two_tiles_are_measured_as_in_ideal_cutouts(url: str) -> None:
    galaxies = sky()
    east = plane(RA_DEG + 0.036, DEC_DEG, SHAPE, turn_deg=0.0)
    west = plane(RA_DEG - 0.032, DEC_DEG, SHAPE, turn_deg=7.0)
    files = [
        ("file", (f"{band}{number}.fits", written(tile(galaxies, wcs, SHAPE, band=band, seed=seed, noise=NOISE))))
        for number, wcs in enumerate((east, west))
        for seed, band in enumerate("gri", 10 * number)
    ]
    differences = []
    for number, one in enumerate(galaxies):
        turn = {} if number % 2 else {"pa": 15.0 * number}
        found = measured(url, files, ra=one.ra_deg, dec=one.dec_deg, fov=FOV_ARCMIN, **turn)
        field = SkyField(one.ra_deg, one.dec_deg, FOV_ARCMIN, turn.get("pa"))
        picture = ideal(galaxies, field, side_pixels(FOV_ARCMIN, PIXEL_ARCSEC), seed=number, noise=NOISE)
        expected = measured(url, [("file", ("ideal.png", encoded(picture, "PNG")))], frame="whole")
        differences.append(found - expected)
    assert np.mean(np.abs(differences)) < 0.3, np.round(differences, 2)
