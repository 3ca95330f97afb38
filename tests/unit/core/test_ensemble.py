from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.ensemble import Interval, RejectionLikelihood, combine, quorum, rejection_of, warnings
from gateway.core.manifest import Calibration, Quantiles
from gateway.core.models import EnsemblePrediction, FlavorPrediction, RejectorPrediction
from tests.support.manifests import calibration

if TYPE_CHECKING:
    from random import Random

CALIBRATION = calibration(wide=2.5, below=1.8)
BY_INCLINATION = Calibration(
    floor_deg=2.0,
    quantiles=(
        Quantiles(at_deg=10, low68=3, high68=5, low95=8, high95=10, below95=9),
        Quantiles(at_deg=50, low68=1, high68=1, low95=2, high95=2, below95=1.5),
    ),
    galaxies=100,
)

degrees = st.floats(0, 90)
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


@pytest.mark.parametrize(
    ("median", "low", "high"),
    [(10.0, 4.0, 20.0), (5.0, 0.0, 15.0), (30.0, 26.0, 36.0), (50.0, 48.0, 52.0), (80.0, 78.0, 82.0)],
    ids=["at one", "before the first", "halfway", "at another", "behind the last"],
)
def test_intervals_are_those_of_galaxies_of_that_inclination(median: float, low: float, high: float) -> None:
    answer = combine([median], BY_INCLINATION)
    assert answer.interval68_deg == Interval(low, high)


def test_where_the_95_percent_interval_reaches_face_on_there_is_a_bound() -> None:
    assert combine([10.0], BY_INCLINATION).below95_deg == 28.0
    assert combine([50.0], BY_INCLINATION).below95_deg is None
    # 21 - 2 x 6.35 is above 0, 20 - 2 x 6.5 as well, 12 - 2 x 7.7 is not
    assert [combine([at], BY_INCLINATION).below95_deg is None for at in (21.0, 20.0, 12.0)] == [True, True, False]


@given(ensembles, st.sampled_from([CALIBRATION, BY_INCLINATION]))
def test_intervals_nest_around_the_median_and_stay_within_the_label_range(
    values: list[float], calibrated: Calibration
) -> None:
    answer = combine(values, calibrated)
    inner, outer = answer.interval68_deg, answer.interval95_deg
    assert answer.below95_deg is None or answer.median_deg <= answer.below95_deg <= outer.high
    assert 0 <= outer.low <= inner.low <= answer.median_deg <= inner.high <= outer.high <= 90
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
    flavors = tuple(FlavorPrediction(f"vgg6_m{bag}", 1, value) for bag, value in enumerate(values))
    return EnsemblePrediction(flavors, (), missing)


def said(
    *values: float,
    face_on: float = 0.0,
    unsuitable: float = 0.0,
    ellipticity: float | None = None,
    missing: tuple[str, ...] = (),
    lowest_deg: float = 0.0,
) -> str:
    """Return what is said of an ensemble, beside an ellipse that agrees with it unless told otherwise."""
    reached = (lowest_deg, 90.0)
    inclination = combine(values, CALIBRATION, reached)
    rejection = RejectionLikelihood(face_on + unsuitable, face_on, unsuitable)
    fitted = inclination.median_deg if ellipticity is None else ellipticity
    return " ".join(warnings(inclination, rejection, fitted, reading(*values, missing=missing), reached))


@pytest.mark.parametrize("median", [1.0, 30.0, 45.0, 61.0, 90.0])
def test_a_calm_answer_has_no_warnings_at_any_inclination(median: float) -> None:
    assert said(median - 1, median, median + 1) == ""


def test_warnings_say_what_a_careful_reader_should_know() -> None:
    assert "disagree" in said(50.0, 60.0, 70.0)
    assert "axis ratio suggests 80 deg" in said(60.0, ellipticity=80.0)
    assert "vgg6_m3" in said(60.0, missing=("vgg6_m3",))
    unfitted = warnings(combine([60.0], CALIBRATION), None, None, reading(60.0))
    assert "no ellipticity" in " ".join(unfitted)


def test_networks_that_learned_nothing_lower_say_that_the_galaxy_may_be() -> None:
    assert "lower edge" in said(45.5, 46.0, lowest_deg=45.0)
    assert "axis ratio" not in said(46.0, ellipticity=20.0, lowest_deg=45.0)
    assert "still measured" not in said(46.0, face_on=0.8, lowest_deg=45.0)


@pytest.mark.parametrize(
    ("median", "ellipticity", "told"),
    [(5.0, 25.0, False), (25.0, 0.0, False), (12.0, 32.0, True), (40.0, 20.0, True), (32.0, 20.0, False)],
)
def test_an_oval_disc_seen_face_on_is_no_disagreement(median: float, ellipticity: float, *, told: bool) -> None:
    assert ("axis ratio suggests" in said(median, ellipticity=ellipticity)) == told


FACE_ON, UNSUITABLE = "too face-on", "disturbed, crowded, poor or not a spiral"


@pytest.mark.parametrize(
    ("face_on", "unsuitable", "told"),
    [
        (0.3, 0.19, []),
        (0.7, 0.1, ["Probably too face-on (below 45 deg; likelihood 0.70)"]),
        (0.1, 0.7, ["A person would probably reject this image (likelihood 0.70)"]),
        (0.6, 0.3, ["Probably too face-on", "A person would perhaps reject this image (likelihood 0.30)"]),
        (0.3, 0.3, ["Perhaps too face-on", "A person would perhaps reject"]),
    ],
)
def test_a_likely_rejection_is_told_with_its_reason(face_on: float, unsuitable: float, told: list[str]) -> None:
    text = said(20.0, face_on=face_on, unsuitable=unsuitable)
    assert [part for part in told if part not in text] == []
    assert (FACE_ON in text) == any(FACE_ON in part for part in told)
    assert (UNSUITABLE in text) == any("reject" in part for part in told)
    assert ("the inclination itself is still measured" in text) == (FACE_ON in text)


def test_the_likelihoods_of_a_rejection_are_medians_of_their_own() -> None:
    likelihoods = [(0.9, 0.8, 0.1), (0.5, 0.1, 0.4), (0.6, 0.3, 0.3)]
    rejectors = [RejectorPrediction(f"vgg{n}_reject", 1, *one) for n, one in enumerate(likelihoods)]
    assert rejection_of(rejectors) == RejectionLikelihood(median=0.6, face_on=0.3, unsuitable=0.3)
    assert rejection_of([]) is None
