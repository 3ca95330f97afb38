"""Two tiles side by side in two bands, with three discs."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
"""Discs on the first tile, on the border, and on the second tile."""


def write_tiles(folder: Path) -> Path:
    """Write tiles in g and r that overlap by a few pixels, the second turned; return the folder."""
    for number, (ra, turn) in enumerate(((RA_DEG, 0.0), (RA_DEG - 0.044, 5.0))):
        for band in "gr":
            wcs = plane(ra, DEC_DEG, SHAPE, turn_deg=turn)
            tile(DISCS, wcs, SHAPE, band=band, seed=number, compressed=True).writeto(
                folder / f"{number}-{band}.fits.fz"
            )
    return folder
