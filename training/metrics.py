"""How good predictions are: pure functions of labels and predictions, degrees and likelihoods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gateway.contract import Calibration

_BIN_DEG = 5
_RANGE_DEG = (45, 90)


def residuals(labels: NDArray[np.float64], predicted: NDArray[np.float64]) -> dict[str, float]:
    """Summarise ``predicted - labels``.

    Returns
    -------
    dict
        ``rms_deg``, ``mae_deg``, ``median_abs_deg``, ``bias_deg`` (mean), ``slope`` and ``intercept_deg`` of the
        least-squares line through predicted against measured, and ``galaxies``.
    """
    error = predicted - labels
    slope, intercept = np.polyfit(labels, predicted, 1) if np.ptp(labels) > 0 else (float("nan"), float("nan"))
    return {
        "rms_deg": float(np.sqrt(np.mean(error**2))),
        "mae_deg": float(np.mean(np.abs(error))),
        "median_abs_deg": float(np.median(np.abs(error))),
        "bias_deg": float(np.mean(error)),
        "slope": float(slope),
        "intercept_deg": float(intercept),
        "galaxies": float(len(labels)),
    }


def by_bin(labels: NDArray[np.float64], predicted: NDArray[np.float64]) -> list[dict[str, float]]:
    """Return rms and bias in bins of 5 deg of the label, without empty bins."""
    found = []
    for low in range(_RANGE_DEG[0], _RANGE_DEG[1], _BIN_DEG):
        last = low + _BIN_DEG == _RANGE_DEG[1]
        inside = (labels >= low) & ((labels < low + _BIN_DEG) | (last & (labels <= _RANGE_DEG[1])))
        if inside.any():
            error = predicted[inside] - labels[inside]
            summary = {"rms_deg": float(np.sqrt(np.mean(error**2))), "bias_deg": float(error.mean())}
            found.append(
                {"from_deg": float(low), "to_deg": float(low + _BIN_DEG), "galaxies": float(inside.sum()), **summary}
            )
    return found


def roc_area(rejected: NDArray[np.bool_], likelihood: NDArray[np.float64]) -> float:
    """Area under the receiver's curve: the share of (rejected, kept) pairs that are ranked rightly, ties half."""
    ranks = stats.rankdata(likelihood)
    positives, negatives = int(rejected.sum()), int((~rejected).sum())
    if not positives or not negatives:
        return float("nan")
    return float((ranks[rejected].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def classification(rejected: NDArray[np.bool_], likelihood: NDArray[np.float64]) -> dict[str, float]:
    """Return precision, recall and accuracy at 0.5, the ROC area, and how many were rejected and kept."""
    said = likelihood >= 0.5  # noqa: PLR2004 - more likely than not
    hits = float((said & rejected).sum())
    return {
        "roc_area": roc_area(rejected, likelihood),
        "precision": hits / max(float(said.sum()), 1.0),
        "recall": hits / max(float(rejected.sum()), 1.0),
        "accuracy": float((said == rejected).mean()),
        "rejected": float(rejected.sum()),
        "kept": float((~rejected).sum()),
    }


def spread(predictions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sample standard deviation over the flavors of ``[flavors, N]``; 0 where there is one flavor."""
    return np.std(predictions, axis=0, ddof=1) if len(predictions) > 1 else np.zeros(predictions.shape[1])


def coverage(
    labels: NDArray[np.float64], predictions: NDArray[np.float64], calibration: Calibration
) -> dict[str, float]:
    """Return the share of labels inside the calibrated 68 % and 95 % intervals of ``[flavors, N]`` predictions."""
    score = normalised_errors(labels, predictions, calibration.floor_deg)
    return {
        "interval68": float(np.mean(score <= calibration.quantile68)),
        "interval95": float(np.mean(score <= calibration.quantile95)),
    }


def normalised_errors(
    labels: NDArray[np.float64], predictions: NDArray[np.float64], floor_deg: float
) -> NDArray[np.float64]:
    """Return ``|label - median| / hypot(floor_deg, stdev)``, the scores of the conformal calibration."""
    return np.asarray(
        np.abs(labels - np.median(predictions, axis=0)) / np.hypot(floor_deg, spread(predictions)), np.float64
    )
