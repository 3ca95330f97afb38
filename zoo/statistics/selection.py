"""Selects a person's next galaxy: the one where one more measurement is expected to help most."""

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
"""Error below which a galaxy is done, degrees."""

DOUBT = 0.5
"""Limit of the probability of being measurable; a galaxy stays open where it contradicts half of the people."""

RETEST_AFTER = 30
"""Number of galaxies before one is shown again, so that the person has forgotten the answer."""

_UNKNOWN_DEG, _FLOOR_DEG = 6.0, 2.0
"""Assumed error of networks, degrees, for galaxies without their answers, and where all of them agree."""

_RAREST = 4.0


class Reason(StrEnum):
    """Reason for the choice of a galaxy."""

    STANDARD = "standard"
    RETEST = "retest"
    TEST_SAMPLE = "test_sample"
    BEGUN = "begun"
    INFORMATIVE = "informative"


class Stage(StrEnum):
    """State of the work on a galaxy."""

    OPEN = "open"
    DONE = "done"
    MODERATOR = "moderator"


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Galaxies that may be shown, as parallel arrays: hidden standards and open targets.

    Attributes
    ----------
    galaxy : ndarray of int64 ``[N]``
        Numbers of the galaxies.
    is_standard : ndarray of bool ``[N]``
        Whether it is a hidden standard.
    is_test : ndarray of bool ``[N]``
        Membership in the unbiased test sample, fixed and independent of all measurements, such as
        ``training.data.dataset.split_of(number) == "test"``.
    people : ndarray of int64 ``[N]``
        Number of counted people who judged it, and of all who have it leased now.
    wanted : ndarray of int64 ``[N]``
        Number of further people who may judge it at once: :func:`wanted` of its label, without current leases.
    network_deg, network_spread_deg : ndarray of float64 ``[N]``
        Median and standard deviation of the networks; NaN without their answers.
    label_deg, label_error_deg : ndarray of float64 ``[N]``
        ``mean_deg`` and ``error_deg`` of its label; NaN without measurements.
    hubble_stage : ndarray of float64 ``[N]``
        Hubble stage; NaN where unknown.
    seconds : ndarray of float64 ``[N]``
        Expected duration of a measurement.
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
    """A person's judgements and leases, oldest first.

    Attributes
    ----------
    galaxy : ndarray of int64 ``[N]``
        Numbers of the galaxies, one entry per judgement.
    is_standard : ndarray of bool ``[N]``
    """

    galaxy: NDArray[np.int64]
    is_standard: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Choice:
    """The galaxy to show, and the reason for the choice."""

    galaxy: int
    reason: Reason


def stage(label: GalaxyLabel, *, is_test: bool = False) -> Stage:
    """Return whether a galaxy needs more people, is done, or is for a moderator.

    Three people are enough where the error of the mean is below 2 deg, or where the rejection is certain; a galaxy that
    seven people did not settle is for a moderator. In the test sample, six measure every galaxy, easy or not: elsewhere
    only the hard ones have enough people for two groups of three, which would overestimate the noise of labels.
    """
    fewest = PEOPLE_OF_TEST if is_test else FEWEST_PEOPLE
    measured = label.measured >= fewest and not label.reject and label.error_deg < ENOUGH_DEG
    sure = label.measure < DOUBT if label.reject else label.measure > DOUBT
    if label.people >= FEWEST_PEOPLE and sure and (measured or label.reject):
        return Stage.DONE
    return Stage.MODERATOR if label.people >= MOST_PEOPLE else Stage.OPEN


def wanted(label: GalaxyLabel | None, *, is_test: bool = False) -> int:
    """Return how many more people may judge a galaxy at once; None stands for a galaxy without judgements.

    Three at first, and three more in the test sample; each further person is asked after the others have answered.
    """
    if label is None:
        return FEWEST_PEOPLE
    if stage(label, is_test=is_test) is not Stage.OPEN:
        return 0
    fewest = PEOPLE_OF_TEST if is_test and label.people >= FEWEST_PEOPLE else FEWEST_PEOPLE
    return max(fewest - label.people, 1)


def expected_gain(candidates: Candidates) -> NDArray[np.float64]:
    """Return the expected reduction of the networks' squared error per second of measuring, square degrees.

    The assumed error of the networks is the variance of their answers, or their squared difference from people,
    whichever is larger. A measurement of variance t leaves ``v t / (v + t)`` of a variance v. Rare inclinations (in
    bins of 5 deg) and Hubble stages count more, four times as much at most.
    """
    known = np.isfinite(candidates.network_deg)
    inclination = np.where(known, candidates.network_deg, candidates.label_deg)
    spread = np.where(np.isfinite(candidates.network_spread_deg), candidates.network_spread_deg, _UNKNOWN_DEG)
    disagreement = np.square(candidates.label_deg - candidates.network_deg) - np.square(candidates.label_error_deg)
    belief = np.fmax(np.square(spread) + _FLOOR_DEG**2, disagreement)
    measured = np.fmin(np.square(candidates.label_error_deg), np.inf)
    # the label reduces the variance: its error is what remains
    variance = 1 / (1 / belief + 1 / measured)
    one = 2 * np.square(noise.scale(np.nan_to_num(inclination, nan=noise.PIVOT_DEG), noise.USUAL_SCATTER_DEG))
    gain = np.square(variance) / (variance + one)
    rarity = _rarity(inclination // 5) * _rarity(np.round(candidates.hubble_stage))
    return np.asarray(gain * np.minimum(rarity, _RAREST) / candidates.seconds, np.float64)


def _rarity(kind: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the square root of how much rarer than average a galaxy's kind is; 1 where it is unknown."""
    found = np.ones(len(kind))
    known = np.isfinite(kind)
    if known.any():
        _, at, counts = np.unique(kind[known], return_inverse=True, return_counts=True)
        found[known] = np.sqrt(counts.mean() / counts[at])
    return found


def choose(candidates: Candidates, person_history: PersonHistory, rng: np.random.Generator) -> Choice | None:
    """Return a person's next galaxy, or None when none is left for this person.

    The first thirty are hidden standards, which calibrate a person. After that, one in ten is a standard, 3 % are
    retests of galaxies judged long enough ago, one in ten is of the test sample, and the others are the galaxies where
    one more measurement is expected to help most, begun galaxies first. Only retests are shown twice; where one kind
    has no galaxy left, its share goes to the others.
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
    """Return the targets that a person judged once, and not recently."""
    galaxies, times = np.unique(history.galaxy[~history.is_standard], return_counts=True)
    return np.setdiff1d(galaxies[times == 1], history.galaxy[-RETEST_AFTER:])
