"""Labels of what simulated people say of galaxies whose inclinations are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import labellers
from tests.support.measured import joined, said, trusted
from zoo.statistics import Flag, GalaxyLabel, Measurements, PeopleCalibration, calibrate, labels

pytestmark = pytest.mark.slow


def one(*values: float | Flag, calibration: PeopleCalibration | None = None) -> GalaxyLabel:
    (label,) = labels(said(*((1, person, value) for person, value in enumerate(values))), calibration or trusted())
    return label


def test_a_label_is_the_probable_mean_of_at_least_three_people_beside_median_and_huber_mean() -> None:
    label = one(60.0, 63.0, 61.0)
    assert (label.median_deg, label.people, label.measured, label.reject) == (61.0, 3, 3, "")
    assert label.inclination_deg == label.mean_deg == pytest.approx(61.3, abs=0.2)
    assert label.huber_deg == pytest.approx(61.3, abs=0.1)
    assert label.scatter_deg == pytest.approx(np.std([60, 63, 61], ddof=1))
    two = one(60.0, 63.0)
    assert np.isnan([two.inclination_deg, two.median_deg]).all()
    assert two.huber_deg == pytest.approx(61.5, abs=0.1)
    assert two.mean_deg == pytest.approx(61.5, abs=0.5)
    assert two.error_deg > label.error_deg
    assert two.huber_error_deg > label.huber_error_deg


def test_an_outlier_pulls_no_harder_than_a_little_one() -> None:
    assert one(70.0, 70.5, 71.0, 71.5, 10.0).huber_deg == one(70.0, 70.5, 71.0, 71.5, 40.0).huber_deg > 69
    assert one(70.0, 70.5, 71.0, 71.5, 10.0).mean_deg > one(70.0, 70.5, 71.0, 71.5, 55.0).mean_deg > 69


def test_people_who_disagree_make_a_larger_error() -> None:
    apart, together = one(60.0, 75.0, 67.0), one(67.0, 67.0, 67.0)
    assert apart.error_deg > 1.1 * together.error_deg
    assert apart.huber_error_deg > 1.1 * together.huber_error_deg


def test_what_is_known_of_a_person_is_taken_out() -> None:
    known = trusted(bias_deg=np.full(8, 2.0), slope=np.full(8, 0.1))
    # 80 deg are read as 80 + 2 + 0.1 x 12.5
    label = one(83.25, 83.25, 83.25, calibration=known)
    assert label.median_deg == label.huber_deg == pytest.approx(80.0)
    assert label.inclination_deg == pytest.approx(80.0, abs=0.5)


def test_exact_people_count_more_and_little_known_ones_less() -> None:
    exact = trusted(scatter=np.array([0.3, *[1.0] * 7]))
    assert one(60.0, 62.0, 62.0, calibration=exact).mean_deg < 61
    assert one(60.0, 62.0, 62.0, calibration=exact).huber_deg < 61
    unknown = trusted(covariance=np.stack([np.diag([100.0, 0.0]), *[np.zeros((2, 2))] * 7]))
    assert one(60.0, 62.0, 62.0, calibration=unknown).huber_deg > 61.7


def test_only_people_who_are_calibrated_and_not_quarantined_count() -> None:
    calibrated, quarantined = np.arange(8) != 3, np.arange(8) == 4
    known = trusted(calibrated=calibrated, quarantined=quarantined)
    label = one(60.0, 61.0, 62.0, 10.0, 10.0, calibration=known)
    assert (label.people, label.median_deg) == (3, 61.0)


def test_half_of_the_people_reject_a_galaxy_for_what_most_of_them_say() -> None:
    label = one(60.0, 61.0, Flag.FACE_ON, Flag.DISTURBED, Flag.FACE_ON)
    assert (label.reject, label.people, label.measured) == ("face_on", 5, 2)
    assert np.isnan(label.inclination_deg)
    assert label.face_on > label.unsuitable
    assert one(Flag.POOR_IMAGE, Flag.AMBIGUOUS, Flag.FACE_ON).reject == "unsuitable"
    assert one(60.0, 61.0, 62.0, Flag.FACE_ON).reject == ""
    # two people are too few
    assert one(Flag.FACE_ON, Flag.FACE_ON).reject == ""


def test_who_reads_edge_on_for_everything_beyond_the_scale_does_not_pull_down() -> None:
    known = trusted(bias_deg=np.array([4.0, *[0.0] * 7]))
    # without bias an answer of 86 deg would be of the same corrected value
    assert one(90.0, 89.0, 89.0, 89.0, calibration=known).mean_deg > one(86.0, 89.0, 89.0, 89.0).mean_deg + 0.3


@pytest.mark.parametrize("people_each", [3, 5])
def test_labels_are_within_a_tenth_of_the_best_possible(people_each: int) -> None:
    ours, best = [], []
    for seed in range(50, 60):
        people = labellers.crowd(12, seed)
        galaxies = labellers.targets(300, seed, rejected=0.0)
        judged = labellers.campaign(people, galaxies, seed, people_each=people_each, known=60)
        calibration = calibrate(judged)
        assert calibration.person[calibration.quarantined].tolist() == [12]
        counted = judged.where(calibration.counted(judged))
        found = {label.galaxy: label.inclination_deg for label in labels(judged, calibration)}
        for number, estimate in zip(*labellers.best_possible_deg(people, counted), strict=True):
            truth = galaxies[number - 1].inclination_deg
            if np.isfinite(found.get(int(number), np.nan)):
                ours.append(found[int(number)] - truth)
                best.append(estimate - truth)
    assert len(ours) > 1800
    ratio = np.sqrt(np.mean(np.square(ours)) / np.mean(np.square(best)))
    assert 1 <= ratio < 1.07


def test_two_thirds_of_the_labels_lie_within_their_error() -> None:
    people = labellers.crowd(10, 60, vandals=0)
    galaxies = labellers.targets(600, 60, rejected=0.0)
    judged = labellers.campaign(people, galaxies, 60, people_each=4)
    found = [label for label in labels(judged, calibrate(judged)) if not np.isnan(label.inclination_deg)]
    truth = np.array([galaxies[label.galaxy - 1].inclination_deg for label in found])
    pull = (np.array([label.inclination_deg for label in found]) - truth) / [label.error_deg for label in found]
    assert np.mean(np.abs(pull) < 1) == pytest.approx(0.683, abs=0.05)


answers = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.integers(0, 7),
        st.one_of(st.floats(20, 70).map(lambda deg: round(deg, 2)), st.sampled_from([Flag.FACE_ON, Flag.AMBIGUOUS])),
    ),
    min_size=1,
    max_size=40,
)


def figures(found: list[GalaxyLabel]) -> np.ndarray:
    names = (
        "huber_deg",
        "median_deg",
        "mean_deg",
        "huber_error_deg",
        "error_deg",
        "scatter_deg",
        "people",
        "measured",
        "measure",
        "face_on",
    )
    return np.array([[getattr(label, name) for name in names] for label in found], np.float64)


@given(answers)
def test_a_constant_that_everybody_adds_is_added_to_the_label(rows: list[tuple[int, int, float | Flag]]) -> None:
    level = trusted(scatter_deg=np.full(8, 3.0))
    plain = said(*rows)
    more = replace(plain, inclination_deg=plain.inclination_deg + 7)
    expected = figures(labels(plain, level))
    expected[:, :2] += 7
    found = figures(labels(more, level))
    # the ends of the scale do not move along
    expected[:, [2, 4]] = found[:, [2, 4]]
    np.testing.assert_allclose(found, expected, atol=1e-6)


@given(answers, st.permutations(range(8)), st.randoms(use_true_random=False))
def test_neither_the_numbers_of_people_nor_the_order_of_rows_matter(
    rows: list[tuple[int, int, float | Flag]], numbers: list[int], random: object
) -> None:
    renamed = [(galaxy, numbers[person], what) for galaxy, person, what in rows]
    random.shuffle(renamed)  # type: ignore[attr-defined]  # hypothesis' own, for which it has no type
    np.testing.assert_allclose(figures(labels(said(*renamed), trusted())), figures(labels(said(*rows), trusted())))


@given(answers)
@settings(max_examples=50)
def test_what_is_said_twice_does_not_count_twice(rows: list[tuple[int, int, float | Flag]]) -> None:
    once: Measurements = said(*rows)
    np.testing.assert_allclose(
        figures(labels(joined(once, once), trusted())), figures(labels(once, trusted())), atol=1e-9
    )
