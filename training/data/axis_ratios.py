"""Inclinations of nearly face-on galaxies from their axis ratios, where people have not measured any.

Discs are not round: one with an intrinsic ellipticity of 0.08, seen exactly face-on, has an axis ratio of 0.92, for
which the formula of a round disc gives 23 deg. And axis ratios have errors. So the inclination here is the mean for
galaxies of the same axis ratio, if discs have random orientations in space.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ELLIPTICITY = 0.08
ELLIPTICITY_SCATTER = 0.75
MOST_ELLIPTICITY = 0.35
"""Largest intrinsic ellipticity; log-normal (Ryden 2004, ApJ 601, 214; Padilla & Strauss 2008, MNRAS 388, 1321)."""

_THICKNESS = 0.2
_ERROR = 0.05
"""Standard deviation of the logarithm of a measured axis ratio."""

_DRAWS = 400_000
_BINS_DEG = np.arange(0.0, 91.0, 5.0)


def expected_deg(inclination_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean true inclination of the discs with given axis ratios.

    Parameters
    ----------
    inclination_deg : float64 ``[N]``
        Axis ratios, given as inclinations of a round disc 0.2 thick, degrees; NaN stays NaN.

    Returns
    -------
    float64 ``[N]``
        Degrees: 19 for a round outline, 27 for an input of 30, within 3 of the input from 40 on.
    """
    return np.asarray(np.interp(inclination_deg, *_table()), np.float64)


@lru_cache(maxsize=1)
def _table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return inclinations from axis ratios, and for each the mean of the true inclinations."""
    rng = np.random.default_rng(1)
    cos = rng.uniform(0, 1, _DRAWS)
    ellipticity = np.minimum(rng.lognormal(np.log(ELLIPTICITY), ELLIPTICITY_SCATTER, _DRAWS), MOST_ELLIPTICITY)
    ratio = projected_axis_ratio(cos, ellipticity, rng.uniform(0, np.pi, _DRAWS))
    ratio = np.sqrt(ratio**2 * (1 - _THICKNESS**2) + _THICKNESS**2) * np.exp(rng.normal(0, _ERROR, _DRAWS))
    ratio = np.minimum(ratio, 1 / ratio)
    said = np.degrees(np.arccos(np.sqrt(np.clip((ratio**2 - _THICKNESS**2) / (1 - _THICKNESS**2), 0, 1))))
    true = np.degrees(np.arccos(cos))
    places = np.digitize(said, _BINS_DEG)
    # the means of the bins, and the edge of the last one
    middle = [said[places == place].mean() for place in range(1, len(_BINS_DEG))]
    mean = [true[places == place].mean() for place in range(1, len(_BINS_DEG))]
    return np.array(middle), np.array(mean)


def projected_axis_ratio(
    cos: NDArray[np.float64], ellipticity: NDArray[np.float64], azimuth: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the axis ratio of a thin elliptical disc seen at an angle.

    Parameters
    ----------
    cos : float64 ``[N]``
        Cosine of the inclination.
    ellipticity : float64 ``[N]``
        One minus the disc's own axis ratio.
    azimuth : float64 ``[N]``
        Angle between its major axis and the line of nodes, radians.
    """
    short = 1 - ellipticity
    # the squared axes of the projected ellipse are eigenvalues of a symmetric matrix of second moments
    along = np.cos(azimuth) ** 2 + (short * np.sin(azimuth)) ** 2
    across = cos**2 * (np.sin(azimuth) ** 2 + (short * np.cos(azimuth)) ** 2)
    mixed = cos * (1 - short**2) * np.sin(azimuth) * np.cos(azimuth)
    middle, half = (along + across) / 2, np.hypot((along - across) / 2, mixed)
    return np.asarray(np.sqrt(np.maximum(middle - half, 0) / (middle + half)), np.float64)
