"""Which galaxy a person sees next: where one more measurement is expected to help most."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from zoo.statistics import noise
from zoo.statistics.calibration import CALIBRATED_AFTER
from zoo.statistics.labels import FEWEST_PEOPLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from zoo.statistics.labels import GalaxyLabel

STANDARDS_SHARE, RETESTS_SHARE, TEST_SHARE = 0.10, 0.03, 0.10

MOST_PEOPLE, PEOPLE_OF_TEST = 7, 6
ENOUGH_DEG = 2.0
"""An error under this ends a galaxy."""

DOUBT = 0.5
"""A galaxy stays open where its probability of being measurable contradicts what half of the people say."""

RETEST_AFTER = 30
"""Galaxies that a person judges before one is shown again, so that the answer is not remembered."""

_UNKNOWN_DEG, _FLOOR_DEG = 6.0, 2.0
"""What networks may be wrong by where they were not asked, and where all of them agree."""

_RAREST = 4.0


class Reason(StrEnum):
    """Why a galaxy was chosen."""

    STANDARD = "standard"
    RETEST = "retest"
    TEST_SAMPLE = "test_sample"
    BEGUN = "begun"
    INFORMATIVE = "informative"


class Stage(StrEnum):
    """Where the work on a galaxy stands."""

    OPEN = "open"
    DONE = "done"
    MODERATOR = "moderator"


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Galaxies that may be shown, as parallel arrays: hidden standards and targets that are open.

    Attributes
    ----------
    galaxy : ndarray of int64 ``[N]``
    is_standard : ndarray of bool ``[N]``
    is_test : ndarray of bool ``[N]``
        Member of the unbiased test sample, decided once and by nothing that was measured, such as
        ``training.data.dataset.split_of(number) == "test"``.
    people : ndarray of int64 ``[N]``
        Counted people who judged it, and everybody who has it leased now.
    wanted : ndarray of int64 ``[N]``
        How many more people may judge it at once: :func:`wanted` of its label, without those who have it leased.
    network_deg, network_spread_deg : ndarray of float64 ``[N]``
        Median and standard deviation of the networks; NaN where they were not asked.
    label_deg, label_error_deg : ndarray of float64 ``[N]``
        ``mean_deg`` and ``error_deg`` of its label; NaN where nobody measured it.
    hubble_stage : ndarray of float64 ``[N]``
        NaN where unknown.
    seconds : ndarray of float64 ``[N]``
        How long a person is expected to need.
    """

    galaxy: NDArray[np.int64]
    is_standard: NDArray[np.bool_]
    is_test: NDArray[np.bool_]
    people: NDArray[np.int64]
    wanted: NDArray[np.int64]
    network_deg: NDArray[np.float64]
    network_spread_deg: NDArray[np.float64]
    label_deg: NDArray[np.float64]
    label_error_deg: NDArray[np.float64]
    hubble_stage: NDArray[np.float64]
    seconds: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PersonHistory:
    """What a person has judged (and has leased), oldest first.

    Attributes
    ----------
    galaxy : ndarray of int64 ``[N]``
        Once for each time.
    is_standard : ndarray of bool ``[N]``
    """

    galaxy: NDArray[np.int64]
    is_standard: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Choice:
    """The galaxy to show, and why it was chosen."""

    galaxy: int
    reason: Reason


def stage(label: GalaxyLabel, *, is_test: bool = False) -> Stage:
    """Return whether a galaxy needs more people, is done, or is left to a moderator.

    Three people end a galaxy where the error of its mean is under 2 deg, or where its rejection is beyond doubt; what
    seven people did not end is for a moderator. Six measure a galaxy of the test sample, easy or not: of others only
    the hard ones have enough people for two groups of three, and would tell too large a noise of labels.
    """
    fewest = PEOPLE_OF_TEST if is_test else FEWEST_PEOPLE
    measured = label.measured >= fewest and not label.reject and label.error_deg < ENOUGH_DEG
    sure = label.measure < DOUBT if label.reject else label.measure > DOUBT
    if label.people >= FEWEST_PEOPLE and sure and (measured or label.reject):
        return Stage.DONE
    return Stage.MODERATOR if label.people >= MOST_PEOPLE else Stage.OPEN


def wanted(label: GalaxyLabel | None, *, is_test: bool = False) -> int:
    """Return how many more people may judge a galaxy at once; None stands for one that nobody judged.

    Three at first, and three more of the test sample; each one after that is asked when what the others said is known.
    """
    if label is None:
        return FEWEST_PEOPLE
    if stage(label, is_test=is_test) is not Stage.OPEN:
        return 0
    fewest = PEOPLE_OF_TEST if is_test and label.people >= FEWEST_PEOPLE else FEWEST_PEOPLE
    return max(fewest - label.people, 1)


def expected_gain(candidates: Candidates) -> NDArray[np.float64]:
    """Return by how many square degrees a second one more measurement is expected to reduce the error of networks.

    What networks may be wrong by is the variance of their answers, or what they differ from people by, whichever
    is larger. A measurement of variance t leaves ``v t / (v + t)`` of a variance v. Inclinations (by 5 deg) and Hubble
    stages that few candidates have count more, four times as much at most.
    """
    known = np.isfinite(candidates.network_deg)
    inclination = np.where(known, candidates.network_deg, candidates.label_deg)
    spread = np.where(np.isfinite(candidates.network_spread_deg), candidates.network_spread_deg, _UNKNOWN_DEG)
    disagreement = np.square(candidates.label_deg - candidates.network_deg) - np.square(candidates.label_error_deg)
    belief = np.fmax(np.square(spread) + _FLOOR_DEG**2, disagreement)
    measured = np.fmin(np.square(candidates.label_error_deg), np.inf)
    # what people know already is known: a label's error is what is left
    variance = 1 / (1 / belief + 1 / measured)
    one = 2 * np.square(noise.scale(np.nan_to_num(inclination, nan=noise.PIVOT_DEG), noise.USUAL_SCATTER_DEG))
    gain = np.square(variance) / (variance + one)
    rarity = _rarity(inclination // 5) * _rarity(np.round(candidates.hubble_stage))
    return np.asarray(gain * np.minimum(rarity, _RAREST) / candidates.seconds, np.float64)


def _rarity(kind: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the root of how much rarer than the average a galaxy's kind is; 1 where it is unknown."""
    found = np.ones(len(kind))
    known = np.isfinite(kind)
    if known.any():
        _, at, counts = np.unique(kind[known], return_inverse=True, return_counts=True)
        found[known] = np.sqrt(counts.mean() / counts[at])
    return found


def choose(candidates: Candidates, person_history: PersonHistory, rng: np.random.Generator) -> Choice | None:
    """Return the galaxy that a person sees next, or None when nothing is left for this person.

    The first thirty are hidden standards, which calibrate a person. Then come one in ten as standards, 3 % as retests
    of what the person judged long enough ago, one in ten of the test sample, and else the galaxy where one more
    measurement is expected to help most. Begun galaxies come before others. Nothing but a retest is shown twice; where
    a share has nothing left, it goes to the others.
    """
    seen = np.isin(candidates.galaxy, person_history.galaxy)
    standards = np.flatnonzero(candidates.is_standard & ~seen)
    if len(standards) and np.count_nonzero(person_history.is_standard) < CALIBRATED_AFTER:
        return Choice(int(candidates.galaxy[rng.choice(standards)]), Reason.STANDARD)
    targets = ~candidates.is_standard & ~seen & (candidates.wanted > 0)
    test, others = np.flatnonzero(targets & candidates.is_test), np.flatnonzero(targets & ~candidates.is_test)
    again = _retestable(person_history)
    turn = rng.random()
    if turn < STANDARDS_SHARE and len(standards) and len(test) + len(others):
        return Choice(int(candidates.galaxy[rng.choice(standards)]), Reason.STANDARD)
    if STANDARDS_SHARE <= turn < STANDARDS_SHARE + RETESTS_SHARE and len(again):
        return Choice(int(rng.choice(again)), Reason.RETEST)
    random = STANDARDS_SHARE + RETESTS_SHARE <= turn < STANDARDS_SHARE + RETESTS_SHARE + TEST_SHARE
    if len(test) and (random or not len(others)):
        begun = test[candidates.people[test] > 0]
        return Choice(int(candidates.galaxy[rng.choice(begun if len(begun) else test)]), Reason.TEST_SAMPLE)
    if not len(others):
        return None
    begun = others[candidates.people[others] > 0]
    left, reason = (begun, Reason.BEGUN) if len(begun) else (others, Reason.INFORMATIVE)
    gain = expected_gain(candidates)[left]
    return Choice(int(candidates.galaxy[rng.choice(left[gain == gain.max()])]), reason)


def _retestable(history: PersonHistory) -> NDArray[np.int64]:
    """Return the targets that a person judged once, and not lately."""
    galaxies, times = np.unique(history.galaxy[~history.is_standard], return_counts=True)
    return np.setdiff1d(galaxies[times == 1], history.galaxy[-RETEST_AFTER:])
