"""A sky of discs and pictures of galaxies, and surveys that image it: tiles in any projection, bands, noise."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from scipy.ndimage import map_coordinates

from gateway.core.field_of_view import SkyField
from gateway.images.mosaic.celestial import tangent_plane
from gateway.images.stretch import FITS_SCALES, render

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

NOISE = 1.0
PIXEL_ARCSEC = 0.4
COLOURS = {"u": 0.3, "g": 0.6, "r": 1.0, "i": 1.3, "z": 1.4}


@dataclass(frozen=True, slots=True)
class SkyDisc:
    """A disc on the sky; lengths in arcsec, the position angle in degrees east of north."""

    ra_deg: float
    dec_deg: float
    scale_arcsec: float = 6.0
    axis_ratio: float = 0.5
    position_angle_deg: float = 40.0
    brightness: float = 150.0

    def field(self, *, turned: bool = False, fov_arcmin: float = 1.2) -> SkyField:
        """Return the field around the disc, with its major axis along the rows if ``turned``."""
        return SkyField(self.ra_deg, self.dec_deg, fov_arcmin, self.position_angle_deg if turned else None)

    def seen(self, east: NDArray[np.float64], north: NDArray[np.float64], band: str) -> NDArray[np.float64]:
        """Return the disc's surface brightness at offsets from its centre, arcsec."""
        angle = np.radians(self.position_angle_deg)
        along = east * np.sin(angle) + north * np.cos(angle)
        across = east * np.cos(angle) - north * np.sin(angle)
        radius = np.hypot(along, across / self.axis_ratio) / self.scale_arcsec
        return np.asarray(self.brightness * COLOURS[band] * np.exp(-radius))


@dataclass(frozen=True, slots=True, eq=False)
class SkyPicture:
    """A finished picture of a galaxy, made linear and put on the sky, north up: ``i``, ``r``, ``g`` are its planes."""

    ra_deg: float
    dec_deg: float
    rgb: NDArray[np.uint8]
    side_arcmin: float

    def seen(self, east: NDArray[np.float64], north: NDArray[np.float64], band: str) -> NDArray[np.float64]:
        """Return the picture's surface brightness at offsets from its centre, arcsec; 0 beyond its border."""
        side = len(self.rgb)
        linear = np.sinh(self.rgb[..., "irg".index(band)] / 255 * 3) * 100
        pixel = self.side_arcmin * 60 / side
        rows, columns = (side - 1) / 2 - north / pixel, (side - 1) / 2 - east / pixel
        return np.asarray(map_coordinates(linear, [rows, columns], order=1), np.float64)


def light(sources: Sequence[SkyDisc | SkyPicture], wcs: WCS, shape: tuple[int, int], band: str) -> NDArray[np.float64]:
    """Return the surface brightness of the sky at the pixels of an image."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    ra, dec = wcs.all_pix2world(x.ravel(), y.ravel(), 0)
    seen = np.zeros(shape)
    for one in sources:
        east = ((ra - one.ra_deg + 180) % 360 - 180) * np.cos(np.radians(one.dec_deg)) * 3600
        seen += one.seen(east, (dec - one.dec_deg) * 3600, band).reshape(shape)
    return seen


def plane(
    ra_deg: float,
    dec_deg: float,
    shape: tuple[int, int],
    *,
    pixel_arcsec: float = PIXEL_ARCSEC,
    turn_deg: float = 0.0,
    mirrored: bool = False,
    projection: str = "TAN",
) -> WCS:
    """Return the WCS of a tile around a position, turned east of north, with east to the right if ``mirrored``."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [f"RA---{projection}", f"DEC--{projection}"]
    wcs.wcs.crval = [ra_deg, dec_deg]
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    turn = np.radians(turn_deg)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    handedness = np.diag([1.0 if mirrored else -1.0, 1.0])
    wcs.wcs.cd = pixel_arcsec / 3600 * handedness @ rotation
    return wcs


def tile(
    sources: Sequence[SkyDisc | SkyPicture],
    wcs: WCS,
    shape: tuple[int, int],
    *,
    band: str | None = "r",
    seed: int = 0,
    noise: float = NOISE,
    compressed: bool = False,
    **header: Any,
) -> fits.HDUList:
    """Return the FITS file of a tile; a seed always gives the same noise."""
    pixels = light(sources, wcs, shape, band or "r")
    pixels += np.random.default_rng(seed).normal(0, noise, shape)
    said = wcs.to_header(relax=True)
    if band is not None:
        said["FILTER"] = band
    said.update({key.replace("_", "-"): value for key, value in header.items()})
    samples = pixels.astype(np.float32)
    if compressed:
        unit = fits.CompImageHDU(samples, said, tile_shape=(64, 64), quantize_level=64)
        return fits.HDUList([fits.PrimaryHDU(), unit])
    return fits.HDUList([fits.PrimaryHDU(samples, said)])


def written(hdus: fits.HDUList) -> bytes:
    """Return the bytes of a FITS file."""
    out = io.BytesIO()
    hdus.writeto(out)
    return out.getvalue()


def write_bands(folder: Path) -> None:
    """Write ``g.fits``, ``r.fits`` and ``i.fits``, which show a disc at the position of NGC 7331."""
    sky = plane(339.267, 34.4156, (600, 600), pixel_arcsec=2.0, turn_deg=12)
    for number, band in enumerate("gri"):
        disc = SkyDisc(339.267, 34.4156, 70, 0.4, 170)
        tile([disc], sky, (600, 600), band=band, seed=number).writeto(folder / f"{band}.fits")


def ideal(
    sources: Sequence[SkyDisc | SkyPicture],
    field: SkyField,
    side: int,
    *,
    scales: Sequence[float] = FITS_SCALES,
    **how: Any,
) -> NDArray[np.uint8]:
    """Return the picture of a field that a survey on its own tangent plane would give, uint8 ``[side, side, 3]``."""
    return render(ideal_planes(sources, field, side, **how), scales)[0]


def ideal_planes(
    sources: Sequence[SkyDisc | SkyPicture],
    field: SkyField,
    side: int,
    bands: str = "irg",
    *,
    seed: int = 99,
    noise: float = NOISE,
) -> NDArray[np.float32]:
    """Return the light of that picture, a plane for each band, the uppermost row first, float32 ``[P, side, side]``."""
    plane_of, rng = tangent_plane(field, side), np.random.default_rng(seed)
    planes = [light(sources, plane_of, (side, side), band)[::-1] + rng.normal(0, noise, (side, side)) for band in bands]
    return np.stack(planes).astype(np.float32)
