"""Gaussian blur of whole batches, by a width of its own for each picture."""

from __future__ import annotations

from typing import Any

from keras import ops


def blur(planes: Any, sigma: Any) -> Any:
    """Blur along rows and columns.

    Parameters
    ----------
    planes : float32 tensor ``[N, C, side, side]``
    sigma : float32 tensor ``[N]``
        Standard deviations, pixels.

    Returns
    -------
    float32 tensor ``[N, C, side, side]``
    """
    grid = ops.arange(planes.shape[-1], dtype="float32")
    apart = grid[None, :] - grid[:, None]
    weights = ops.exp(-0.5 * (apart[None] / sigma[:, None, None]) ** 2)
    weights = weights / ops.sum(weights, axis=-1, keepdims=True)
    return ops.matmul(ops.matmul(weights[:, None], planes), ops.transpose(weights, (0, 2, 1))[:, None])
