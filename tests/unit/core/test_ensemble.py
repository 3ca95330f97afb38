from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.ensemble import Interval, combine, quorum, warnings
from gateway.core.manifest import Calibration
from gateway.core.models import EnsemblePrediction, ModelPrediction

if TYPE_CHECKING:
    from random import Random

CALIBRATION = Calibration(floor_deg=2.0, quantile68=1.0, quantile95=2.5, galaxies=100)

degrees = st.floats(45, 90)
ensembles = st.lists(degrees, min_size=1, max_size=12)


def test_the_answer_of_a_known_ensemble() -> None:
    answer = combine([60.0, 62.0, 61.0, 70.0], CALIBRATION)
    assert answer.median_deg == 61.5
    assert answer.mean_deg == 63.25
    assert answer.stdev_deg == pytest.approx(4.5735, abs=1e-4)
    half = math.hypot(2.0, 4.5735)
    assert answer.interval68_deg.low == pytest.approx(61.5 - half, abs=1e-3)
    assert answer.interval95_deg.high == pytest.approx(61.5 + 2.5 * half, abs=1e-3)
    assert answer.range_deg == Interval(60.0, 70.0)


@given(ensembles)
def test_intervals_nest_around_the_median_and_stay_within_the_label_range(values: list[float]) -> None:
    answer = combine(values, CALIBRATION)
    inner, outer = answer.interval68_deg, answer.interval95_deg
    assert 45 <= outer.low <= inner.low <= answer.median_deg <= inner.high <= outer.high <= 90
    assert answer.range_deg.low <= answer.median_deg <= answer.range_deg.high


@given(ensembles, st.randoms())
def test_the_order_of_the_flavors_does_not_matter(values: list[float], chance: Random) -> None:
    shuffled = list(values)
    chance.shuffle(shuffled)
    one, other = combine(values, CALIBRATION), combine(shuffled, CALIBRATION)
    assert one.median_deg == other.median_deg
    assert one.stdev_deg == pytest.approx(other.stdev_deg)


@given(st.lists(degrees, min_size=5, max_size=12), st.floats(-1e6, 1e6))
def test_one_mad_flavor_can_not_carry_the_median_away(values: list[float], mad: float) -> None:
    spoiled = combine([*values, mad], CALIBRATION).median_deg
    assert min(values) <= spoiled <= max(values)


@given(ensembles)
def test_a_wider_spread_never_narrows_the_interval(values: list[float]) -> None:
    calm = combine([statistics.median(values)] * 2, CALIBRATION, (-1e9, 1e9))
    wild = combine(values, CALIBRATION, (-1e9, 1e9))
    width = wild.interval68_deg.high - wild.interval68_deg.low
    assert width >= calm.interval68_deg.high - calm.interval68_deg.low - 1e-6


@pytest.mark.parametrize("values", [[], [60.0, math.nan], [math.inf]])
def test_nothing_and_nonsense_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="flavor"):
        combine(values, CALIBRATION)


@pytest.mark.parametrize(
    ("fraction", "flavors", "needed"),
    [(2 / 3, 4, 3), (2 / 3, 12, 8), (2 / 3, 3, 2), (1.0, 4, 4), (0.01, 4, 1), (0.5, 4, 2)],
)
def test_the_quorum_is_the_fraction_rounded_up(fraction: float, flavors: int, needed: int) -> None:
    assert quorum(fraction, flavors) == needed


def reading(*values: float, missing: tuple[str, ...] = ()) -> EnsemblePrediction:
    flavors = tuple(ModelPrediction(f"vgg6_m{bag}", 1, value) for bag, value in enumerate(values))
    return EnsemblePrediction(flavors, (), missing)


def said(
    *values: float, rejection: float = 0.0, ellipticity: float | None = 60.0, missing: tuple[str, ...] = ()
) -> str:
    return " ".join(warnings(combine(values, CALIBRATION), rejection, ellipticity, reading(*values, missing=missing)))


def test_a_calm_answer_has_no_warnings() -> None:
    assert said(60.0, 61.0, 62.0) == ""


def test_warnings_say_what_a_careful_reader_should_know() -> None:
    assert "lower edge" in said(45.5, 46.0, ellipticity=45)
    assert "disagree" in said(50.0, 60.0, 70.0)
    assert "probably reject" in said(60.0, rejection=0.7)
    assert "no ellipticity" in said(60.0, ellipticity=None)
    assert "axis ratio suggests 80 deg" in said(60.0, ellipticity=80.0)
    assert "vgg6_m3" in said(60.0, missing=("vgg6_m3",))


def test_a_face_on_ellipse_agrees_with_networks_that_can_not_say_less_than_45() -> None:
    assert "axis ratio" not in said(46.0, ellipticity=20.0)
