from __future__ import annotations

import numpy as np
import pytest

from training import calibrate, metrics


def test_residuals_are_predicted_minus_measured() -> None:
    found = metrics.residuals(np.array([50.0, 60.0, 70.0, 80.0]), np.array([51.0, 63.0, 71.0, 83.0]))
    assert found["bias_deg"] == pytest.approx(2.0)
    assert found["rms_deg"] == pytest.approx(np.sqrt(5))
    assert found["mae_deg"] == pytest.approx(2.0)
    assert found["slope"] == pytest.approx(1.04)
    assert found["galaxies"] == 4


def test_the_last_bin_holds_edge_on_galaxies_and_empty_bins_are_left_out() -> None:
    found = metrics.by_bin(np.array([47.0, 90.0, 88.0]), np.array([49.0, 90.0, 86.0]))
    assert [(b["from_deg"], b["galaxies"], b["bias_deg"]) for b in found] == [(45, 1, 2), (85, 2, -1)]


def test_the_roc_area_is_the_share_of_pairs_ranked_rightly() -> None:
    rejected = np.array([True, True, False, False, False])
    assert metrics.roc_area(rejected, np.array([0.9, 0.4, 0.5, 0.1, 0.4])) == pytest.approx(4.5 / 6)


def test_a_rejector_that_never_rejects_has_no_recall() -> None:
    found = metrics.classification(np.array([True, False]), np.array([0.2, 0.1]))
    assert (found["recall"], found["precision"], found["accuracy"], found["roc_area"]) == (0, 0, 0.5, 1)


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
    found = metrics.coverage(labels[2000:], predictions[:, 2000:], calibration)
    assert found["interval68"] == pytest.approx(0.68, abs=0.03)
    assert found["interval95"] == pytest.approx(0.95, abs=0.02)


def test_one_flavor_alone_has_no_spread() -> None:
    assert metrics.spread(np.array([[60.0, 70.0]])).tolist() == [0, 0]
    assert metrics.spread(np.array([[60.0], [62.0]])).tolist() == pytest.approx([np.sqrt(2)])
