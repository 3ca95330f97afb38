from __future__ import annotations

import math

import numpy as np
import pytest

from training.evaluation import metrics


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


def test_one_flavor_alone_has_no_spread() -> None:
    assert metrics.spread(np.array([[60.0, 70.0]])).tolist() == [0, 0]
    assert metrics.spread(np.array([[60.0], [62.0]])).tolist() == pytest.approx([np.sqrt(2)])


def test_the_errors_of_a_gaussian_sample_are_those_of_the_textbook() -> None:
    labels = np.random.default_rng(1).uniform(45, 90, 800)
    found = metrics.bootstrap_errors(labels, labels + np.random.default_rng(2).normal(0, 3, 800))
    assert found["rms_error_deg"] == pytest.approx(3 / math.sqrt(1600), rel=0.15)
    assert found["bias_error_deg"] == pytest.approx(3 / math.sqrt(800), rel=0.1)


def test_a_single_outlier_makes_the_error_of_the_rms_larger_than_the_textbooks() -> None:
    labels = np.full(100, 60.0)
    predicted = labels + np.where(np.arange(100) == 0, 30.0, 1.0)
    rms = metrics.residuals(labels, predicted)["rms_deg"]
    assert metrics.bootstrap_errors(labels, predicted)["rms_error_deg"] > 3 * rms / math.sqrt(200)


def test_one_galaxy_has_no_error() -> None:
    assert math.isnan(metrics.bootstrap_errors(np.array([60.0]), np.array([61.0]))["rms_error_deg"])


def test_the_error_of_a_roc_area_is_hanley_and_mcneils() -> None:
    # their example: 51 abnormal, 58 normal, area 0.893 with standard error 0.032
    assert metrics.roc_area_error(0.893, 51, 58) == pytest.approx(0.032, abs=0.001)
