"""Fits :class:`gateway.core.manifest.Calibration`: split conformal prediction, normalised by the ensemble's spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gateway.core.manifest import Calibration
from training.evaluation import metrics

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLOORS_DEG = (0.5, 1.0, 1.5, 2.0, 3.0)


def conformal_quantile(scores: NDArray[np.float64], level: float) -> float:
    """Return the ceil((n + 1) level)-th smallest score: the finite-sample quantile (Lei et al. 2018, JASA 113, 1094).

    The largest score where n is too small for the level.
    """
    count = len(scores)
    return float(np.quantile(scores, min(level * (count + 1) / count, 1.0), method="inverted_cdf"))


def calibrate(labels: NDArray[np.float64], predictions: NDArray[np.float64]) -> Calibration:
    """Fit the intervals on validation galaxies, with the floor that makes the 68 % intervals shortest on average.

    Parameters
    ----------
    labels : float64 ``[N]``
        Degrees.
    predictions : float64 ``[flavors, N]``
        Degrees, of networks that never trained on these galaxies.
    """

    def fitted(floor_deg: float) -> tuple[float, Calibration]:
        scores = metrics.normalised_errors(labels, predictions, floor_deg)
        calibration = Calibration(
            floor_deg=floor_deg,
            quantile68=max(conformal_quantile(scores, 0.68), 1e-6),
            quantile95=max(conformal_quantile(scores, 0.95), 1e-6),
            galaxies=len(labels),
        )
        width = calibration.quantile68 * float(np.mean(np.hypot(floor_deg, metrics.spread(predictions))))
        return width, calibration

    return min((fitted(floor) for floor in FLOORS_DEG), key=lambda found: found[0])[1]
