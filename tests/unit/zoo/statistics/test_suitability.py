"""Whether galaxies can be measured, by simulated people whose confusions are known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import labellers
from tests.support.labellers import Labeller
from tests.support.measured import joined, said
from zoo.statistics import Flag
from zoo.statistics.suitability import FACE_ON, MEASURE, UNSUITABLE, suitability

CAREFUL = ((0.96, 0.02, 0.02), (0.08, 0.86, 0.06), (0.10, 0.05, 0.85))
HASTY = ((0.80, 0.05, 0.15), (0.50, 0.40, 0.10), (0.60, 0.05, 0.35))


def test_known_confusions_of_people_are_recovered() -> None:
    people = [Labeller(n, confusion=CAREFUL if n < 4 else HASTY, seed=5) for n in range(8)]
    galaxies = labellers.targets(1200, 5, rejected=0.4)
    found = suitability(labellers.judged((person, one) for one in galaxies for person in people))
    assert found.confusion[:4].mean(0) == pytest.approx(np.array(CAREFUL), abs=0.03)
    assert found.confusion[4:].mean(0) == pytest.approx(np.array(HASTY), abs=0.04)
    kinds = np.array([one.kind for one in galaxies])
    assert np.mean(found.probability.argmax(1) == kinds) > 0.98
    assert found.probability.sum(1) == pytest.approx(1)


def test_careful_people_outweigh_as_many_hasty_ones() -> None:
    people = [Labeller(n, confusion=CAREFUL if n < 2 else HASTY, seed=6) for n in range(4)]
    galaxies = labellers.targets(1500, 6, rejected=0.4)
    judged = labellers.judged((person, one) for one in galaxies for person in people)
    found = suitability(judged)
    kinds = np.array([one.kind for one in galaxies])
    measured = np.isfinite(judged.inclination_deg).reshape(len(galaxies), 4)
    half_rule = np.where(2 * measured.sum(1) > 4, MEASURE, -1) == MEASURE
    better = np.mean((found.probability.argmax(1) == MEASURE) == (kinds == MEASURE))
    assert better > np.mean(half_rule == (kinds == MEASURE)) + 0.01


def test_probabilities_lie_with_what_people_agree_on() -> None:
    found = suitability(
        said(
            *((1, person, 60.0) for person in range(4)),
            *((2, person, Flag.FACE_ON) for person in range(4)),
            *((3, person, flag) for person, flag in enumerate([Flag.POOR_IMAGE, Flag.DISTURBED, Flag.AMBIGUOUS])),
        )
    )
    assert found.probability.argmax(1).tolist() == [MEASURE, FACE_ON, UNSUITABLE]
    assert found.probability.max(1).min() > 0.95


def test_who_rejects_standards_is_believed_less() -> None:
    rejecting = said(*((n, 1, Flag.POOR_IMAGE) for n in range(100, 140)), truth_deg=60.0)
    plain = said((1, 1, Flag.POOR_IMAGE), (1, 2, 60.0))
    assert suitability(joined(rejecting, plain)).probability[0, MEASURE] > suitability(plain).probability[0, MEASURE]
