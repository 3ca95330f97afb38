"""A galaxy of unknown size is cut with sky around it, or not at all: never a part of it."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.core import errors
from gateway.core.field_of_view import SkyField, SkyPoint
from gateway.images.mosaic.cut import cut
from tests.support.imaging import PIXEL_ARCSEC, SkyDisc, plane, tile, written

RA_DEG, DEC_DEG = 150.0, 2.0
POINT = SkyPoint(RA_DEG, DEC_DEG)
SCALES = (9, 17)
"""Widths of the field, in scale lengths of a disc: its isophote is three to five from its centre."""


def images(scale_arcsec: float, pixels: int, *, off: float = 0.0) -> list[bytes]:
    """Return two bands of a disc, which lies ``off`` of the images' side east of their middle."""
    disc = SkyDisc(RA_DEG, DEC_DEG, scale_arcsec)
    wcs = plane(RA_DEG - off * pixels * PIXEL_ARCSEC / 3600, DEC_DEG, (pixels, pixels), turn_deg=20)
    return [
        written(tile([disc], wcs, (pixels, pixels), band=band, seed=seed, compressed=True))
        for seed, band in enumerate("gr")
    ]


def scales_shown(scale_arcsec: float, pixels: int, off: float = 0.0) -> float | None:
    """Return the width of the field that is cut, in scale lengths; None where none is."""
    try:
        picture, used = cut(images(scale_arcsec, pixels, off=off), POINT)
    except errors.BadTarget:
        return None
    assert any("is from the picture" in warning for warning in picture.warnings)
    return used.field.fov_arcmin * 60 / scale_arcsec


@pytest.mark.parametrize(
    ("scale_arcsec", "pixels"), [(1, 64), (1, 300), (3, 150), (6, 300), (6, 900), (12, 600), (20, 1600)]
)
def test_a_galaxy_with_sky_around_it_is_found_wherever_the_images_end(scale_arcsec: float, pixels: int) -> None:
    found = scales_shown(scale_arcsec, pixels)
    assert found is not None
    assert SCALES[0] < found < SCALES[1]


@pytest.mark.parametrize("scale_arcsec", [6, 12, 20, 40, 70, 200])
@pytest.mark.parametrize("pixels", [64, 256, 600])
def test_no_part_of_a_galaxy_is_taken_for_all_of_it(scale_arcsec: float, pixels: int) -> None:
    found = scales_shown(scale_arcsec, pixels)
    assert found is None or SCALES[0] < found < SCALES[1]


def test_beside_the_edge_of_the_images_as_in_their_middle() -> None:
    found = scales_shown(3, 400, off=0.4)
    assert found is not None
    assert SCALES[0] < found < SCALES[1]


def test_a_place_without_a_galaxy_and_one_outside_are_told_apart() -> None:
    data = images(3, 300)
    with pytest.raises(errors.BadTarget, match="no galaxy with sky around it"):
        cut(data, SkyPoint(RA_DEG + 0.01, DEC_DEG + 0.01))
    with pytest.raises(errors.OutsideImages, match="None of the images"):
        cut(data, SkyPoint(RA_DEG + 3, DEC_DEG))


def test_the_picture_is_that_of_the_field_that_is_told_and_turned_as_asked() -> None:
    data = images(3, 400)
    picture, used = cut(data, SkyPoint(RA_DEG, DEC_DEG, 40.0))
    again, _ = cut(data, SkyField(RA_DEG, DEC_DEG, used.field.fov_arcmin, 40.0))
    assert np.array_equal(picture.rgb, again.rgb)
