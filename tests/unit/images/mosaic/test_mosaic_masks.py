"""Of a mask those bits count that spoil a pixel, by the names that surveys give them; others mark the galaxy itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from gateway.images.fits_file import FitsFile
from gateway.images.mosaic.cut import cut
from gateway.images.mosaic.masks import ImageMask
from gateway.images.mosaic.sections import ImagePlane, TileCache
from tests.support.imaging import SkyDisc, plane, tile, written

DISC = SkyDisc(339.267, 34.4156)
SHAPE = (300, 300)
RUBIN = {"MP_BAD": 0, "MP_SAT": 1, "MP_CR": 3, "HIERARCH MP_DETECTED": 5, "MP_EDGE": 8}
PAN_STARRS = {"MSKNAM00": "DETECTOR", "MSKVAL00": 1, "MSKNAM05": "SAT", "MSKVAL05": 32, "MSKNAM12": "STARCORE"}
PAN_STARRS |= {"MSKVAL12": 4096, "MSKNAM08": "CR", "MSKVAL08": 256}
LEGACY = {"MBIT_1": "BRIGHT", "MBIT_2": "SATUR_G", "MBIT_5": "ALLMASK_G", "MBIT_6": "ALLMASK_R", "MBIT_12": "GALAXY"}


@pytest.mark.parametrize(
    ("header", "band", "bad", "saturated"),
    [
        ({}, "g", -1, 0),
        (RUBIN, "g", 1 + 8 + 256, 2),
        (PAN_STARRS, "g", 1 + 256, 32),
        (LEGACY, "g", 32, 0),
        (LEGACY, "r DECam SDSS c0002 6415.0 1480.0", 64, 0),
        (LEGACY, None, 0, 0),
    ],
)
def test_bits_are_known_by_the_names_in_the_header(
    header: dict[str, Any], band: str | None, bad: int, saturated: int
) -> None:
    unit = fits.ImageHDU(np.zeros((32, 32), np.int16))
    unit.header.update(header)
    file = FitsFile(written(fits.HDUList([fits.PrimaryHDU(), unit])), 10**6)
    mask = ImageMask.of(ImagePlane(file, file.units()[1], 0, TileCache()), band)
    assert (mask.bad, mask.saturated) == (bad, saturated)


STAR = (slice(60, 75), slice(110, 125))
"""Beside the galaxy."""


def with_star(level: float, mask: dict[str, Any] | None = None, **header: Any) -> bytes:
    """A tile with a star whose core has this level, within a rim of 3000."""
    hdus = tile([DISC], plane(DISC.ra_deg, DISC.dec_deg, SHAPE), SHAPE, noise=0.5, **header)
    core = tuple(slice(at.start + 3, at.stop - 3) for at in STAR)
    hdus[0].data[STAR] = 3000
    hdus[0].data[core] = level
    if mask is None:
        return written(hdus)
    bits = np.zeros(SHAPE, np.int32)
    bits[core] = 1 << mask["MP_SAT"]
    unit = fits.ImageHDU(bits, name="MASK")
    unit.header.update(mask)
    return written(fits.HDUList([*hdus, unit]))


def test_saturated_pixels_are_the_bright_end_and_no_holes() -> None:
    expected = cut([with_star(3000)], DISC.field())[0].rgb
    for data in (
        with_star(-50.0, RUBIN),
        with_star(9000.0, SATURATE=8000.0),
        with_star(np.inf),
    ):
        assert np.array_equal(cut([data], DISC.field())[0].rgb, expected)
    # at the border of the picture too
    star = DISC.field(fov_arcmin=0.9)
    beside = type(star)(star.ra_deg, star.dec_deg, 0.9)
    bright = cut([with_star(-50.0, RUBIN)], beside)[0].rgb
    assert np.array_equal(bright, cut([with_star(3000)], beside)[0].rgb)


def test_a_level_of_saturation_that_is_said_of_other_pixels_is_passed_over() -> None:
    # of a stack in other units: half of the sky would be above it
    expected = cut([with_star(3000)], DISC.field())[0].rgb
    assert np.array_equal(cut([with_star(3000, SATURATE=0.2)], DISC.field())[0].rgb, expected)
    assert np.array_equal(cut([with_star(3000, SATURATE="unknown")], DISC.field())[0].rgb, expected)
