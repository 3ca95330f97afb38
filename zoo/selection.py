"""Which galaxy a person sees next: where one more measurement is expected to help most."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from zoo.statistics.labels import GalaxyLabel

FEWEST_PEOPLE, MOST_PEOPLE = 3, 7


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


def stage(label: GalaxyLabel) -> Stage:
    """Return whether a galaxy needs more people, is done, or is left to a moderator."""
    raise NotImplementedError


def wanted(label: GalaxyLabel | None) -> int:
    """Return how many more people may judge a galaxy at once; None stands for one that nobody judged."""
    raise NotImplementedError


def choose(candidates: Candidates, person_history: PersonHistory, rng: np.random.Generator) -> Choice | None:
    """Return the galaxy that a person sees next, or None when nothing is left for this person."""
    raise NotImplementedError
