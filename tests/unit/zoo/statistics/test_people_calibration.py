"""How people read, learned from hidden standards: simulated people whose bias, slope and scatter are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support import labellers
from tests.support.labellers import Labeller
from tests.support.measured import joined, said
from zoo.statistics import Flag, Measurements, calibrate
from zoo.statistics.noise import KNOTS_DEG, USUAL_SCATTER_DEG


def of_standards(people: list[Labeller], count: int, seed: int = 3) -> Measurements:
    known = labellers.standards(count, seed)
    return labellers.judged((person, one) for one in known for person in people)


def test_bias_slope_and_scatter_of_each_person_are_found() -> None:
    people = [Labeller(n, *values, seed=n) for n, values in enumerate([(2.0, 0.05, 1.0), (-4.0, -0.15, 1.5)] * 5)]
    found = calibrate(of_standards(people, 200))
    assert found.person.tolist() == list(range(10))
    assert found.calibrated.all()
    assert not found.quarantined.any()
    errors = np.sqrt(np.diagonal(found.covariance, axis1=1, axis2=2))
    for place, name in enumerate(("bias_deg", "slope")):
        pulls = (getattr(found, name) - [getattr(p, name) for p in people]) / errors[:, place]
        # errors that were half or twice the true ones would miss this
        assert 0.5 < np.sqrt(np.mean(np.square(pulls))) < 1.6
    assert found.bias_error_deg == pytest.approx(0.25, abs=0.1)
    ratio = found.scatter[1::2].mean() / found.scatter[::2].mean()
    assert ratio == pytest.approx(1.5, rel=0.1)


def test_the_usual_scatter_is_learned_by_inclination() -> None:
    people = [Labeller(n, seed=9) for n in range(20)]
    known = labellers.standards(300, 5, lowest_deg=5.0)
    found = calibrate(labellers.judged((person, one) for one in known for person in people))
    middle = slice(1, -1)
    assert found.scatter_deg[middle] == pytest.approx(labellers.scatter_deg(KNOTS_DEG[middle]), abs=0.5)


def test_without_standards_nothing_is_known_but_what_is_usual() -> None:
    found = calibrate(said((1, 7, 50.0), (1, 8, 60.0)))
    assert found.bias_deg.tolist() == found.slope.tolist() == [0.0, 0.0]
    assert found.scatter.tolist() == [1.0, 1.0]
    assert found.bias_error_deg.tolist() == [2.0, 2.0]
    assert found.scatter_deg == pytest.approx(USUAL_SCATTER_DEG)
    assert not found.counts.any()


def test_targets_tell_nothing_of_people() -> None:
    people = labellers.crowd(6, 4)
    standards = of_standards(people, 40)
    targets = labellers.judged((person, one) for one in labellers.targets(30, 4) for person in people)
    alone, together = calibrate(standards), calibrate(joined(standards, targets))
    assert together.bias_deg == pytest.approx(alone.bias_deg)
    assert together.standards.tolist() == alone.standards.tolist() == [40] * 6


def test_a_person_is_calibrated_by_thirty_different_standards() -> None:
    person = [Labeller(1)]
    assert not calibrate(of_standards(person, 29)).counts[0]
    assert not calibrate(joined(*[of_standards(person, 29)] * 2)).counts[0]
    assert calibrate(of_standards(person, 30)).counts[0]


def test_everything_said_twice_changes_no_calibration() -> None:
    people = labellers.crowd(5, 8)
    once = of_standards(people, 40)
    twice = calibrate(joined(once, once))
    for name in ("bias_deg", "slope", "scatter", "standards", "scatter_deg"):
        np.testing.assert_allclose(getattr(twice, name), getattr(calibrate(once), name))


def test_who_adds_a_constant_has_that_much_more_bias() -> None:
    known = [g for g in labellers.standards(200, 6) if g.inclination_deg < 75]
    plain = labellers.judged((Labeller(1, scatter=0.5), one) for one in known)
    more = replace(plain, inclination_deg=plain.inclination_deg + 4)
    shift = calibrate(more).bias_deg[0] - calibrate(plain).bias_deg[0]
    # the prior draws a bias a little to nothing
    assert 3.8 < shift <= 4


@pytest.mark.parametrize("lowest_deg", [0.0, 45.0])
def test_a_vandal_is_found_among_thirty_standards_and_honest_people_are_not(lowest_deg: float) -> None:
    caught = []
    for seed in range(20):
        people = labellers.crowd(12, seed, careless=1, vandals=1, lowest_deg=lowest_deg)
        known = labellers.standards(30, seed, lowest_deg=lowest_deg)
        found = calibrate(labellers.judged((person, one) for one in known for person in people))
        assert not found.quarantined[:10].any()
        caught.append(found.quarantined[-1])
    assert sum(caught) >= 19


@pytest.mark.parametrize("answer", [67.5, Flag.DISTURBED], ids=["says the same of everything", "rejects everything"])
def test_who_does_not_look_is_quarantined(answer: float | Flag) -> None:
    known = labellers.standards(40, 2, lowest_deg=10.0)
    rows = [said((g.number, 1, answer), truth_deg=g.inclination_deg) for g in known]
    assert calibrate(joined(*rows)).quarantined.tolist() == [True]


def test_who_begins_to_fail_is_found_whatever_was_before() -> None:
    good = labellers.judged((Labeller(1), one) for one in labellers.standards(300, 1))
    bad = labellers.judged((Labeller(1, carelessness=1), one) for one in labellers.standards(40, 2, first=5_000))
    found = calibrate(joined(good, bad))
    assert found.quarantined.tolist() == [True]
    assert not calibrate(joined(bad, good)).quarantined[0]
