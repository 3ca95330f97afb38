"""Turn measured pixels into a picture, as surveys do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gateway import errors

if TYPE_CHECKING:
    from numpy.typing import NDArray


def stretch(planes: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Turn measured pixels into a picture by an asinh stretch (Lupton et al. 2004, PASP 116, 133).

    Sky and noise are those of the picture itself (median, and 1.4826 times the median absolute deviation of what lies
    below it), the white point is its 99.8 percentile, and every plane is scaled by the same function of the mean
    intensity, so that colours are kept.

    Parameters
    ----------
    planes : float32 [P, H, W]
        One plane or three; NaN and infinities become sky.

    Returns
    -------
    uint8 [H, W, 3]
    """
    planes = np.where(np.isfinite(planes), planes, np.nan)
    sky = np.nanmedian(planes, axis=(1, 2), keepdims=True)
    signal = np.nan_to_num(planes - sky, nan=0.0)
    intensity = signal.mean(axis=0)
    below = intensity[intensity < 0]
    noise = 1.4826 * float(np.median(-below)) if below.size else 0.0
    white = float(np.quantile(intensity, 0.998))
    if white <= 0:
        white = float(intensity.max())
    if white <= 0:
        raise errors.BadImage("The image holds nothing brighter than its background.")
    noise = max(noise, white * 1e-3)
    shifted = np.maximum(intensity + noise, 0)
    curve = np.arcsinh(shifted / (2 * noise)) / np.arcsinh((white + noise) / (2 * noise))
    factor = curve / np.maximum(shifted, 1e-6 * white)
    rgb = np.clip((signal + noise) * factor, 0, 1)
    picture = np.rint(255 * np.moveaxis(rgb, 0, -1)).astype(np.uint8)
    return np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture
