"""Where a picture's pixels lie in an image is what its WCS says, in any projection, to a hundredth of a pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from astropy.wcs import WCS
from astropy.wcs.utils import pixel_to_skycoord, skycoord_to_pixel
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.field_of_view import SkyField
from gateway.images.mosaic.celestial import celestial, directions, pixels, refined, tangent_plane
from gateway.images.mosaic.cut import _GRID as GRID

SHAPE = (1200, 1000)
SIDE = 150
PIXEL_DEG = 0.4 / 3600


def header(kind: str, dec: float, turn_deg: float, **more: Any) -> dict[str, Any]:
    turn = np.radians(turn_deg)
    return {
        "NAXIS": 2,
        "NAXIS1": SHAPE[1],
        "NAXIS2": SHAPE[0],
        "CTYPE1": f"RA---{kind}",
        "CTYPE2": f"DEC--{kind}",
        "CRPIX1": 480.0,
        "CRPIX2": 610.0,
        "CRVAL1": 150.0,
        "CRVAL2": dec,
        "CD1_1": -PIXEL_DEG * np.cos(turn),
        "CD1_2": PIXEL_DEG * np.sin(turn),
        "CD2_1": PIXEL_DEG * np.sin(turn),
        "CD2_2": PIXEL_DEG * np.cos(turn),
        **more,
    }


SIP = {"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 4e-6, "A_1_1": -3e-6, "A_0_2": 2e-6, "B_2_0": -1e-6, "B_0_2": 5e-6}
SIP |= {"AP_ORDER": 1, "BP_ORDER": 1}
ZPN = {"PV2_0": 0.0, "PV2_1": 1.0, "PV2_2": 0.0, "PV2_3": 42.0}
KINDS: dict[str, tuple[str, float, dict[str, Any]]] = {
    "TAN": ("TAN", 2.0, {}),
    "TAN of an older frame": ("TAN", 40.0, {"RADESYS": "FK5", "EQUINOX": 1975.0}),
    "TAN at the pole": ("TAN", 90.0, {}),
    "SIP": ("TAN-SIP", -30.0, SIP),
    "ZPN": ("ZPN", 55.0, ZPN),
    "SIN": ("SIN", 30.0, {}),
    "CAR at the equator": ("CAR", 0.0, {}),
    "CAR near the pole": ("CAR", 89.8, {}),
}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12, deadline=None)
@given(
    turn=st.floats(0, 360),
    angle=st.one_of(st.none(), st.floats(0, 180)),
    place=st.tuples(st.floats(0, SHAPE[1]), st.floats(0, SHAPE[0])),
    fov=st.floats(0.5, 2.5),
)
def test_places_are_those_of_the_wcs(
    kind: str, turn: float, angle: float | None, place: tuple[float, float], fov: float
) -> None:
    projection, dec, more = KINDS[kind]
    said = WCS(header(projection, dec, turn, **more)).to_header(relax=True)
    said["NAXIS"] = 2
    wcs = celestial(said, None, "The image")  # type: ignore[arg-type]  # no tables of distortions
    centre = pixel_to_skycoord(*place, wcs).icrs
    field = SkyField(float(centre.ra.deg), float(centre.dec.deg), fov, angle)
    cells = pixels(wcs, directions(field, GRID), SHAPE)
    found = refined(cells, wcs, field, SIDE, SHAPE)
    y, x = np.mgrid[:SIDE, :SIDE]
    sky = pixel_to_skycoord(x, y, tangent_plane(field, SIDE))
    expected = np.stack(skycoord_to_pixel(sky, wcs))
    near = np.isfinite(found).all(axis=0) & (abs(expected - found).max(axis=0) < max(SHAPE))
    inside = ((expected > -1) & (expected < np.array([[[SHAPE[1]]], [[SHAPE[0]]]]))).all(axis=0)
    assert (near >= inside).all()
    assert abs(found - expected)[:, inside].max(initial=0.0) < 0.01
