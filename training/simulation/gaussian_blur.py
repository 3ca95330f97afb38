"""Gaussian blur of whole batches, with an own width for each picture."""

from __future__ import annotations

from typing import Any

from keras import ops


def blur(planes: Any, sigma: Any, *, power: int = 1) -> Any:
    """Blur along rows and columns. ``keras.ops.image.gaussian_blur`` has only one width for all pictures.

    Parameters
    ----------
    planes : float32 tensor ``[N, C, side, side]``
    sigma : float32 tensor ``[N]``
        Standard deviations, pixels.
    power : int
        Power of the weights whose sum is 1: 1 preserves the level of light, 2 the variance of noise.

    Returns
    -------
    float32 tensor ``[N, C, side, side]``
    """
    grid = ops.arange(planes.shape[-1], dtype="float32")
    apart = grid[None, :] - grid[:, None]
    weights = ops.exp(-0.5 * (apart[None] / sigma[:, None, None]) ** 2)
    weights = weights / ops.sum(weights**power, axis=-1, keepdims=True) ** (1 / power)
    return ops.matmul(ops.matmul(weights[:, None], planes), ops.transpose(weights, (0, 2, 1))[:, None])
