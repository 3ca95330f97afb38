"""Positions of pixels on the sky: the WCS of an image, checked, and the tangent plane of the cut picture."""

from __future__ import annotations

import math
import warnings
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.coordinates import ICRS, SkyCoord
from astropy.wcs import WCS, FITSFixedWarning
from astropy.wcs.utils import wcs_to_celestial_frame

from gateway.core import errors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gateway.core.field_of_view import SkyField
    from gateway.images.fits_file import FitsFile

# astropy reports each repair of a header (deprecated keywords, spellings of units) on standard error.
warnings.filterwarnings("ignore", category=FITSFixedWarning)

_MATRIX = ("CD1_1", "CD1_2", "CD2_1", "CD2_2")
_TABLES = ("CPDIS1", "CPDIS2", "D2IMDIS1", "D2IMDIS2")
_ORDERS, _MOST_ORDER = ("A_ORDER", "B_ORDER", "AP_ORDER", "BP_ORDER"), 9
"""Orders of SIP's polynomials and the convention's largest; astropy allocates, and loops over, their square."""
_MOST_AXES = 16
_PARALLEL = 1e6
"""Condition number of a matrix whose axes are nearly parallel."""
_EXACT = 0.01
"""Largest error of interpolated positions, pixels of the image."""
_POLE_DEG = 90.0
_NEAR = 0.1
"""Largest shift of a pixel by distortions, in longer sides of the image."""


def celestial(header: Any, file: FitsFile, what: str) -> WCS:
    """Return the two celestial axes of an image's WCS.

    Parameters
    ----------
    header : astropy.io.fits.Header
    file : FitsFile
        File of the image, which may hold tables of distortions.
    what : str
        Description of the image, at the beginning of a sentence.

    Raises
    ------
    errors.NoWcs, errors.WcsNotCelestial, errors.WcsUnusable
    """
    axes = [str(header[key]) for key in header if key.startswith("CTYPE") and str(header[key]).strip()]
    if not axes:
        raise errors.NoWcs(
            f"{what} has no WCS: it does not say where on the sky it lies, so no position is found in it."
        )
    sizes = [(key, _MOST_ORDER) for key in _ORDERS] + [("WCSAXES", _MOST_AXES)]
    for key, most in sizes:
        size = header.get(key, 0)
        if not isinstance(size, int | float) or not 0 <= size <= most:
            raise errors.WcsUnusable(f"The WCS of {_inside(what)} can't be used: its {key} is not 0 to {most}.")
    try:
        with file.hdus() if any(map(header.get, _TABLES)) else nullcontext() as hdus:
            found = WCS(header, hdus)
        known = found.has_celestial
        flat = found.celestial if known else None
    # wcslib has a dozen kinds of error, which astropy raises as its own or Python's
    except Exception as error:
        said = str(error).strip().splitlines()[-1].rstrip(".") if str(error).strip() else type(error).__name__
        raise errors.WcsUnusable(f"The WCS of {_inside(what)} can't be used: {said}.") from error
    if flat is None:
        raise errors.WcsNotCelestial(
            f"The WCS of {_inside(what)} has no celestial axes: its axes are {', '.join(axes)}, not a right ascension "
            "and a declination or the like."
        )
    written = [header[key] for key in _MATRIX if key in header]
    if (written and not any(written)) or not np.linalg.cond(flat.pixel_scale_matrix) < _PARALLEL:
        raise errors.WcsUnusable(f"The WCS of {_inside(what)} can't be used: its axes do not span the sky.")
    return flat


def _inside(what: str) -> str:
    return what[0].lower() + what[1:]


def footprint(wcs: WCS, shape: tuple[int, int]) -> tuple[NDArray[np.float64], float]:
    """Return the positions of the centre and the corners of an image, and the size of its pixels.

    Returns
    -------
    places : float [5, 2]
        Right ascension and declination, degrees (ICRS), of the centre and the corners in turn. NaN for a corner
        outside of the projection.
    pixel_arcsec : float
        Side of a pixel, from the matrix of the WCS.
    """
    height, width = shape
    columns = np.array([width / 2, 0, width, width, 0]) - 0.5
    rows = np.array([height / 2, 0, 0, height, height]) - 0.5
    world = wcs.all_pix2world(columns, rows, 0)
    lon, lat = reversed(world) if wcs.wcs.lng == 1 else world
    place = SkyCoord(
        lon, np.where(abs(lat) > _POLE_DEG, np.nan, lat), unit="deg", frame=wcs_to_celestial_frame(wcs)
    ).icrs
    scale = math.sqrt(abs(float(np.linalg.det(wcs.pixel_scale_matrix)))) * 3600
    return np.stack([place.ra.deg, place.dec.deg], axis=-1), scale


def tangent_plane(field: SkyField, side: int) -> WCS:
    """Return the WCS of a square picture of a field in the tangent plane, its rows counted from below as FITS does.

    North is up and east left; with a position angle the picture is turned so that this direction lies along the rows,
    as :func:`gateway.sky.cutouts.frame.turned` does for a survey's picture.
    """
    angle = field.position_angle_deg
    turn = 0.0 if angle is None else math.radians(angle - 90)
    plane = WCS(naxis=2)
    plane.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    plane.wcs.crval = [field.ra_deg, field.dec_deg]
    plane.wcs.crpix = [(side + 1) / 2, (side + 1) / 2]
    rotation = np.array([[-math.cos(turn), math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    plane.wcs.cd = field.fov_arcmin / 60 / side * rotation
    return plane


class Directions:
    """Directions on the sky.

    Parameters
    ----------
    ra_deg, dec_deg : float [...]
        Positions (ICRS), degrees.
    """

    def __init__(self, ra_deg: NDArray[np.float64], dec_deg: NDArray[np.float64]) -> None:
        self._frames: dict[tuple[type, str], tuple[NDArray[np.float64], NDArray[np.float64]]]
        self._frames = {(ICRS, ""): (ra_deg, dec_deg)}

    def along(self, wcs: WCS) -> list[NDArray[np.float64]]:
        """Return the two world coordinates of the directions in a WCS, degrees, in its order."""
        frame = wcs_to_celestial_frame(wcs)
        key = type(frame), str(getattr(frame, "equinox", ""))
        if key not in self._frames:
            there = SkyCoord(*self._frames[ICRS, ""], unit="deg").transform_to(frame).spherical
            self._frames[key] = there.lon.deg, there.lat.deg
        lon, lat = self._frames[key]
        return [lat, lon] if wcs.wcs.lng == 1 else [lon, lat]


def directions(field: SkyField, side: int) -> Directions:
    """Return the directions of a picture's pixels, ``[side, side]``, the lowest row first."""
    y, x = np.mgrid[:side, :side]
    ra, dec = tangent_plane(field, side).wcs_pix2world(x.ravel(), y.ravel(), 0)
    return Directions(ra.reshape(x.shape), dec.reshape(x.shape))


def refined(
    cells: NDArray[np.float64], wcs: WCS, field: SkyField, side: int, shape: tuple[int, int]
) -> NDArray[np.float64]:
    """Return the positions of a picture's pixels in an image, ``[2, side, side]``: columns and rows from 0.

    They are interpolated from a few positions, as far as the error is below :data:`_EXACT`, because computing all of
    them would take most of the time of a cut.

    Parameters
    ----------
    cells : float [2, N, N]
        The same for a picture of ``N`` pixels, N odd.
    """
    # the error of every second cell's grid at the other cells is four times the error of all cells at the pixels
    missed = np.abs(_interpolated(cells[:, ::2, ::2], np.arange(cells.shape[-1]) / 2) - cells) / 4
    step = max(float(np.nanmax(np.abs(np.diff(cells, axis=axis)), initial=0.0)) for axis in (1, 2))
    if np.nanmax(missed, initial=0.0) > _EXACT or step > _NEAR * max(shape) / 2:
        return pixels(wcs, directions(field, side), shape)
    return _interpolated(cells, (np.arange(side) + 0.5) * cells.shape[-1] / side - 0.5)


def _interpolated(cells: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    low = np.clip(at.astype(int), 0, cells.shape[-1] - 2)
    part = at - low
    rows = cells[:, low] * (1 - part)[:, None] + cells[:, low + 1] * part[:, None]
    found: NDArray[np.float64] = rows.take(low, axis=2)
    found *= 1 - part
    found += part * rows.take(low + 1, axis=2)
    return found


def pixels(wcs: WCS, sky: Directions, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the positions of directions in an image, ``[2, ...]``: columns and rows from 0, NaN far outside of it.

    Distortions are inverted only near the image: far away their polynomials are meaningless, and may lead back into it.
    """
    world = sky.along(wcs)
    columns, rows = found = np.stack(wcs.wcs_world2pix(*world, 0))
    margin = _NEAR * max(shape)
    with np.errstate(invalid="ignore"):
        near = (abs(columns - shape[1] / 2) < shape[1] / 2 + margin) & (
            abs(rows - shape[0] / 2) < shape[0] / 2 + margin
        )
    if wcs.has_distortion and near.any():
        found[:, near] = wcs.all_world2pix(*(axis[near] for axis in world), 0, quiet=True)
    found[:, ~near] = np.nan
    return found
