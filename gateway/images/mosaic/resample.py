"""Resample parts of images to one picture: read no more than they need, average, interpolate, add.

A part is reduced by the mean of blocks while it is read, so that its pixels are one to two of the picture's, and then
interpolated linearly. Measured against ``reproject`` in ``tests/unit/images/test_mosaic_resample.py``: its
``reproject_adaptive`` gives the same pictures, takes the whole part in double precision and ten times as long, and
brings SciPy, Dask and pandas into the gateway, 300 MB.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.images.mosaic.masks import ANY
from gateway.images.reduce import block_means, strip_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gateway.images.limits import Share
    from gateway.images.mosaic.files import BandImage

_COVERED = 0.5
"""A pixel of the picture is known where known pixels make up half of it or more."""
_BLANK = 1e37
"""What programs write where there is no value; see :mod:`gateway.images.stretch`."""
_WORKING_BYTES = 16_000_000
_MOST_SATURATED = 0.05
"""Where more of a part is brighter than SATURATE, that is said of other pixels: those that these were made of."""
_ENOUGH = 100
_CLEAR = 10.0
"""Standard errors by which the sky of two images differs for certain; pixels beside each other have one noise."""


@dataclass(frozen=True, slots=True)
class ImageSection:
    """The part of an image that shows a field.

    Attributes
    ----------
    rows, columns : slice
        Of the image.
    cell_pixels : float
        Side of a cell of the coarse grid that it was found with, pixels of the image.
    holds_centre : bool
        Whether the centre of the field lies in the image.
    """

    rows: slice
    columns: slice
    cell_pixels: float
    holds_centre: bool

    @property
    def pixels(self) -> int:
        """How many it has."""
        return int((self.rows.stop - self.rows.start) * (self.columns.stop - self.columns.start))


def part_of(columns: NDArray[np.float64], rows: NDArray[np.float64], shape: tuple[int, int]) -> ImageSection | None:
    """Return the part of an image that shows a field, None where it shows nothing of it.

    Parameters
    ----------
    columns, rows : float [N, N]
        Where the cells of a coarse grid over the field, N odd, lie in the image; NaN far outside of it.
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


class Places:
    """Where the pixels of a picture lie in a part of an image that is reduced by blocks.

    Parameters
    ----------
    places : float [2, side, side]
        Columns and rows of the image, the picture's lowest row first; NaN for nowhere.
    part : ImageSection
    block : int
        Pixels of the image each way that are averaged.
    """

    def __init__(self, places: NDArray[np.float64], part: ImageSection, block: int) -> None:
        self.part, self.block = part, max(1, block)
        self._width = -(-(part.columns.stop - part.columns.start) // self.block) + 2
        self._height = -(-(part.rows.stop - part.rows.start) // self.block) + 2
        self._right, self._left, columns = self._split(places[0], part.columns.start, self._width)
        self._above, self._below, rows = self._split(places[1], part.rows.start, self._height)
        self._at = rows * self._width + columns

    def _split(
        self, places: NDArray[np.float64], start: int, size: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.intp]]:
        """Return the weights of the upper and the lower neighbour, and the lower one's number within a border of 1."""
        at = np.nan_to_num((places - (start - 0.5)) / self.block + 0.5)
        np.clip(at, 0, size - 1, out=at)
        low = np.minimum(at.astype(np.intp), size - 2)
        upper = (at - low).astype(np.float32)
        return upper, 1 - upper, low

    def interpolated(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        """Interpolate a plane of the part linearly, float32 ``[side, side]``: 0 outside of it."""
        return self._mixed(self._bordered(plane), slice(None))

    def shares(self, known: NDArray[np.float32]) -> NDArray[np.float32]:
        """Do the same with what share of each pixel is known: 1 but for a few, which alone are computed."""
        samples = self._bordered(known)
        least = np.minimum(samples[:-1], samples[1:])
        least[:, :-1] = np.minimum(least[:, :-1], least[:, 1:])
        found = np.ones(self._at.shape, np.float32)
        some = least.ravel().take(self._at) < 1
        found[some] = self._mixed(samples, some)
        return found

    def _bordered(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        samples = np.zeros((self._height, self._width), np.float32)
        samples[1:-1, 1:-1] = plane
        return samples

    def _mixed(self, samples: NDArray[np.float32], which: slice | NDArray[np.bool_]) -> NDArray[np.float32]:
        flat, at, left, right = samples.ravel(), self._at[which], self._left[which], self._right[which]
        below = flat.take(at) * left + flat.take(at + 1) * right
        at = at + self._width
        above = flat.take(at) * left + flat.take(at + 1) * right
        mixed: NDArray[np.float32] = below * self._below[which] + above * self._above[which]
        return mixed


class Canvas:
    """One band of a picture, to which images are added.

    Parameters
    ----------
    side : int
        Of the picture, pixels.
    """

    def __init__(self, side: int) -> None:
        # light times weight, weight, and the share that is known
        self._sums = np.zeros((3, side, side), np.float32)
        self._saturated: NDArray[np.float32] | None = None

    def add(self, image: BandImage, places: Places, *, factor: float, share: Share) -> None:
        """Add what an image shows, at the sky level of what was added before it, where they overlap.

        Parameters
        ----------
        image : BandImage
        places : Places
            Of the picture's pixels in it.
        factor : float
            That its values are multiplied by.
        share : Share
            Asked for the memory that it takes.
        """
        width = places.part.columns.stop - places.part.columns.start
        mask = None if image.mask is None else image.mask.plane
        read = [one for one in (image.pixels, mask, image.weight) if one is not None]
        share.ask(max(one.cost for one in read) + _WORKING_BYTES, f"part of a FITS image, {width} pixels wide")
        strips = list(_reduced(image, places.part, places.block))
        light, known, saturated, *weights = (np.concatenate(planes) for planes in zip(*strips, strict=True))
        seen = places.shares(known)
        weight = places.interpolated(weights[0]) if weights else seen
        light = np.float32(factor) * places.interpolated(light)
        light -= self._step(light, weight, seen) * weight
        for number, plane in enumerate((light, weight, seen)):
            self._sums[number] += plane
        if saturated.any():
            there = places.interpolated(saturated)
            self._saturated = there if self._saturated is None else np.maximum(self._saturated, there)

    def _step(self, light: NDArray[np.float32], weight: NDArray[np.float32], seen: NDArray[np.float32]) -> np.float32:
        """Return by how much an image is brighter than what was added before; 0 where that is not certain."""
        lights, weights, known = self._sums
        both = (known >= _COVERED) & (seen >= _COVERED) & (weights > 0) & (weight > 0)
        if (count := np.count_nonzero(both)) < _ENOUGH:
            return np.float32(0)
        apart = light[both] / weight[both] - lights[both] / weights[both]
        step = np.median(apart)
        error = 1.4826 * float(np.median(np.abs(apart - step))) / math.sqrt(count)
        return np.float32(step if abs(step) > _CLEAR * error else 0)

    def light(self) -> NDArray[np.float32]:
        """Return the mean of what was added, float32 ``[side, side]``, the lowest row first.

        It is infinite where all that is there is saturated, and NaN where nothing is.
        """
        light, weight, known = self._sums
        mean = np.full(light.shape, np.nan, np.float32)
        np.divide(light, weight, out=mean, where=(known >= _COVERED) & (weight > 0))
        if self._saturated is not None:
            mean[np.isnan(mean) & (self._saturated > 0)] = np.inf
        return mean


def _reduced(image: BandImage, part: ImageSection, block: int) -> Iterator[tuple[NDArray[np.float32], ...]]:
    """Yield strips of a part, float32 ``[rows, columns]``: light times weight, what is known, saturated, any weight."""
    step = strip_rows((part.columns.stop - part.columns.start) * 8, block)
    for row in range(part.rows.start, part.rows.stop, step):
        rows = slice(row, min(row + step, part.rows.stop))
        values = image.pixels.section(rows, part.columns).astype(np.float32, copy=False)
        with np.errstate(invalid="ignore"):
            good = np.abs(values) < _BLANK
        saturated = values >= np.float32(image.saturation)
        if saturated.mean() > _MOST_SATURATED:
            saturated[:] = False
        if (mask := image.mask) is not None:
            said = mask.plane.section(rows, part.columns)
            if mask.bad == ANY:
                good &= said == 0
            else:
                bits = np.nan_to_num(said).astype(np.int64)
                saturated |= (bits & mask.saturated) != 0
                good &= (bits & mask.bad) == 0
        good &= ~saturated
        planes = []
        if image.weight is not None:
            weights = np.nan_to_num(image.weight.section(rows, part.columns).astype(np.float32))
            good &= weights > 0
            planes.append(np.where(good, weights, 0))
            values *= planes[0]
        planes = [np.where(good, values, 0), good.astype(np.float32), saturated.astype(np.float32), *planes]
        yield tuple(block_means(plane[..., None], block)[..., 0] for plane in planes)
