"""Fits :class:`gateway.core.manifest.Calibration`: split conformal prediction, normalised by the ensemble's spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gateway.core.manifest import Calibration, Quantiles
from training.evaluation import metrics

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLOORS_DEG = (0.5, 1.0, 1.5, 2.0, 3.0)
KNOTS_DEG = (6.0, 14.0, 22.0, 30.0, 38.0, 46.0, 54.0, 62.0, 70.0, 78.0, 86.0)
"""Medians around which the quantiles are taken, degrees."""

NEIGHBOURS = 120
"""Number of galaxies, those of the nearest medians, for the quantiles of each knot."""


def conformal_quantile(scores: NDArray[np.float64], level: float) -> float:
    """Return the ceil((n + 1) level)-th smallest score: the finite-sample quantile (Lei et al. 2018, JASA 113, 1094).

    It is the largest score where n is too small for the level.
    """
    count = len(scores)
    return float(np.quantile(scores, min(level * (count + 1) / count, 1.0), method="inverted_cdf"))


def calibrate(labels: NDArray[np.float64], predictions: NDArray[np.float64]) -> Calibration:
    """Fit the intervals on galaxies set aside, with the floor that makes the 68 % intervals shortest on average.

    Parameters
    ----------
    labels : float64 ``[N]``
        Human inclinations, degrees.
    predictions : float64 ``[flavors, N]``
        Degrees, NaN where a network was trained on the galaxy; each galaxy has at least one.
    """

    def fitted(floor_deg: float) -> tuple[float, Calibration]:
        scores = metrics.normalised_errors(labels, predictions, floor_deg)
        calibration = Calibration(
            floor_deg=floor_deg,
            quantiles=tuple(_quantiles(knot, medians, scores) for knot in KNOTS_DEG),
            galaxies=len(labels),
        )
        scale = np.hypot(floor_deg, metrics.spread(predictions))
        wide = [one.low68 + one.high68 for one in calibration.quantiles]
        return float(np.mean(scale * np.interp(medians, KNOTS_DEG, wide))), calibration

    medians = np.nanmedian(predictions, axis=0)
    return min((fitted(floor) for floor in FLOORS_DEG), key=lambda found: found[0])[1]


def _quantiles(at_deg: float, medians: NDArray[np.float64], scores: NDArray[np.float64]) -> Quantiles:
    near = scores[np.argsort(np.abs(medians - at_deg), kind="stable")[:NEIGHBOURS]]

    def beyond(signed: NDArray[np.float64], level: float) -> float:
        return max(conformal_quantile(signed, level), 0.05)

    return Quantiles(
        at_deg=at_deg,
        low68=beyond(-near, 0.84),
        high68=beyond(near, 0.84),
        low95=beyond(-near, 0.975),
        high95=beyond(near, 0.975),
        below95=beyond(near, 0.95),
    )
