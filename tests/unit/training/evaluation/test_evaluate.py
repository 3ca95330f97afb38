"""What a report says of predictions, without any network."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tests.support.labelled_galaxies import CALIBRATION, galaxies, predictions
from training.data.dataset import RealGalaxy
from training.evaluation import evaluate, metrics
from training.evaluation.evaluate import Predictions


def test_the_report_holds_every_way_to_combine_the_networks() -> None:
    rows = galaxies()
    said = predictions(rows)
    report = evaluate.report(rows, said, CALIBRATION)
    labels = np.array([row.inclination_deg for row in rows[:60]])
    stacked = said.stacked[:, :60]
    assert report["ensemble"]["median"]["rms_deg"] == pytest.approx(
        np.sqrt(np.mean((np.median(stacked, axis=0) - labels) ** 2))
    )
    assert report["ensemble"]["mean"]["bias_deg"] == pytest.approx((stacked.mean(axis=0) - labels).mean())
    wide = np.median([values[:60] for name, values in said.flavors.items() if name.startswith("wide")], axis=0)
    assert report["architectures"]["wide"]["mae_deg"] == pytest.approx(np.abs(wide - labels).mean())
    assert list(report["architectures"]) == ["deep", "wide"]
    assert list(report["flavors"]) == list(said.flavors)
    assert sum(found["galaxies"] for found in report["flavors"]["deep_m1"]["bins"]) == 60


def test_galaxies_that_the_rejectors_accept_are_measured_by_themselves() -> None:
    rows = galaxies(4, rejected=0)
    said = Predictions(
        {"a_m0": np.add([row.inclination_deg for row in rows], [1.0, 1.0, 9.0, 9.0])},
        {"a_reject": np.array([0.1, 0.4, 0.6, 0.9]), "b_reject": np.array([0.2, 0.5, 0.5, 0.9])},
    )
    accepted = evaluate.report(rows, said)["ensemble"]["accepted"]
    assert (accepted["galaxies"], accepted["rms_deg"]) == (2, pytest.approx(1.0))


def test_the_two_reasons_to_reject_are_told_apart() -> None:
    report = evaluate.report(galaxies(), predictions(galaxies()))["rejectors"]
    assert set(report) == {"deep_reject", "wide_reject", "ensemble"}
    assert report["ensemble"]["roc_area_face_on"] > 0.95
    assert report["ensemble"]["roc_area_unsuitable"] == pytest.approx(0.5, abs=0.25)
    assert report["ensemble"]["rejected_face_on"] == 10
    assert report["ensemble"]["kept"] == 60


def test_a_reason_that_nobody_knows_still_counts_as_a_rejection() -> None:
    rows = [*galaxies(4, rejected=0), RealGalaxy(9, Path("9.jpg"), math.nan, "rejected")]
    said = Predictions({"a_m0": np.full(5, 60.0)}, {"a_reject": np.array([0.1, 0.1, 0.1, 0.6, 0.9])})
    found = evaluate.report(rows, said)["rejectors"]["a_reject"]
    assert (found["rejected"], found["recall"], found["precision"], found["accuracy"]) == (1, 1, 0.5, 0.8)
    assert math.isnan(found["roc_area_face_on"])


def test_the_intervals_are_those_that_the_gateway_serves() -> None:
    rows = galaxies()
    said = predictions(rows)
    served = evaluate.intervals(said, CALIBRATION)
    assert served.high95.max() <= 90
    assert (served.low95 <= served.low68).all()
    report = evaluate.report(rows, said, CALIBRATION)["coverage"]
    labels = np.array([row.inclination_deg for row in rows[:60]])
    errors = metrics.normalised_errors(labels, said.stacked[:, :60], CALIBRATION.floor_deg)
    assert report["interval68"] == np.mean(errors <= CALIBRATION.quantiles[0].high68)
    assert report["interval95_width_deg"] == pytest.approx((served.high95 - served.low95)[:60].mean())
    assert report["interval68_error"] == pytest.approx(
        math.sqrt(report["interval68"] * (1 - report["interval68"]) / 60), rel=0.1
    )


def test_that_all_of_a_few_galaxies_lie_inside_is_no_certainty() -> None:
    rows = galaxies(10, rejected=0)
    said = Predictions({"a_m0": np.array([row.inclination_deg for row in rows])})
    found = evaluate.report(rows, said, CALIBRATION)["coverage"]
    assert found["interval95"] == 1
    assert found["interval95_error"] == pytest.approx(math.sqrt(12 / 14 * 2 / 14 / 14))


def test_the_report_measures_what_the_labels_allow() -> None:
    galaxies = [
        RealGalaxy(1, Path(), 60.0, "", axis_ratio_deg=66),
        RealGalaxy(2, Path(), 80.0, ""),
        RealGalaxy(3, Path(), float("nan"), "face_on"),
    ]
    said = Predictions(
        {"a1_m0": np.array([61.0, 80.0, 47.0]), "a1_m1": np.array([63.0, 80.0, 47.0])},
        {"a1_reject": np.array([0.1, 0.2, 0.9])},
    )
    report = evaluate.report(galaxies, said)
    assert report["ensemble"]["median"]["bias_deg"] == pytest.approx(1.0)
    assert report["flavors"]["a1_m0"]["rms_deg"] == pytest.approx(np.sqrt(0.5))
    assert report["axis_ratio"]["bias_deg"] == pytest.approx(6.0)
    assert report["rejectors"]["a1_reject"]["roc_area"] == 1
