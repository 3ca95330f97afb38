"""Fills pixels without a value: pixels off the detector, saturated cores, bad columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pyvips

if TYPE_CHECKING:
    from numpy.typing import NDArray

_THIN = 2
"""Half of the widest gap that is bridged from both sides, pixels."""

ENOUGH = 20_000
"""Number of pixels from which the sky is known to a hundredth of its noise."""

_ABOVE_SKY = 5.0
"""Excess of a hole's rim over the sky, in units of its noise, from which the hole is the core of a bright object."""


_FAR = 10.0
"""Distance below the sky, in units of its noise, from which a value does not belong to the sky."""
_MOST = 0.6
"""Share of a plane above which pixels with the lowest value are the background of the picture, and no gap."""
_LEAST_PIXELS, _LEAST_PART = 16, 1e-3
_ROUNDING = 1e-5
"""Largest change of the value by interpolation, in units of its distance from the sky."""


def without_data(plane: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """Return the pixels to which a program has given a number instead of a missing value, such as 0, -999 or -32768.

    Many pixels share this number. It is the lowest value and lies far below the sky and its noise, with few values in
    between.

    Parameters
    ----------
    plane : float32 [H, W]
        Measured pixels, all finite.

    Returns
    -------
    bool [H, W] or None
        None if there are no such pixels.
    """
    lowest = plane.min()
    some = _thinned(plane)
    rest = some[some > lowest]
    if rest.size < (1 - _MOST) * some.size:
        return None
    sky = float(np.median(rest))
    floor = sky - _FAR * noise_below(rest[None], sky)
    # where few photons are counted, the steps between the counts are noise too
    if lowest >= floor or lowest >= sky - _FAR * float(np.diff(np.unique(rest)).min(initial=np.inf)):
        return None
    alike, below = int((plane <= lowest + _ROUNDING * (sky - lowest)).sum()), plane < floor
    enough = alike >= max(_LEAST_PIXELS, _LEAST_PART * plane.size) and 2 * alike >= below.sum()
    return below if enough else None


def fill_gaps(planes: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """Give every pixel a value, in place.

    Thin gaps, such as bad columns, are bridged by the mean of their two sides. A hole that is infinite, or whose rim is
    bright, is a saturated core and gets the brightest value of its rim. Other pixels without a finite value at the
    picture's edge are off the image and become sky (the median); any other hole gets the mean of its rim.

    Parameters
    ----------
    planes : float32 [P, H, W]
        Planes with at least one finite value each.

    Returns
    -------
    bool [H, W] or None
        Pixels that are off the image in every plane; None where there is none.
    """
    outside: NDArray[np.bool_] | None = None
    regions = _Regions()
    for index, plane in enumerate(planes):
        mine = _fill(plane, regions)
        if index == 0:
            outside = mine
        elif outside is not None:
            outside = None if mine is None else outside & mine
    return outside if outside is not None and outside.any() else None


def _fill(plane: NDArray[np.float32], regions: _Regions) -> NDArray[np.bool_] | None:
    bad = ~np.isfinite(plane)
    rows, columns = (np.flatnonzero(bad.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    # everything below works on the region around the bad pixels, which is usually a small part of the picture
    around = tuple(slice(max(0, at[0] - 1), at[-1] + 2) for at in (rows, columns))
    part, bad = plane[around], bad[around]
    infinite = np.isposinf(part)
    part[bad] = np.nan
    for _ in range(_THIN):
        _bridge(part)
    bad = np.isnan(part)
    if not bad.any():
        return None
    sky = median_of_sky(plane)
    noise = noise_below(plane, sky)
    labels, count = regions.of(bad)
    off = np.zeros(count, bool)
    height, width = plane.shape
    edges = (
        (around[0].start == 0, labels[0]),
        (around[0].stop >= height, labels[-1]),
        (around[1].start == 0, labels[:, 0]),
        (around[1].stop >= width, labels[:, -1]),
    )
    for is_border, edge in edges:
        off[edge] |= is_border
    off[0] = False
    total, touched, most = np.zeros(count), np.zeros(count), np.full(count, -np.inf)
    for hole, rim in _pairs(labels, part):
        inside = (hole > 0) & np.isfinite(rim)
        total += np.bincount(hole[inside], rim[inside], count)
        touched += np.bincount(hole[inside], minlength=count)
        np.maximum.at(most, hole[inside], rim[inside])
    mean = np.where(touched > 0, total / np.maximum(touched, 1), sky)
    core = mean > sky + _ABOVE_SKY * noise
    saturated = np.zeros(count, bool)
    saturated[np.unique(labels[infinite & bad])] = True
    bright = (saturated | (core & ~off)) & (touched > 0)
    off &= ~bright
    value = np.where(bright, most, np.where(off, sky, mean))
    part[bad] = value[labels[bad]]
    outside = np.zeros(plane.shape, bool)
    outside[around] = off[labels]
    return outside


def _thinned(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    thin = 1 + math.isqrt(plane.size // ENOUGH)
    some = plane[::thin, ::thin]
    good = some[np.isfinite(some)]
    return good if good.size else plane[np.isfinite(plane)]


def median_of_sky(plane: NDArray[np.float32]) -> float:
    """Return the median of the finite values of a plane, from a sample of its pixels."""
    return float(np.median(_thinned(plane)))


def noise_below(plane: NDArray[np.float32], sky: float = 0.0) -> float:
    """Return 1.4826 times the median distance of the values below the sky; 0 where there are none."""
    good = _thinned(plane)
    below = good[good < sky]
    return 1.4826 * float(np.median(sky - below)) if below.size else 0.0


def _bridge(plane: NDArray[np.float32]) -> None:
    """Fill gaps between two values of a row or column with the mean of these."""
    for view in (plane, plane.T):
        between = (view[:, :-2] + view[:, 2:]) / 2
        gap = np.isnan(view[:, 1:-1])
        view[:, 1:-1][gap] = between[gap]


class _Regions:
    """Finds connected regions, and keeps the last result, since planes mostly lack the same pixels."""

    def __init__(self) -> None:
        self._last: tuple[NDArray[np.bool_], NDArray[np.int32], int] | None = None

    def of(self, bad: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
        """Return the connected regions of ``bad`` as numbers from 1 (0 elsewhere), and the count of numbers."""
        if self._last is None or not np.array_equal(bad, self._last[0]):
            self._last = bad, *self._found(bad)
        return self._last[1:]

    @staticmethod
    def _found(bad: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
        height, width = bad.shape
        mask = pyvips.Image.new_from_memory((bad * np.uint8(255)).tobytes(), width, height, 1, "uchar")
        segments = mask.labelregions()
        labels = np.frombuffer(segments.write_to_memory(), np.int32).reshape(height, width)
        # libvips numbers the regions of good pixels, too
        numbers, mine = np.unique(labels[bad], return_inverse=True)
        compact = np.zeros((height, width), np.int32)
        compact[bad] = mine + 1
        return compact, len(numbers) + 1


def _pairs(
    labels: NDArray[np.int32], plane: NDArray[np.float32]
) -> tuple[tuple[NDArray[np.int32], NDArray[np.float32]], ...]:
    """Return each pixel's region number beside each neighbour's value."""
    return (
        (labels[:, 1:], plane[:, :-1]),
        (labels[:, :-1], plane[:, 1:]),
        (labels[1:], plane[:-1]),
        (labels[:-1], plane[1:]),
    )
