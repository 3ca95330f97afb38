"""Noise of one measurement by one person: Student's t, whose scale depends on inclination."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FREEDOM = 4.0
"""Degrees of freedom of Student's t: one answer in fifteen lies more than 2.5 scales away."""

INFORMATION = (FREEDOM + 1) / (FREEDOM + 3)
"""Fisher information of Student's t of scale 1 about its centre, relative to a normal distribution's."""

PIVOT_DEG = 67.5
"""Inclination at which a person's bias is defined: the middle of the original's range."""

KNOTS_DEG = np.array([0.0, 15.0, 30.0, 47.5, 55.0, 65.0, 75.0, 87.5])
USUAL_SCATTER_DEG = np.array([4.0, 4.0, 4.0, 2.3, 3.9, 5.6, 4.6, 1.9])
"""Standard deviation of one measurement at the knots, before any standard was judged.

People of the Galaxy Inclination Zoo scattered by 2.3 deg at 45 to 50, 5.6 at 60 to 70 and 1.9 above 85, 3.9
overall. Values between are interpolated. Below 45 deg nobody was asked: 4 deg is the mean, until standards exist.
"""

SLOWNESS = 10.0
"""Weight of the usual scatter against a person's own, in number of standards."""

_PER_SCALE = np.sqrt(FREEDOM / (FREEDOM - 2))
"""Standard deviation of Student's t of scale 1."""


def scale(inclination_deg: NDArray[np.float64], scatter_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scale of Student's t in deg at inclinations, from standard deviations at the knots."""
    return np.asarray(np.interp(inclination_deg, KNOTS_DEG, scatter_deg) / _PER_SCALE, np.float64)


def weight(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights of residuals in units of the scale, for expectation-maximisation of Student's t."""
    return np.asarray((FREEDOM + 1) / (FREEDOM + np.square(z)), np.float64)


def log_density(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithm of Student's t density of residuals in units of the scale, up to a constant."""
    return np.asarray(-(FREEDOM + 1) / 2 * np.log1p(np.square(z) / FREEDOM), np.float64)


def log_beyond(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithm of the probability of a residual larger than z, for four degrees of freedom."""
    x = z / np.sqrt(4 + np.square(z))
    return np.asarray(np.log(np.maximum(0.5 - (3 * x - x**3) / 4, 1e-12)), np.float64)


def refined_scatter(
    scatter_deg: NDArray[np.float64],
    inclination_deg: NDArray[np.float64],
    z: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return improved standard deviations at the knots, by one round of expectation-maximisation.

    Parameters
    ----------
    scatter_deg : ndarray ``[K]``
        Present values. With few residuals, the result stays near the usual values.
    inclination_deg, z : ndarray ``[N]``
        Residuals in units of the present scale, and their inclinations.
    """
    # each residual contributes to the two knots around it, in proportion to its nearness
    near = np.stack([np.interp(inclination_deg, KNOTS_DEG, unit) for unit in np.eye(len(KNOTS_DEG))])
    squares = near @ (weight(z) * np.square(z)) + SLOWNESS * np.square(USUAL_SCATTER_DEG / scatter_deg)
    return np.asarray(scatter_deg * np.sqrt(squares / (near.sum(1) + SLOWNESS)), np.float64)
