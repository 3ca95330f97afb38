"""Measurements that moderators should look at."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import labellers
from tests.support.measured import said, trusted
from zoo.statistics import calibrate, labels
from zoo.statistics.outliers import outliers


def found(*values: tuple[int, int, float], **change: object) -> list[tuple[int, int]]:
    measurements, calibration = said(*values), trusted(**change)  # type: ignore[arg-type]  # by name, as the test has them
    return [(one.galaxy, one.person) for one in outliers(measurements, calibration, labels(measurements, calibration))]


def test_a_measurement_far_from_the_label_is_told_with_who_said_what() -> None:
    measurements, calibration = said(*((1, n, 60.0 + n) for n in range(5)), (1, 5, 20.0)), trusted()
    (one,) = outliers(measurements, calibration, labels(measurements, calibration))
    assert (one.galaxy, one.person, one.inclination_deg) == (1, 5, 20.0)
    assert one.label_deg == pytest.approx(62, abs=1)
    assert one.residual_deg == pytest.approx(20 - one.label_deg)
    assert one.scales < -5


def test_the_farthest_comes_first_and_what_others_say_is_not_touched() -> None:
    nearby = [(galaxy, n, 80.0 + n) for galaxy in (1, 2) for n in range(5)]
    assert found(*nearby, (1, 5, 45.0), (2, 5, 30.0)) == [(2, 5), (1, 5)]
    assert found(*nearby) == []


def test_whose_bias_is_known_says_nothing_far_off() -> None:
    rows = [*((1, n, 60.0) for n in range(5)), (1, 5, 85.0)]
    assert found(*rows) == [(1, 5)]
    assert found(*rows, bias_deg=np.array([0.0] * 5 + [25.0] + [0.0] * 2)) == []


def test_who_does_not_count_and_galaxies_without_a_label_have_none() -> None:
    rows = [*((1, n, 60.0) for n in range(5)), (1, 5, 10.0)]
    assert found(*rows, quarantined=np.arange(8) == 5) == []
    assert found((1, 1, 10.0), (1, 2, 80.0)) == []


def test_few_measurements_of_harmless_people_are_told() -> None:
    people = labellers.crowd(10, 3, careless=0, vandals=0)
    judged = labellers.campaign(people, labellers.targets(300, 3), 3, people_each=5)
    calibration = calibrate(judged)
    assert len(outliers(judged, calibration, labels(judged, calibration))) < 0.01 * len(judged)
