"""Parts of images: the part that shows a field, and its values after masks and weights, reduced by blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.images.mosaic.masks import ANY
from gateway.images.reduce import block_means, strip_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gateway.images.mosaic.files import BandImage

_BLANK = 1e37
"""Limit of values that mean "no value"; see :mod:`gateway.images.stretch`."""
_MOST_SATURATED = 0.05
"""Share above which SATURATE is ignored, since it then refers to the single exposures of a coadd."""


@dataclass(frozen=True, slots=True)
class ImageSection:
    """The part of an image that shows a field.

    Attributes
    ----------
    rows, columns : slice
        Position of the part in the image.
    cell_pixels : float
        Side of a cell of the coarse grid that located the field, pixels of the image.
    holds_centre : bool
        Whether the centre of the field lies in the image.
    """

    rows: slice
    columns: slice
    cell_pixels: float
    holds_centre: bool

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return int((self.rows.stop - self.rows.start) * (self.columns.stop - self.columns.start))


def part_of(columns: NDArray[np.float64], rows: NDArray[np.float64], shape: tuple[int, int]) -> ImageSection | None:
    """Return the part of an image that shows a field; None where it shows nothing of it.

    Parameters
    ----------
    columns, rows : float [N, N]
        Positions of the cells of a coarse grid over the field, N odd, in the image; NaN far outside of it.
    shape : (int, int)
        Height and width of the image.
    """
    (column_right, row_right), (column_down, row_down) = (
        (np.diff(columns, axis=axis), np.diff(rows, axis=axis)) for axis in (1, 0)
    )
    areas = np.abs(column_right[1:] * row_down[:, 1:] - column_down[:, 1:] * row_right[1:])
    if not np.isfinite(areas).any():
        return None
    cell = math.sqrt(float(np.nanmedian(areas)))
    found = []
    for places, size in ((rows, shape[0]), (columns, shape[1])):
        low = max(0, math.floor(float(np.nanmin(places)) - cell - 2))
        high = min(size, math.ceil(float(np.nanmax(places)) + cell + 3))
        if not low < high:
            return None
        found.append(slice(low, high))
    middle = len(rows) // 2
    centre = zip((rows[middle, middle], columns[middle, middle]), shape, strict=True)
    return ImageSection(found[0], found[1], cell, all(-0.5 <= at <= size - 0.5 for at, size in centre))


@dataclass(frozen=True, slots=True)
class ReducedPart:
    """A part of an image, reduced by blocks, float32 ``[rows, columns]`` each.

    Attributes
    ----------
    light : ndarray
        Values of the image, times the weight where it has weights; 0 where they are unknown.
    known : ndarray
        Share of each block with known values.
    saturated : ndarray or None
        Share of each block that is saturated; None where no pixel is.
    weight : ndarray or None
        Mean weight of each block; None where the image has no weights.
    """

    light: NDArray[np.float32]
    known: NDArray[np.float32]
    saturated: NDArray[np.float32] | None
    weight: NDArray[np.float32] | None


def reduced(image: BandImage, part: ImageSection, block: int) -> ReducedPart:
    """Read a part of an image, strip by strip, and reduce it."""
    sides = [-(-(along.stop - along.start) // block) for along in (part.rows, part.columns)]
    light, known = np.empty(sides, np.float32), np.empty(sides, np.float32)
    weight = None if image.weight is None else np.empty(sides, np.float32)
    saturated: NDArray[np.float32] | None = None
    step = strip_rows((part.columns.stop - part.columns.start) * 8, block)
    for row in range(part.rows.start, part.rows.stop, step):
        rows = slice(row, min(row + step, part.rows.stop))
        first = (row - part.rows.start) // block
        into = slice(first, first - (row - rows.stop) // block)
        values = image.pixels.section(rows, part.columns).astype(np.float32, copy=False)
        with np.errstate(invalid="ignore"):
            good = np.abs(values) < _BLANK
        full = values >= np.float32(image.saturation)
        if full.mean() > _MOST_SATURATED:
            full[:] = False
        if (mask := image.mask) is not None:
            said = mask.plane.section(rows, part.columns)
            if mask.bad == ANY:
                good &= said == 0
            else:
                bits = np.nan_to_num(said).astype(np.int64)
                full |= (bits & mask.saturated) != 0
                good &= (bits & mask.bad) == 0
        good &= ~full
        if weight is not None and image.weight is not None:
            weights = np.nan_to_num(image.weight.section(rows, part.columns).astype(np.float32))
            good &= weights > 0
            weights = np.where(good, weights, 0)
            values = values * weights
            weight[into] = _means(weights, block)
        light[into] = _means(np.where(good, values, 0), block)
        known[into] = _means(good, block)
        if full.any():
            saturated = np.zeros(sides, np.float32) if saturated is None else saturated
            saturated[into] = _means(full, block)
    return ReducedPart(light, known, saturated, weight)


def _means(plane: NDArray[np.generic], block: int) -> NDArray[np.generic]:
    means: NDArray[np.generic] = block_means(plane[..., None], block)[..., 0]
    return means
