"""Which images show a place, held against their WCS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from batch.imaging import footprints
from batch.imaging.matching import CORNERS, SkyPlace, match
from batch.outputs.results import table_of
from gateway.images.mosaic.celestial import footprint
from tests.support.imaging import plane

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from astropy.wcs import WCS

SHAPE = (300, 500)
PIXEL_ARCSEC = 3.0
_CLOSE = 0.01


def row(name: str, wcs: WCS, band: str = "r") -> dict[str, Any]:
    places, scale = footprint(wcs, SHAPE)
    sky = SkyCoord(places[:, 0], places[:, 1], unit="deg")
    numbers = dict(zip(("ra_deg", "dec_deg", *CORNERS), map(float, places.ravel()), strict=True))
    radius = float(max(sky[0].separation(corner).deg for corner in sky[1:]))
    return numbers | {
        "file": name,
        "hdu": 0,
        "plane": 0,
        "band": band,
        "compressed": True,
        "pixel_arcsec": scale,
        "radius_deg": radius,
    }


def write(path: Path, rows: list[dict[str, Any]], group: int = 10_000) -> str:
    parquet.write_table(table_of(rows, footprints.SCHEMA), path, row_group_size=group)
    return str(path)


@settings(max_examples=40, deadline=None)
@given(
    ra=st.floats(0, 360, exclude_max=True),
    dec=st.floats(-89.99, 89.99),
    turn=st.floats(0, 360),
    column=st.floats(-400, 900),
    line=st.floats(-300, 600),
    reach=st.sampled_from([0.0, 0.02, 0.2]),
)
def test_an_image_is_matched_where_its_wcs_shows_the_place(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    ra: float,
    dec: float,
    turn: float,
    column: float,
    line: float,
    reach: float,
) -> None:
    wcs = plane(ra, dec, SHAPE, pixel_arcsec=PIXEL_ARCSEC, turn_deg=turn, mirrored=turn > 180)
    index = write(tmp_path_factory.mktemp("index") / "index.parquet", [row("tile", wcs)])
    place_ra, place_dec = (float(one) for one in wcs.all_pix2world(column, line, 0))
    (found,) = match(index, {"r": "r"}, [SkyPlace(place_ra, place_dec, reach)])
    edges = [
        min(at + 0.5, size - 0.5 - at) * PIXEL_ARCSEC / 3600
        for at, size in zip((column, line), SHAPE[::-1], strict=True)
    ]
    inside, apart = min(edges), np.hypot(min(edges[0], 0.0), min(edges[1], 0.0))
    if apart < reach - _CLOSE or inside > _CLOSE:
        assert found
    if inside < -reach - _CLOSE:
        assert not found
    if found:
        assert found[0].depth_deg == pytest.approx(inside, abs=2e-4)


def test_of_many_images_each_place_gets_its_own_the_deepest_first(tmp_path: Path) -> None:
    tiles = [row(f"{n}", plane(10 + 0.3 * (n % 40), -5 + 0.2 * (n // 40), SHAPE, pixel_arcsec=3)) for n in range(400)]
    hidden = [row("hidden", plane(10, -5, SHAPE, pixel_arcsec=3), band="z")]
    refused = [{"file": "refused", "problem": "It has no WCS."}]
    index = write(tmp_path / "index.parquet", tiles + hidden + refused, group=16)
    places = [
        SkyPlace(10.0, -5.0, 0.01),
        SkyPlace(10.19, -5.0, 0.01),
        SkyPlace(10.3, -4.8, 0.01),
        SkyPlace(100.0, 50.0, 0.01),
    ]
    found = match(index, {"r": "red"}, places)
    assert [[one.file for one in tiles] for tiles in found] == [["0"], ["1", "0"], ["41"], []]
    assert {one.band for tiles in found for one in tiles} == {"red"}
    assert match(index, {"r": "red"}, []) == []


def test_the_other_side_of_the_sky_is_another_place(tmp_path: Path) -> None:
    index = write(tmp_path / "index.parquet", [row("tile", plane(0, 0, SHAPE, pixel_arcsec=0.5))])
    assert match(index, {"r": "r"}, [SkyPlace(180.0, 0.0, 1.0), SkyPlace(359.999, 0.001, 0.0)])[0] == []
    assert np.isfinite(match(index, {"r": "r"}, [SkyPlace(359.999, 0.001, 0.0)])[0][0].depth_deg)
