"""A mosaic survey of simulated galaxies: overlapping tiles in three bands, one of them turned, with masked stars."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits

from gateway.core.field_of_view import SkyField, side_pixels
from tests.support.imaging import PIXEL_ARCSEC, SkyPicture, ideal, plane

if TYPE_CHECKING:
    from pathlib import Path

    from astropy.wcs import WCS
    from numpy.typing import NDArray

    Offsets = tuple[tuple[slice, slice], NDArray[np.float64], NDArray[np.float64]]

RA_DEG, DEC_DEG = 150.0, 2.0
FOV_ARCMIN = 1.4
NOISE = 0.5
_APART_ARCMIN, _SIDE_ARCMIN = 2.0, 1.5
_OVERLAP_ARCMIN = 1.2
_TURNED, _TURN_DEG = 4, 20.0
_STAR_ARCSEC, _STAR = 1.2, 4000.0


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """Galaxies in rows and columns, and the layout of their tiles.

    Attributes
    ----------
    galaxies : list of SkyPicture
        Galaxies of the survey.
    across : int
        Number of tiles each way.
    """

    galaxies: list[SkyPicture]
    across: int = 3

    @classmethod
    def simulated(cls, count: int, *, across: int = 3, seed: int = 20261128, workers: int = 1) -> Survey:
        """Return a survey of simulated galaxies; see :meth:`of`."""
        from training.simulation.sample import simulate  # imports TensorFlow, for benchmarks only

        return cls.of(simulate(seed=seed, count=count, workers=workers).images, across=across)

    @classmethod
    def of(cls, pictures: NDArray[np.uint8], *, across: int = 3) -> Survey:
        """Return a survey of pictures of galaxies, their rows slightly inclined to the tiles."""
        wide = math.ceil(math.sqrt(len(pictures)))
        galaxies = []
        for number, rgb in enumerate(pictures):
            east, north = (number % wide - (wide - 1) / 2), (number // wide - (wide - 1) / 2)
            dec = DEC_DEG + north * _APART_ARCMIN / 60
            ra = RA_DEG - east * _APART_ARCMIN / 60 / math.cos(math.radians(dec))
            galaxies.append(SkyPicture(ra, dec, rgb, _SIDE_ARCMIN))
        return cls(galaxies, across)

    @property
    def _step_arcmin(self) -> float:
        wide = math.ceil(math.sqrt(len(self.galaxies)))
        return ((wide - 1) * _APART_ARCMIN + 2 * _SIDE_ARCMIN) / self.across

    def write(self, folder: Path) -> None:
        """Write the tiles of all bands, such as ``tile-4-g.fits.fz``."""
        folder.mkdir(exist_ok=True)
        for number in range(self.across**2):
            turned = number == _TURNED
            side = self._step_arcmin * (1.3 if turned else 1) + _OVERLAP_ARCMIN
            shape = (round(side * 60 / PIXEL_ARCSEC),) * 2
            places = [place - (self.across - 1) / 2 for place in divmod(number, self.across)]
            dec = DEC_DEG + places[0] * self._step_arcmin / 60
            ra = RA_DEG - places[1] * self._step_arcmin / 60 / math.cos(math.radians(dec))
            wcs = plane(ra, dec, shape, turn_deg=_TURN_DEG if turned else 0.0)
            near = [_offsets(shape, wcs, one) for one in self.galaxies]
            for band in "gri":
                self._tile(wcs, shape, band, number, near).writeto(
                    folder / f"tile-{number}-{band}.fits.fz", overwrite=True
                )

    def _tile(self, wcs: WCS, shape: tuple[int, int], band: str, number: int, near: list[Offsets]) -> fits.HDUList:
        rng = np.random.default_rng([number, ord(band)])
        pixels = rng.normal(0, NOISE, shape)
        for one, (part, east, north) in zip(self.galaxies, near, strict=True):
            pixels[part] += one.seen(east, north, band)
        mask = np.zeros(shape, np.uint8)
        # the same stars in all bands: one beside each galaxy, inside its picture
        for one in self.galaxies:
            column, row = (float(axis) for axis in wcs.all_world2pix(one.ra_deg - 0.6 / 60, one.dec_deg + 0.6 / 60, 0))
            part = _around(column, row, 8 * _STAR_ARCSEC, shape)
            y, x = np.mgrid[part]
            apart = np.hypot(x - column, y - row) * PIXEL_ARCSEC
            pixels[part] += _STAR * np.exp(-0.5 * (apart / _STAR_ARCSEC) ** 2)
            mask[part] |= (apart < 5 * _STAR_ARCSEC).astype(np.uint8)
        said = wcs.to_header()
        said["FILTER"] = band
        science = fits.CompImageHDU(
            pixels.astype(np.float32), said, name="SCI", tile_shape=(128, 128), quantize_level=64
        )
        masked = fits.CompImageHDU(mask, wcs.to_header(), name="MASK", tile_shape=(128, 128))
        return fits.HDUList([fits.PrimaryHDU(), science, masked])

    def ideal(self, number: int) -> NDArray[np.uint8]:
        """Return the picture of a galaxy on its own tangent plane, uint8 ``[S, S, 3]``."""
        one = self.galaxies[number]
        field = SkyField(one.ra_deg, one.dec_deg, FOV_ARCMIN, self.angle(number))
        return ideal([one], field, side_pixels(FOV_ARCMIN, PIXEL_ARCSEC), seed=number, noise=NOISE, scales=())

    @staticmethod
    def angle(number: int) -> float | None:
        """Return the galaxy's position angle in the table; every second galaxy has none."""
        return None if number % 2 else 15.0 * (number % 12)

    def table(self, path: Path, order: list[int] | None = None) -> Path:
        """Write the table of the galaxies with a radius in arcsec, a third of the field."""
        lines = ["id,ra,dec,radius_arcsec,pa"]
        for number in order or range(len(self.galaxies)):
            one, angle = self.galaxies[number], self.angle(number)
            said = "" if angle is None else angle
            lines.append(f"g{number},{one.ra_deg!r},{one.dec_deg!r},{FOV_ARCMIN * 60 / 3!r},{said}")
        path.write_text("\n".join(lines) + "\n")
        return path


def _around(column: float, row: float, reach_arcsec: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the part of a tile around a position, which may be outside of it."""
    reach = reach_arcsec / PIXEL_ARCSEC
    rows, columns = (
        slice(*np.clip([at - reach, at + reach], 0, size).astype(int))
        for at, size in zip((row, column), shape, strict=True)
    )
    return rows, columns


def _offsets(shape: tuple[int, int], wcs: WCS, one: SkyPicture) -> Offsets:
    """Return the part of a tile around a galaxy, and how far east and north of it the pixels are, arcsec."""
    column, row = (float(axis) for axis in wcs.all_world2pix(one.ra_deg, one.dec_deg, 0))
    part = _around(column, row, one.side_arcmin * 60, shape)
    y, x = np.mgrid[part]
    if not x.size:
        return part, x, y
    ra, dec = (axis.reshape(x.shape) for axis in wcs.all_pix2world(x.ravel(), y.ravel(), 0))
    east = ((ra - one.ra_deg + 180) % 360 - 180) * np.cos(np.radians(one.dec_deg)) * 3600
    return part, east, (dec - one.dec_deg) * 3600
