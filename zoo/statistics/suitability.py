"""Suitability of galaxies about which people disagree: Dawid and Skene (1979, Appl. Statist. 28, 20).

A galaxy is of one of three kinds (measurable, face-on, unsuitable); each person takes one kind for another with
probabilities of their own. Kinds and probabilities are estimated together by expectation-maximisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.statistics.measurements import Flag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from zoo.statistics.measurements import Measurements

MEASURE, FACE_ON, UNSUITABLE = range(3)

_USUAL_KINDS = np.array([7.8, 1.1, 1.1])
"""Prior counts of galaxies by kind: the original's people rejected 22 %."""

_USUAL_CONFUSION = np.array([[8.8, 0.6, 0.6], [1.5, 7.5, 1.0], [1.5, 1.0, 7.5]])
"""Prior counts of a person's answers, by true kind."""

_ROUNDS, _SETTLED = 200, 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Suitability:
    """Kinds of galaxies, and people's confusion of kinds.

    Attributes
    ----------
    galaxy : ndarray of int64 ``[G]``
        Numbers of the galaxies.
    probability : ndarray of float64 ``[G, 3]``
        Probability of each kind: measurable, face-on, unsuitable.
    person : ndarray of int64 ``[P]``
        Numbers of the people.
    confusion : ndarray of float64 ``[P, 3, 3]``
        Probability that a person gives the second kind for a galaxy of the first.
    """

    galaxy: NDArray[np.int64]
    probability: NDArray[np.float64]
    person: NDArray[np.int64]
    confusion: NDArray[np.float64]


def said_kind(once: Measurements) -> NDArray[np.intp]:
    """Return the kind in each row: 0, 1 or 2."""
    rejected = np.where(once.flag == Flag.FACE_ON, FACE_ON, UNSUITABLE)
    return np.where(np.isfinite(once.inclination_deg), MEASURE, rejected)


def suitability(measurements: Measurements) -> Suitability:
    """Estimate the kind of each galaxy and each person's confusion of kinds.

    Parameters
    ----------
    measurements : Measurements
        Measurements; hidden standards are known to be of the first kind, and constrain only the people.
    """
    once = measurements.once_each()
    galaxy, at = np.unique(once.galaxy, return_inverse=True)
    person, who = np.unique(once.person, return_inverse=True)
    said = said_kind(once)
    known = np.zeros(len(galaxy), np.bool_)
    known[at] = once.is_standard
    probability = np.zeros((len(galaxy), 3))
    np.add.at(probability, (at, said), 1.0)
    probability = _known(probability / probability.sum(1, keepdims=True), known)
    confusion = np.tile(_USUAL_CONFUSION, (len(person), 1, 1))
    for _ in range(_ROUNDS):
        kinds = probability[~known].sum(0) + _USUAL_KINDS
        confusion = np.tile(_USUAL_CONFUSION, (len(person), 1, 1))
        np.add.at(confusion.swapaxes(1, 2), (who, said), probability[at])
        confusion /= confusion.sum(2, keepdims=True)
        logarithm = np.tile(np.log(kinds / kinds.sum()), (len(galaxy), 1))
        np.add.at(logarithm, at, np.log(confusion[who, :, said]))
        before, probability = probability, np.exp(logarithm - logarithm.max(1, keepdims=True))
        probability = _known(probability / probability.sum(1, keepdims=True), known)
        if np.abs(probability - before).max(initial=0) < _SETTLED:
            break
    return Suitability(galaxy, probability, person, confusion)


def _known(probability: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.asarray(np.where(known[:, None], np.eye(3)[MEASURE], probability), np.float64)
