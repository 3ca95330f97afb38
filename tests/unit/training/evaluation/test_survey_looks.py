from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from training.evaluation import surveys
from training.evaluation.evaluate import Predictions
from training.simulation import scene
from training.simulation.surveys import SURVEYS

if TYPE_CHECKING:
    from numpy.typing import NDArray

COUNT = 5


def brightness(images: NDArray[np.uint8]) -> Predictions:
    """Read an inclination from how bright a picture is: what no two surveys show alike."""
    return Predictions({"one_m0": images.mean(axis=(1, 2, 3)) / 3})


def test_the_same_galaxies_are_seen_by_every_survey_each_in_its_own_way() -> None:
    seen = {name: [scene.draw(surveys.SEED, index, name).truth for index in range(40)] for name in SURVEYS}
    galaxy = ("inclination_deg", "q0", "mu0", "reject")
    for name, truths in seen.items():
        assert {truth["tone_curve"] for truth in truths} == {name}
        assert [[one[key] for key in galaxy] for one in truths] == [
            [one[key] for key in galaxy] for one in seen["sdss"]
        ]


def test_deeper_surveys_have_less_noise() -> None:
    red = {name: survey.noise[1] for name, survey in SURVEYS.items()}
    assert red["hsc"] < red["legacy"] < red["panstarrs"] < red["sdss"] < red["dss"]


def test_a_network_that_reads_the_survey_and_not_the_galaxy_scatters_over_surveys() -> None:
    found = surveys.compare(brightness, COUNT)
    assert set(found["by_survey"]) == set(SURVEYS)
    counted = {one["galaxies"] for one in found["by_survey"].values()}
    assert len(counted) == 1
    assert 0 < counted.pop() <= COUNT
    assert found["spread_deg"] > 1
    steady = surveys.compare(lambda images: Predictions({"one_m0": np.full(len(images), 60.0)}), COUNT)
    assert steady["spread_deg"] == pytest.approx(0)
