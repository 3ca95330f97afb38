"""Reduces a large picture while it is read, strip by strip, by the mean of blocks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gateway.images.limits import WORKING_SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STRIP_BYTES = 1 << 20


def block_side(width: int, height: int, most: int = WORKING_SIDE) -> int:
    """Return the side of the blocks whose means make a picture of at most ``most`` pixels each way."""
    return math.ceil(max(width, height) / most)


def strip_rows(row_bytes: int, side: int) -> int:
    """Return the number of rows to read at once: whole blocks, about a megabyte."""
    return side * max(1, _STRIP_BYTES // max(1, row_bytes * side))


def block_means(samples: NDArray[np.generic], side: int, weights: NDArray[np.generic] | None = None) -> NDArray[Any]:
    """Return the means of blocks of ``side`` x ``side`` pixels, ignoring values that are not finite.

    Blocks at the right and the bottom edge may be smaller.

    Parameters
    ----------
    samples : [H, W, C]
        Samples of any real type.
    side : int
        Side of a block, pixels.
    weights : [H, W, 1], optional
        Weights, not negative, such as opacity.

    Returns
    -------
    [ceil(H / side), ceil(W / side), C]
        The samples themselves where ``side`` is 1; else float32, or float64 for samples of that precision. NaN where a
        block has no finite sample, infinite where it has only infinite ones.
    """
    if side == 1 and weights is None:
        return samples
    values = samples.astype(np.result_type(samples.dtype, np.float32), copy=False)
    if weights is None and (samples.dtype.kind in "iu" or np.isfinite(values).all()):
        whole: NDArray[Any] = _sums(values, side) / _sums(np.ones((*samples.shape[:2], 1), values.dtype), side)
        return whole
    known = np.isfinite(values).astype(values.dtype)
    if weights is not None:
        known *= weights
    light, weight = _sums(np.where(known > 0, values, 0) * known, side), _sums(known, side)
    saturated = _sums(np.isposinf(values).astype(np.float32), side) > 0
    means = np.full(light.shape, np.nan, values.dtype)
    np.divide(light, weight, out=means, where=weight > 0)
    means[(weight == 0) & saturated] = np.inf
    return means


def _sums(values: NDArray[Any], side: int) -> NDArray[Any]:
    if side == 1:
        return values
    height, width, planes = values.shape
    rows = np.zeros((math.ceil(height / side), width, planes), values.dtype)
    for offset in range(side):
        part = values[offset::side]
        rows[: len(part)] += part
    blocks = np.zeros((len(rows), math.ceil(width / side), planes), values.dtype)
    for offset in range(side):
        columns = rows[:, offset::side]
        blocks[:, : columns.shape[1]] += columns
    return blocks
