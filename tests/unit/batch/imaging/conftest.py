from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.imaging import SkyDisc, plane, tile

if TYPE_CHECKING:
    from pathlib import Path

RA_DEG, DEC_DEG = 150.0, 2.0
SHAPE = (400, 400)
DISCS = [
    SkyDisc(RA_DEG + 0.01, DEC_DEG, 5.0, 0.4, 30.0),
    SkyDisc(RA_DEG - 0.022, DEC_DEG + 0.002, 5.0, 0.6, 100.0),
    SkyDisc(RA_DEG - 0.05, DEC_DEG - 0.004, 5.0, 0.8, 160.0),
]
"""On the first of two tiles that lie side by side, on their border, and on the second."""


@pytest.fixture(scope="session")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tiles in g and r, which overlap by a few pixels; the second is turned."""
    folder = tmp_path_factory.mktemp("tiles")
    for number, (ra, turn) in enumerate(((RA_DEG, 0.0), (RA_DEG - 0.044, 5.0))):
        for band in "gr":
            wcs = plane(ra, DEC_DEG, SHAPE, turn_deg=turn)
            tile(DISCS, wcs, SHAPE, band=band, seed=number, compressed=True).writeto(
                folder / f"{number}-{band}.fits.fz"
            )
    return folder
