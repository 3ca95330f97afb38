"""How far simulated people agree with each other and with themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.support import labellers
from tests.support.labellers import Labeller
from tests.support.measured import joined, said
from zoo.statistics import Measurements, agreement, calibrate, differences, retests


def alike(people: int, galaxies: int, *, deg: float = 3.0) -> Measurements:
    rng = np.random.default_rng(5)
    return said(
        *((g, p, float(np.clip(60 + rng.normal(0, deg), 0, 90))) for g in range(galaxies) for p in range(people))
    )


def test_the_noise_of_a_label_is_that_of_the_median_of_so_many_people() -> None:
    judged = alike(12, 300)
    one, three = agreement(judged), agreement(judged, people_a_side=3)
    # the variance of the median of three gaussian numbers is 0.4487 (Sarhan & Greenberg 1962, table 10C.1)
    assert one.noise_deg == pytest.approx(3.0, rel=0.05)
    assert three.noise_deg == pytest.approx(3.0 * math.sqrt(0.4487), rel=0.05)
    assert (one.galaxies, three.galaxies, three.people_a_side) == (300, 300, 3)
    assert three.rms_deg == pytest.approx(three.noise_deg * math.sqrt(2))


def test_no_difference_is_clipped() -> None:
    found = agreement(said((1, 1, 90.0), (1, 2, 0.0), (2, 1, 50.0), (2, 2, 50.0)))
    assert found.rms_deg == pytest.approx(90 / math.sqrt(2))
    assert [(one.from_deg, one.rms_deg, one.galaxies) for one in found.bins] == [(45, 90, 1), (50, 0, 1)]


def test_nobody_is_on_both_sides() -> None:
    # two people who differ by 10 deg always: a person on both sides would lessen it
    found = agreement(said(*((g, p, 50.0 + 10 * p) for g in range(20) for p in (0, 1))))
    assert found.rms_deg == pytest.approx(10)
    assert found.spread_deg == pytest.approx(0)


def test_galaxies_without_enough_people_on_both_sides_are_not_compared() -> None:
    found = agreement(said((1, 1, 60.0), (1, 2, 62.0)), people_a_side=2)
    assert (found.galaxies, found.bins) == (0, ())
    assert math.isnan(found.noise_deg)


def test_calibrated_people_agree_better() -> None:
    people = [Labeller(n, bias_deg=(-4, 4)[n % 2], scatter=0.5, seed=2) for n in range(8)]
    galaxies = labellers.targets(150, 2, rejected=0.1)
    judged = labellers.campaign(people, galaxies, 2, people_each=6)
    calibration = calibrate(judged)
    raw, corrected = agreement(judged), agreement(judged, calibration)
    assert corrected.noise_deg < 0.6 * raw.noise_deg


def test_the_same_person_again_scatters_by_what_is_new() -> None:
    people = [Labeller(n, bias_deg=3.0 * n, seed=4) for n in range(3)]
    galaxies = labellers.targets(400, 4, rejected=0.0)
    pairs = [(person, one) for one in galaxies if one.inclination_deg < 75 for person in people]
    first, second = (labellers.judged(pairs, time=time) for time in (0, 1))
    both = joined(first, second)
    noise = np.sqrt(np.mean([labellers.scatter_deg(g.inclination_deg) ** 2 for _, g in pairs]))
    assert retests(both).noise_deg == pytest.approx(labellers.AGAIN * noise, rel=0.12)
    assert math.isnan(retests(first).noise_deg)


def test_networks_are_compared_where_both_know_something() -> None:
    found = differences(np.array([61.0, 72.0, np.nan]), np.array([60.0, 70.0, 50.0]))
    assert (found.galaxies, found.bias_deg) == (2, 1.5)
    assert found.rms_deg == pytest.approx(math.sqrt(2.5))
    assert [one.bias_deg for one in found.bins] == [1.0, 2.0]
