"""Calibrated frames made pictures: what resampling must keep, and what the stretches show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from astropy.io import fits

from gateway.core.field_of_view import SkyField
from gateway.images.mosaic.celestial import tangent_plane
from tests.support.sdss_fakes import SdssField
from training.data.download import coadd

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RA, DEC = 200.0, -5.0
FRAME = SdssField(1, 1, 1, RA, DEC, angle=20.0, shape=(240, 240))


def write(path: Path, pixels: NDArray[np.float32], field: SdssField = FRAME) -> Path:
    fits.PrimaryHDU(pixels.astype(np.float32), field.wcs().to_header()).writeto(path)
    return path


def flat(level: float, *, noise: float = 0.0, seed: int = 0) -> NDArray[np.float32]:
    return (level + np.random.default_rng(seed).normal(0, noise or 1e-9, FRAME.shape)).astype(np.float32)


@pytest.mark.parametrize("fov_arcmin", [0.25, 0.9])
def test_surface_brightness_is_kept_at_every_scale(fov_arcmin: float, tmp_path: Path) -> None:
    plane = tangent_plane(SkyField(RA, DEC, fov_arcmin, 70.0), 48)
    found = coadd.coadd([write(tmp_path / "a.fits", flat(0.7))], plane, 48)
    assert found.coverage == 1
    np.testing.assert_allclose(found.light, 0.7, rtol=1e-5)


def test_detail_too_fine_for_the_picture_is_averaged_and_not_aliased(tmp_path: Path) -> None:
    rows, columns = np.indices(FRAME.shape)
    checkers = ((rows + columns) % 2 * 2.0).astype(np.float32)
    plane = tangent_plane(SkyField(RA, DEC, 1.0, None), 24)
    found = coadd.coadd([write(tmp_path / "a.fits", checkers)], plane, 24)
    np.testing.assert_allclose(found.light, 1.0, atol=0.02)


def test_four_exposures_have_half_the_noise_of_one(tmp_path: Path) -> None:
    plane = tangent_plane(SkyField(RA, DEC, 0.4, None), 48)
    files = [write(tmp_path / f"{seed}.fits", flat(0.2, noise=0.1, seed=seed)) for seed in range(4)]
    one, four = (coadd.coadd(some, plane, 48).light.std() for some in (files[:1], files))
    assert four / one == pytest.approx(0.5, rel=0.12)


def test_what_no_frame_shows_is_known(tmp_path: Path) -> None:
    beside = SdssField(1, 1, 2, RA, DEC + 0.02, angle=90.0, shape=(120, 240))
    path = write(tmp_path / "a.fits", np.ones((120, 240), np.float32), beside)
    # the frame ends 48 arcsec above its middle and below it, and the picture reaches 90 arcsec to both sides
    found = coadd.coadd([path], tangent_plane(SkyField(RA, DEC + 0.02, 1.6, None), 40), 40)
    assert 0.3 < found.coverage < 0.75
    assert (found.light[~found.covered] == 0).all()
    assert found.light[found.covered] == pytest.approx(1.0, abs=1e-4)
    with pytest.raises(coadd.NothingThereError):
        coadd.coadd([path], tangent_plane(SkyField(RA + 3, DEC, 1.0, None), 40), 40)


def test_the_colour_of_bright_pixels_is_that_of_faint_ones() -> None:
    light = np.geomspace(0.01, 300, 64, dtype=np.float32)[None] * np.ones((64, 1), np.float32)
    rgb = coadd.colour([0.4 * light, light, 1.6 * light]).astype(float)[0]
    assert (np.diff(rgb.max(axis=1)) >= 0).all()
    middle = rgb[(rgb.min(axis=1) > 40)]
    red_to_blue = middle[:, 0] / middle[:, 2]
    assert red_to_blue.std() / red_to_blue.mean() < 0.03
    assert (rgb[:, 0] >= rgb[:, 2]).all()


def test_a_band_shows_faint_outskirts_beside_a_bright_bulge() -> None:
    y, x = np.mgrid[:80, :80] - 39.5
    radius = np.hypot(x, y)
    sky = np.random.default_rng(3).normal(0, 0.02, radius.shape)
    light = (sky + 0.3 * np.exp(-radius / 12) + 200 * np.exp(-radius / 1.5)).astype(np.float32)
    shown = coadd.gray(coadd.Coadd(light, np.ones_like(light, bool))).astype(float)
    background = np.median(shown[radius > 38])
    assert 10 < background < 80
    assert np.median(shown[np.abs(radius - 20) < 2]) > background + 15
    assert shown[radius < 1].min() > 240
