"""Resamples parts of images to one picture: reads only the needed parts, averages, interpolates, adds.

A part is reduced by the mean of blocks while it is read, so that its pixels are one to two of the picture's, and then
interpolated linearly. ``tests/unit/images/test_mosaic_resample.py`` compares this with ``reproject``: its
``reproject_adaptive`` gives the same pictures, needs the whole part in double precision and ten times as long, and
would add SciPy, Dask and pandas to the gateway, 300 MB.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gateway.images.mosaic.parts import reduced

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gateway.images.limits import Share
    from gateway.images.mosaic.files import BandImage
    from gateway.images.mosaic.parts import ImageSection

_COVERED = 0.5
"""Share of a picture's pixel that known pixels must cover to make it known."""
_WORKING_BYTES = 16_000_000
_ENOUGH = 100
_CLEAR = 10.0
"""Difference of two images' skies that is significant, in standard errors; neighbouring pixels share their noise."""


class Places:
    """Positions of the pixels of a picture in a part of an image that is reduced by blocks.

    Parameters
    ----------
    places : float [2, side, side]
        Columns and rows of the image, the picture's lowest row first; NaN outside of the image.
    part : ImageSection
        Part of the image.
    block : int
        Side of a block, pixels of the image.
    """

    def __init__(self, places: NDArray[np.float64], part: ImageSection, block: int) -> None:
        self.part, self.block = part, max(1, block)
        self._width = -(-(part.columns.stop - part.columns.start) // self.block) + 2
        self._height = -(-(part.rows.stop - part.rows.start) // self.block) + 2
        self._shape = places.shape[1:]
        self._right, self._left, columns = self._split(places[0], part.columns.start, self._width)
        self._above, self._below, rows = self._split(places[1], part.rows.start, self._height)
        self._at = rows * self._width + columns

    def _split(
        self, places: NDArray[np.float64], start: int, size: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.intp]]:
        """Return the weights of the upper and the lower neighbour, and the lower one's index within a border of 1."""
        at = np.nan_to_num((places.ravel() - (start - 0.5)) / self.block + 0.5)
        np.clip(at, 0, size - 1, out=at)
        low = np.minimum(at.astype(np.intp), size - 2)
        upper = (at - low).astype(np.float32)
        return upper, 1 - upper, low

    def interpolated(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a plane of the part, interpolated linearly, float32 ``[side, side]``: 0 outside of it."""
        return self._mixed(self._bordered(plane), slice(None)).reshape(self._shape)

    def shares(self, known: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the interpolated known share of each pixel. It is 1 except for few pixels, the only ones computed."""
        samples = self._bordered(known)
        partial = samples < 1
        near = partial[:-1] | partial[1:]
        near[:, :-1] |= near[:, 1:]
        found = np.ones(self._at.size, np.float32)
        some = np.flatnonzero(near.ravel().take(self._at))
        if some.size:
            found[some] = self._mixed(samples, some)
        return found.reshape(self._shape)

    def _bordered(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        samples = np.zeros((self._height, self._width), np.float32)
        samples[1:-1, 1:-1] = plane
        return samples

    def _mixed(self, samples: NDArray[np.float32], which: slice | NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the weighted sum of the four samples around each position, in place, since memory limits the speed."""
        at, left, right = self._at[which], self._left[which], self._right[which]
        rows: list[NDArray[np.float32]] = []
        for first in (0, self._width):
            flat = samples.ravel()[first:]
            row, beside = flat.take(at), flat[1:].take(at)
            row *= left
            beside *= right
            row += beside
            rows.append(row)
        mixed, above = rows
        mixed *= self._below[which]
        above *= self._above[which]
        mixed += above
        return mixed


class Canvas:
    """One band of a picture, as the sum of images.

    Parameters
    ----------
    side : int
        Side of the picture, pixels.
    """

    def __init__(self, side: int) -> None:
        self._side = side
        self._sums: NDArray[np.float32] | None = None
        """Sums of light times weight, weight, and known share."""
        self._saturated: NDArray[np.float32] | None = None

    def add(self, image: BandImage, places: Places, *, factor: float, share: Share) -> None:
        """Add an image, adjusted to the sky level of the images before it where they overlap.

        Parameters
        ----------
        image : BandImage
            Image to add.
        places : Places
            Positions of the picture's pixels in the image.
        factor : float
            Factor for the image's values.
        share : Share
            Share of the decoders' memory, from which the needed memory is requested.
        """
        width = places.part.columns.stop - places.part.columns.start
        mask = None if image.mask is None else image.mask.plane
        read = [one for one in (image.pixels, mask, image.weight) if one is not None]
        share.ask(max(one.cost for one in read) + _WORKING_BYTES, f"part of a FITS image, {width} pixels wide")
        part = reduced(image, places.part, places.block)
        seen = places.shares(part.known)
        weight = seen if part.weight is None else places.interpolated(part.weight)
        light = places.interpolated(part.light)
        light *= np.float32(factor)
        if self._sums is None:
            self._sums = np.stack([light, weight, seen])
        else:
            light -= self._step(self._sums, light, weight, seen) * weight
            self._sums += np.stack([light, weight, seen])
        if part.saturated is not None:
            there = places.interpolated(part.saturated)
            self._saturated = there if self._saturated is None else np.maximum(self._saturated, there)

    @staticmethod
    def _step(
        sums: NDArray[np.float32], light: NDArray[np.float32], weight: NDArray[np.float32], seen: NDArray[np.float32]
    ) -> np.float32:
        """Return how much brighter an image is than the sum before it; 0 where the difference is not significant."""
        lights, weights, known = sums
        both = (known >= _COVERED) & (seen >= _COVERED) & (weights > 0) & (weight > 0)
        if (count := np.count_nonzero(both)) < _ENOUGH:
            return np.float32(0)
        apart = light[both] / weight[both] - lights[both] / weights[both]
        step = np.median(apart)
        error = 1.4826 * float(np.median(np.abs(apart - step))) / math.sqrt(count)
        return np.float32(step if abs(step) > _CLEAR * error else 0)

    def light(self) -> NDArray[np.float32]:
        """Return the mean of the images, float32 ``[side, side]``, the lowest row first.

        It is infinite where all images are saturated, and NaN where no image has a value.
        """
        mean = np.full((self._side, self._side), np.nan, np.float32)
        if self._sums is not None:
            light, weight, known = self._sums
            np.divide(light, weight, out=mean, where=(known >= _COVERED) & (weight > 0))
        if self._saturated is not None:
            mean[np.isnan(mean) & (self._saturated > 0)] = np.inf
        return mean
