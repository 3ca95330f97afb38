"""Converts light to the counts of pictures by a tone curve (:mod:`training.simulation.tone_curves`)."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from training.networks.backend import fused
from training.simulation.gaussian_blur import blur

GAINS = (0.72, 0.94, 1.75)
"""Gains of i, r, g by which an average disc looks white, on a scale of nanomaggies."""

_DARK = 1e-6
"""Light that is added to keep black from having a colour; white is 1."""


@fused
def stretch(planes: Any, drawn: dict[str, Any]) -> Any:
    """Return the counts of light: colours scaled away from gray, brightness by asinh and power.

    Parameters
    ----------
    planes : float32 tensor ``[N, 3, side, side]``
        g, r, i, nanomaggies per square arcsec.
    drawn : dict of tensors ``[N]``
        ``white`` (in units of the planes), ``softening``, ``gamma``, ``saturation``, ``chroma_blur`` and ``hue_kept``
        of :class:`training.simulation.tone_curves.ToneCurve`; ``pedestal`` and ``tint`` ``[N, 3]``.

    Returns
    -------
    uint8 tensor ``[N, side, side, 3]``
        i, r, g as red, green, blue.
    """
    softening, gamma, saturation, hue_kept = (
        drawn[name][:, None, None, None] for name in ("softening", "gamma", "saturation", "hue_kept")
    )
    gains = np.array(GAINS, np.float32) * drawn["tint"] / drawn["white"][:, None]
    rgb = planes[:, ::-1] * gains[:, :, None, None] + drawn["pedestal"][:, :, None, None]
    rgb = ops.maximum(rgb, 0)
    light = ops.mean(rgb, axis=1, keepdims=True) + _DARK
    rgb = light + saturation * (rgb - light)
    shown = rgb / light * (ops.arcsinh(softening * light) / ops.arcsinh(softening)) ** gamma
    gray = ops.mean(shown, axis=1, keepdims=True)
    shown = gray + blur(shown - gray, drawn["chroma_blur"])
    brightest = ops.maximum(ops.max(shown, axis=1, keepdims=True), 1)
    shown = shown / ops.where(hue_kept > 0, brightest, 1)
    return ops.cast(ops.round(255 * ops.transpose(ops.clip(shown, 0, 1), (0, 2, 3, 1))), "uint8")
