"""Resample parts of images to one picture: read no more than they need, average, interpolate, add.

A part is reduced by the mean of blocks while it is read, so that its pixels are one to two of the picture's, and then
interpolated linearly by libvips. Measured against ``reproject`` in ``tests/unit/images/test_mosaic_resample.py``: its
``reproject_adaptive`` gives the same pictures, takes the whole part in double precision and ten times as long, and
brings SciPy, Dask and pandas into the gateway, 300 MB.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyvips

from gateway.images.fits_file import MOST_WHOLE
from gateway.images.fits_plan import tile_row_bytes
from gateway.images.reduce import block_means, strip_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gateway.images.fits_file import Unit
    from gateway.images.limits import Share
    from gateway.images.mosaic.files import BandImage

_COVERED = 0.5
"""A pixel of the picture is known where known pixels make up half of it or more."""
_BLANK = 1e37
"""What programs write where there is no value; see :mod:`gateway.images.stretch`."""
_WORKING_BYTES = 16_000_000


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
    (column_down, column_right), (row_down, row_right) = np.gradient(columns), np.gradient(rows)
    areas = np.abs(column_right * row_down - column_down * row_right)
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
    return ImageSection(found[0], found[1], cell, all(-0.5 <= at <= size - 0.5 for at, size in centre))  # noqa: PLR2004 - edges of pixels


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

    def add(
        self,
        image: BandImage,
        part: ImageSection,
        places: NDArray[np.float64],
        *,
        factor: float,
        block: int,
        share: Share,
    ) -> None:
        """Add what an image shows.

        Parameters
        ----------
        image : BandImage
        part : ImageSection
        places : float [2, side, side]
            Columns and rows of the image that the picture's pixels lie at, its lowest row first.
        factor : float
            That its values are multiplied by.
        block : int
            Pixels of the image each way that are averaged while it is read: as many as go into one of the picture.
        share : Share
            Asked for the memory that it takes.
        """
        block = max(1, block)
        width = part.columns.stop - part.columns.start
        read = [unit for unit in (image.unit, image.mask, image.weight) if unit is not None and unit.compressed]
        tiles = sum(tile_row_bytes(unit, width) for unit in read) + (2 * MOST_WHOLE if image.file.packed else 0)
        share.ask(tiles + _WORKING_BYTES, f"part of a FITS image, {width} pixels wide")
        with image.file.hdus() as hdus:
            strips = list(_reduced(image, hdus, part, block))
        reduced = strips[0] if len(strips) == 1 else np.concatenate(strips)
        reduced[..., 0] *= factor
        corner = (part.columns.start, part.rows.start)
        index = np.empty((*places.shape[1:], 2), np.float32)
        for axis, (place, start) in enumerate(zip(places, corner, strict=True)):
            index[..., axis] = (place - (start - 0.5)) / block - 0.5
        found = _interpolated(reduced, index)
        for number, plane in enumerate((0, 1, -1)):
            self._sums[number] += found[..., plane]

    def light(self) -> NDArray[np.float32]:
        """Return the mean of what was added, float32 ``[side, side]``, the lowest row first; NaN where nothing is."""
        light, weight, known = self._sums
        mean = np.full(light.shape, np.nan, np.float32)
        return np.divide(light, weight, out=mean, where=(known >= _COVERED) & (weight > 0))


def _interpolated(reduced: NDArray[np.float32], index: NDArray[np.float32]) -> NDArray[np.float32]:
    """Interpolate linearly in ``[H, W, B]`` at columns and rows, NaN for nowhere: ``[*places, B]``, 0 outside."""
    height, width, bands = reduced.shape
    samples = pyvips.Image.new_from_memory(np.ascontiguousarray(reduced).tobytes(), width, height, bands, "float")
    np.clip(np.nan_to_num(index, copy=False, nan=-2.0), -2, 1 << 20, out=index)
    at = pyvips.Image.new_from_memory(index.tobytes(), index.shape[1], index.shape[0], 2, "float")
    found = samples.mapim(at, interpolate=pyvips.Interpolate.new("bilinear"))
    return np.frombuffer(found.write_to_memory(), np.float32).reshape(*index.shape[:2], bands)


def _reduced(image: BandImage, hdus: Any, part: ImageSection, block: int) -> Iterator[NDArray[np.float32]]:
    """Yield strips of a part, float32 ``[rows, columns, 2 or 3]``: light times weight, weight, what share is known.

    Without weights there is no plane of them.
    """
    step = strip_rows((part.columns.stop - part.columns.start) * 8, block)
    if image.unit.compressed:
        # a row of tiles is unpacked for each strip that has rows of it
        tile = max(1, int(image.unit.header.get("ZTILE2", 1)))
        step = block * math.ceil(max(step, tile) / block)
    for row in range(part.rows.start, part.rows.stop, step):
        rows = slice(row, min(row + step, part.rows.stop))
        values = _section(hdus, image.unit, image.plane, rows, part.columns).astype(np.float32)
        with np.errstate(invalid="ignore"):
            good = np.abs(values) < _BLANK
        if image.mask is not None:
            bits = _section(hdus, image.mask, 0, rows, part.columns)
            good &= (bits.astype(np.int64) if image.bad_bits is None else bits.astype(np.int64) & image.bad_bits) == 0
        planes = []
        if image.weight is not None:
            weights = np.nan_to_num(_section(hdus, image.weight, 0, rows, part.columns).astype(np.float32))
            good &= weights > 0
            planes.append(np.where(good, weights, 0))
            values *= planes[0]
        light = np.where(good, values, 0)
        yield block_means(np.stack([light, *planes, good.astype(np.float32)], axis=-1), block)


def _section(hdus: Any, unit: Unit, plane: int, rows: slice, columns: slice) -> NDArray[Any]:
    leading = [plane if n > 1 else 0 for n in unit.shape[:-2]]
    found: NDArray[Any] = np.asarray(hdus[unit.number].section[(*leading, rows, columns)])
    return found
