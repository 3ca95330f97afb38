"""Quality of predictions: pure functions of labels and predictions, degrees and likelihoods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.evaluation.evaluate import Intervals


RANGES_DEG = ((0, 30), (30, 45), (45, 60), (60, 75), (75, 90))
"""Ranges of the truth for separate errors and intervals, where the truth runs from face-on to edge-on, degrees."""

_BIN_DEG = 5
_RANGE_DEG = (0, 90)
_DRAWS = 1000
_FEW = 2
ACCEPTED_BELOW = 0.5
"""Rejection likelihood below which a picture counts as accepted: more likely kept than not."""


def residuals(labels: NDArray[np.float64], predicted: NDArray[np.float64]) -> dict[str, float]:
    """Return statistics of ``predicted - labels``.

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


def bootstrap_errors(labels: NDArray[np.float64], predicted: NDArray[np.float64], *, seed: int = 1) -> dict[str, float]:
    """Return the standard errors of the results of :func:`residuals`, by bootstrap.

    They are the scatter of a thousand samples drawn with replacement (Efron 1979, Annals of Statistics 7, 1), and hold
    where a few outliers dominate the rms, unlike ``rms / sqrt(2 n)``. The same input gives the same result.

    Returns
    -------
    dict
        ``rms_error_deg``, ``mae_error_deg``, ``median_abs_error_deg``, ``bias_error_deg``; NaN for fewer than two
        galaxies.
    """
    error = predicted - labels
    if len(error) < _FEW:
        return dict.fromkeys(("rms_error_deg", "mae_error_deg", "median_abs_error_deg", "bias_error_deg"), float("nan"))
    rng = np.random.default_rng(seed)
    drawn = np.stack([error[rng.integers(0, len(error), len(error))] for _ in range(_DRAWS)])
    found = {
        "rms_error_deg": np.sqrt(np.mean(drawn**2, axis=1)),
        "mae_error_deg": np.mean(np.abs(drawn), axis=1),
        "median_abs_error_deg": np.median(np.abs(drawn), axis=1),
        "bias_error_deg": np.mean(drawn, axis=1),
    }
    return {name: float(np.std(values, ddof=1)) for name, values in found.items()}


def summary(labels: NDArray[np.float64], predicted: NDArray[np.float64]) -> dict[str, Any]:
    """Return :func:`residuals` with :func:`bootstrap_errors`, and :func:`by_bin` as ``bins``."""
    return {
        **residuals(labels, predicted),
        **bootstrap_errors(labels, predicted),
        "bins": by_bin(labels, predicted),
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


def by_range(
    truth: NDArray[np.float64], predicted: NDArray[np.float64], intervals: Intervals | None = None
) -> list[dict[str, float]]:
    """Return rms and bias in the ranges of :data:`RANGES_DEG` of the truth, without empty ones.

    With ``intervals`` also ``inside68`` and ``inside95``, the shares of the truth inside them.
    """
    found = []
    for low, high in RANGES_DEG:
        chosen = (truth >= low) & ((truth < high) | ((high == RANGES_DEG[-1][1]) & (truth <= high)))
        if not chosen.any():
            continue
        error = predicted[chosen] - truth[chosen]
        one = {
            "from_deg": float(low),
            "to_deg": float(high),
            "galaxies": float(chosen.sum()),
            "rms_deg": float(np.sqrt(np.mean(error**2))),
            "bias_deg": float(error.mean()),
        }
        if intervals is not None:
            held = intervals.of(chosen)
            one["inside68"] = float(np.mean((held.low68 <= truth[chosen]) & (truth[chosen] <= held.high68)))
            one["inside95"] = float(np.mean((held.low95 <= truth[chosen]) & (truth[chosen] <= held.high95)))
        found.append(one)
    return found


def roc_area(rejected: NDArray[np.bool_], likelihood: NDArray[np.float64]) -> float:
    """Return the area under the ROC curve: the share of (rejected, kept) pairs in the right order, ties half."""
    if rejected.all() or not rejected.any():
        return float("nan")
    pairs = stats.mannwhitneyu(likelihood[rejected], likelihood[~rejected], method="asymptotic").statistic
    return float(pairs / (rejected.sum() * (~rejected).sum()))


def roc_area_error(area: float, rejected: int, kept: int) -> float:
    """Return the standard error of an area under the ROC curve (Hanley & McNeil 1982, Radiology 143, 29)."""
    if not rejected or not kept or not np.isfinite(area):
        return float("nan")
    both_rejected, both_kept = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (rejected - 1) * (both_rejected - area**2) + (kept - 1) * (both_kept - area**2)
    return float(np.sqrt(max(variance, 0.0) / (rejected * kept)))


def classification(rejected: NDArray[np.bool_], likelihood: NDArray[np.float64]) -> dict[str, float]:
    """Return precision, recall and accuracy at 0.5, the ROC area, and the numbers of rejected and kept pictures."""
    said = likelihood >= ACCEPTED_BELOW
    hits = float((said & rejected).sum())
    area = roc_area(rejected, likelihood)
    return {
        "roc_area": area,
        "roc_area_error": roc_area_error(area, int(rejected.sum()), int((~rejected).sum())),
        "precision": hits / max(float(said.sum()), 1.0),
        "recall": hits / max(float(rejected.sum()), 1.0),
        "accuracy": float((said == rejected).mean()),
        "rejected": float(rejected.sum()),
        "kept": float((~rejected).sum()),
    }


def spread(predictions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sample standard deviation over the flavors of ``[flavors, N]``, without NaN; 0 for a single flavor."""
    count = np.isfinite(predictions).sum(axis=0)
    about = np.nansum((predictions - np.nanmean(predictions, axis=0)) ** 2, axis=0)
    return np.asarray(np.sqrt(about / np.maximum(count - 1, 1)), np.float64)


def normalised_errors(
    labels: NDArray[np.float64], predictions: NDArray[np.float64], floor_deg: float
) -> NDArray[np.float64]:
    """Return ``(label - median) / hypot(floor_deg, stdev)``, the signed scores of the conformal calibration."""
    return np.asarray(
        (labels - np.nanmedian(predictions, axis=0)) / np.hypot(floor_deg, spread(predictions)), np.float64
    )
