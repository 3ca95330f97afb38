"""Which galaxy a person sees next."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.statistics import GalaxyLabel, selection
from zoo.statistics.selection import Candidates, Choice, PersonHistory, Reason, Stage, choose

NOTHING = PersonHistory(np.array([], np.int64), np.array([], np.bool_))


def candidates(targets: int, standards: int = 0, **change: Any) -> Candidates:
    """Targets numbered from 1 that nobody judged, networks sure of all of them alike; standards from 1001."""
    count = targets + standards
    numbers = [*range(1, targets + 1), *range(1001, 1001 + standards)]
    unknown = np.full(count, np.nan)
    plain = Candidates(
        galaxy=np.array(numbers, np.int64),
        is_standard=np.arange(count) >= targets,
        is_test=np.zeros(count, np.bool_),
        people=np.zeros(count, np.int64),
        wanted=np.full(count, 3, np.int64),
        network_deg=np.full(count, 66.0),
        network_spread_deg=np.full(count, 1.0),
        label_deg=unknown,
        label_error_deg=unknown,
        hubble_stage=unknown,
        seconds=np.full(count, 25.0),
    )
    return replace(plain, **change)


def seasoned(*targets: int) -> PersonHistory:
    """Who is calibrated by standards that are shown no more, and judged these targets after them."""
    standards = range(5001, 5031)
    galaxies = np.array([*standards, *targets], np.int64)
    return PersonHistory(galaxies, np.arange(len(galaxies)) < len(standards))


def chosen(what: Candidates, history: PersonHistory, times: int = 400) -> list[Choice]:
    rng = np.random.default_rng(1)
    found = [choose(what, history, rng) for _ in range(times)]
    return [one for one in found if one is not None]


def label(**change: Any) -> GalaxyLabel:
    return replace(GalaxyLabel(1, 60.0, 60.0, 1.5, 60.0, 1.5, 2.0, 3, 3, "", 0.98, 0.01, 0.01), **change)


def test_the_first_thirty_are_standards_and_never_the_same() -> None:
    what, rng = candidates(50, 60), np.random.default_rng(2)
    seen: list[int] = []
    for _ in range(30):
        history = PersonHistory(np.array(seen, np.int64), np.ones(len(seen), np.bool_))
        choice = choose(what, history, rng)
        assert choice is not None
        assert choice.reason is Reason.STANDARD
        seen.append(choice.galaxy)
    assert len(set(seen)) == 30
    after = chosen(what, PersonHistory(np.array(seen, np.int64), np.ones(30, np.bool_)))
    assert {choice.reason for choice in after} == {Reason.STANDARD, Reason.INFORMATIVE}


def test_after_them_shares_are_as_planned() -> None:
    test = np.arange(260) % 10 == 0
    history = seasoned(*range(5100, 5160))
    counts = Counter(one.reason for one in chosen(candidates(200, 60, is_test=test), history, times=6000))
    shares = {reason: counts[reason] / 6000 for reason in Reason}
    assert shares == pytest.approx(
        {
            Reason.STANDARD: 0.10,
            Reason.RETEST: 0.03,
            Reason.TEST_SAMPLE: 0.10,
            Reason.BEGUN: 0.0,
            Reason.INFORMATIVE: 0.77,
        },
        abs=0.015,
    )


def test_the_test_sample_is_chosen_whatever_is_known_of_it() -> None:
    is_test = np.arange(40) < 10
    spread = np.where(np.arange(40) == 3, 30.0, 1.0)
    found = chosen(candidates(40, is_test=is_test, network_spread_deg=spread), seasoned(), times=4000)
    counts = Counter(one.galaxy for one in found if one.reason is Reason.TEST_SAMPLE)
    assert set(counts) == set(range(1, 11))
    assert max(counts.values()) < 2 * min(counts.values())
    assert not {one.galaxy for one in found if one.reason is not Reason.TEST_SAMPLE} & set(counts)


def test_retests_are_of_what_a_person_judged_once_and_not_lately() -> None:
    long_ago, twice, lately = [1, 2, 3], [4, 5] * 2, list(range(100, 130))
    found = chosen(candidates(50), seasoned(*long_ago, *twice, *lately), times=2000)
    assert {one.galaxy for one in found if one.reason is Reason.RETEST} == set(long_ago)
    assert not {one.galaxy for one in found if one.reason is not Reason.RETEST} & {1, 2, 3, 4, 5}


def test_begun_galaxies_come_before_all_others() -> None:
    people = np.where(np.isin(np.arange(30), (7, 9)), 1, 0)
    spread = np.where(np.arange(30) == 3, 30.0, 1.0)
    found = chosen(candidates(30, people=people, network_spread_deg=spread), seasoned())
    assert {(one.galaxy, one.reason) for one in found} == {(8, Reason.BEGUN), (10, Reason.BEGUN)}


def test_what_is_leased_to_enough_people_is_not_given_out() -> None:
    found = chosen(candidates(3, wanted=np.array([0, 0, 1])), seasoned())
    assert {one.galaxy for one in found} == {3}


@pytest.mark.parametrize(
    "change",
    [
        {"network_spread_deg": np.array([1.0, 8.0, 1.0, 1.0])},
        {"label_deg": np.array([66.0, 85.0, 66.0, 66.0]), "label_error_deg": np.full(4, 2.0)},
        {"network_deg": np.array([66.0, 71.0, 66.0, 66.0]), "network_spread_deg": np.full(4, 5.0)},
        {"hubble_stage": np.array([4.0, 8.0, 4.0, 4.0])},
        {"seconds": np.array([25.0, 15.0, 25.0, 25.0])},
    ],
    ids=["networks differ", "people contradict networks", "rare inclination", "rare type", "quick"],
)
def test_one_more_measurement_helps_most_where(change: dict[str, Any]) -> None:
    found = chosen(candidates(4, **change), seasoned(), times=50)
    assert {one.galaxy for one in found} == {2}


def test_a_galaxy_that_people_know_well_gains_little() -> None:
    known = candidates(2, label_deg=np.array([66.0, 66.0]), label_error_deg=np.array([0.5, 5.0]))
    first, second = selection.expected_gain(replace(known, network_spread_deg=np.full(2, 6.0)))
    assert second > 10 * first


def test_where_networks_were_not_asked_a_gain_is_expected_too() -> None:
    gain = selection.expected_gain(candidates(3, network_deg=np.full(3, np.nan), network_spread_deg=np.full(3, np.nan)))
    assert (gain > 0).all()


def test_nothing_is_left_for_who_has_seen_everything() -> None:
    assert choose(candidates(3), seasoned(1, 2, 3), np.random.default_rng(1)) is None
    assert choose(candidates(0), NOTHING, np.random.default_rng(1)) is None
    # standards alone would be no use to anybody
    assert chosen(candidates(0, 40), seasoned()) == []


@pytest.mark.parametrize(
    ("change", "expected", "more"),
    [
        ({}, Stage.DONE, 0),
        ({"error_deg": 2.5}, Stage.OPEN, 1),
        ({"error_deg": 2.5, "people": 7, "measured": 7}, Stage.MODERATOR, 0),
        ({"people": 2, "measured": 2, "median_deg": np.nan}, Stage.OPEN, 1),
        ({"people": 1, "measured": 1, "median_deg": np.nan}, Stage.OPEN, 2),
        ({"people": 3, "measured": 2, "median_deg": np.nan}, Stage.OPEN, 1),
        ({"reject": "face_on", "measured": 0, "measure": 0.01, "face_on": 0.98}, Stage.DONE, 0),
        ({"reject": "face_on", "measured": 1, "measure": 0.6, "face_on": 0.4}, Stage.OPEN, 1),
        ({"people": 5, "measure": 0.4, "unsuitable": 0.6}, Stage.OPEN, 1),
    ],
)
def test_three_people_end_a_galaxy_or_seven_leave_it_to_a_moderator(
    change: dict[str, Any], expected: Stage, more: int
) -> None:
    assert selection.stage(label(**change)) is expected
    assert selection.wanted(label(**change)) == more


def test_six_people_measure_a_galaxy_of_the_test_sample() -> None:
    given = [(people, selection.stage(label(people=people, measured=people), is_test=True)) for people in (3, 5, 6)]
    assert given == [(3, Stage.OPEN), (5, Stage.OPEN), (6, Stage.DONE)]
    assert [selection.wanted(label(people=n, measured=n), is_test=True) for n in (2, 3, 5, 6)] == [1, 3, 1, 0]
    rejected = label(reject="face_on", measured=0, measure=0.01, face_on=0.98)
    assert selection.stage(rejected, is_test=True) is Stage.DONE


def test_a_new_galaxy_is_given_to_three_people_at_once() -> None:
    assert selection.wanted(None) == 3


@given(st.integers(0, 8), st.integers(0, 8), st.lists(st.integers(1, 8), max_size=40), st.integers(0, 2**32))
def test_nobody_is_shown_again_what_is_no_retest(targets: int, standards: int, seen: list[int], seed: int) -> None:
    what = candidates(targets, standards)
    history = seasoned(*seen)
    choice = choose(what, history, np.random.default_rng(seed))
    if choice is None:
        assert set(range(1, targets + 1)) <= set(seen)
    elif choice.reason is Reason.RETEST:
        assert seen.count(choice.galaxy) == 1
    else:
        assert choice.galaxy not in history.galaxy
        assert choice.galaxy in what.galaxy
