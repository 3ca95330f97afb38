from __future__ import annotations

import numpy as np
import pytest

from training.evaluation import metrics
from training.release import calibrate


def test_the_conformal_quantile_counts_the_galaxy_to_come() -> None:
    scores = np.arange(1.0, 100.0)  # 99 of them
    assert calibrate.conformal_quantile(scores, 0.68) == 68
    assert calibrate.conformal_quantile(scores, 0.95) == 95
    assert calibrate.conformal_quantile(np.array([3.0, 1.0]), 0.95) == 3


def test_calibrated_intervals_hold_the_promised_share_of_galaxies_not_used_to_fit_them() -> None:
    rng = np.random.default_rng(2)
    labels = rng.uniform(50, 85, 4000)
    difficulty = rng.uniform(1, 5, 4000)
    predictions = labels + rng.normal(0, difficulty, (4, 4000)) + rng.normal(0, difficulty)
    calibration = calibrate.calibrate(labels[:2000], predictions[:, :2000])
    errors = metrics.normalised_errors(labels[2000:], predictions[:, 2000:], calibration.floor_deg)
    assert np.mean(errors <= calibration.quantile68) == pytest.approx(0.68, abs=0.03)
    assert np.mean(errors <= calibration.quantile95) == pytest.approx(0.95, abs=0.02)
