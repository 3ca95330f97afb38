"""Makes one picture of calibrated exposures: resampled to a common frame, averaged, stretched for people."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image
from reproject import reproject_adaptive
from reproject.mosaicking import reproject_and_coadd

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_GAINS = np.array([4.9, 5.7, 7.8], np.float32)
_NONLINEARITY = 3.0
"""Softening of i, r and g in nanomaggies per pixel, as in the survey's pictures (idlutils, ``nw_scale_rgb``)."""

_BRIGHTEST_PART = 0.998


class NothingThereError(Exception):
    """None of the exposures shows a part of the field."""


@dataclass(frozen=True, slots=True)
class Coadd:
    """One band of a field.

    Attributes
    ----------
    light : float32 ``[side, side]``
        Nanomaggies per native pixel (0.396 arcsec squared), the first row on top; 0 outside of the exposures.
    covered : bool ``[side, side]``
        Pixels that an exposure covers.
    """

    light: NDArray[np.float32]
    covered: NDArray[np.bool_]

    @property
    def coverage(self) -> float:
        """Share of the field that is covered, 0..1."""
        return float(self.covered.mean())


def coadd(files: Sequence[Path], plane: WCS, side: int) -> Coadd:
    """Resample the frames of one band to a plane and average them.

    Every output pixel averages its area (DeForest 2004, Solar Physics 219, 3), so that a large galaxy in a small
    picture is not aliased. Surface brightness is preserved, not flux.

    Parameters
    ----------
    files : sequence of Path
        Calibrated, sky-subtracted frames: FITS, compressed or not, the image in the first HDU.
    plane : WCS
        Result of :func:`gateway.images.mosaic.celestial.tangent_plane`.
    side : int
        Side of the result, pixels.

    Raises
    ------
    NothingThereError
    """
    inputs = []
    for path in files:
        with fits.open(path, memmap=False) as hdus:
            image, own = np.asarray(hdus[0].data, np.float32), WCS(hdus[0].header, fix=False)
        part = _window(own, plane, side, image.shape)
        if part is not None:
            inputs.append((image[part], own[part]))
    if not inputs:
        raise NothingThereError
    light, weight = reproject_and_coadd(
        inputs,
        plane,
        shape_out=(side, side),
        reproject_function=reproject_adaptive,
        combine_function="mean",
        # an output pixel that extends beyond a frame would show the frame's edge as sky
        boundary_mode="strict",
        bad_value_mode="ignore",
    )
    covered = (weight > 0) & np.isfinite(light)
    if not covered.any():
        raise NothingThereError
    return Coadd(np.where(covered, light, 0)[::-1].astype(np.float32), covered[::-1])


def _window(own: WCS, plane: WCS, side: int, shape: tuple[int, ...]) -> tuple[slice, slice] | None:
    """Return the part of a frame that the field needs, with a margin; None if they do not overlap."""
    edge = np.linspace(-0.5, side - 0.5, 9)
    x, y = (grid.ravel() for grid in np.meshgrid(edge, edge))
    columns, rows = own.all_world2pix(*plane.all_pix2world(x, y, 0), 0, quiet=True)
    margin = 8 + 2 * abs(float(np.ptp(columns))) / side
    found = []
    for places, size in ((rows, shape[0]), (columns, shape[1])):
        low, high = max(0, math.floor(places.min() - margin)), min(size, math.ceil(places.max() + margin))
        if not low < high:
            return None
        found.append(slice(low, high))
    return found[0], found[1]


def colour(planes: Sequence[NDArray[np.float32]]) -> NDArray[np.uint8]:
    """Return a colour picture, uint8 ``[side, side, 3]``, of g, r and i in nanomaggies a pixel.

    The asinh of the total keeps the colour of bright pixels; i, r and g are red, green and blue (Lupton et al.
    2004, PASP 116, 133).
    """
    rgb = np.stack(list(planes)[::-1], axis=-1) * _GAINS
    total = np.maximum(rgb.sum(axis=-1, keepdims=True), 1e-6)
    shown = rgb * (np.arcsinh(_NONLINEARITY * total) / (_NONLINEARITY * total))
    shown /= np.maximum(shown.max(axis=-1, keepdims=True), 1)
    return np.asarray(np.rint(255 * np.clip(shown, 0, 1)), np.uint8)


def gray(plane: Coadd) -> NDArray[np.uint8]:
    """Return one band as a picture, uint8 ``[side, side]``: linear in the noise, logarithmic in the bright bulge."""
    known = plane.light[plane.covered]
    sky = float(np.median(known))
    faint = known[known < sky]
    # only the fainter half of the sky is used, since objects brighten the other
    noise = 1.4826 * float(np.median(sky - faint)) if len(faint) else 0.0
    soft = max(2 * noise, 1e-6)
    depth = np.arcsinh(np.maximum(plane.light - sky + soft, 0) / soft)
    brightest = max(float(np.quantile(depth[plane.covered], _BRIGHTEST_PART)), 1e-6)
    return np.asarray(np.rint(255 * np.clip(depth / brightest, 0, 1)), np.uint8)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return a picture as PNG."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", optimize=True)
    return out.getvalue()
