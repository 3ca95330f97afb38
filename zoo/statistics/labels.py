"""Combines the measurements of each galaxy to one label."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from zoo.statistics import noise
from zoo.statistics.measurements import grouped_median
from zoo.statistics.suitability import FACE_ON, MEASURE, UNSUITABLE, said_kind, suitability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from zoo.statistics.calibration import PeopleCalibration
    from zoo.statistics.measurements import Measurements

FEWEST_PEOPLE = 3

_HUBER = 1.5
"""Limit of a value's weight, in scales; the Huber mean then has 98 % of the efficiency of Student's t."""

_PULL_SQUARE, _PULL_SLOPE = 0.9, 0.792
"""Means of the squared influence function and of its derivative, for Student's t with 4 degrees of freedom."""

_PATIENCE = 6.0
"""Weight of the expected scatter, in number of values, against a galaxy's own values in the error."""

_ROUNDS = 40

_GRID_DEG = np.arange(0.0, 90.25, 0.5)
_AT_A_TIME = 10_000
"""Rows that are processed at a time, so that memory stays flat."""


@dataclass(frozen=True, slots=True)
class GalaxyLabel:
    """The combined measurements of a galaxy.

    Attributes
    ----------
    galaxy : int
    median_deg : float
        Median of the measurements of at least three people, corrected by their calibration, within 0..90; NaN for
        fewer, and for a rejected galaxy.
    huber_deg, huber_error_deg : float
        Huber mean of the corrected values, within 0..90, and its standard error, from one person on; NaN without
        measurements.
    mean_deg, error_deg : float
        Mean and standard deviation of the probability of the inclination, given all measurements, by the model of
        people; from one person on, NaN without measurements.
    scatter_deg : float
        Standard deviation of the corrected values; NaN for fewer than two.
    people : int
        Number of counted people who judged the galaxy.
    measured : int
        Number of those who measured it.
    reject : str
        ``face_on`` or ``unsuitable`` where at least half of at least three people rejected it; empty otherwise.
    measure, face_on, unsuitable : float
        Probabilities of the three kinds, by Dawid and Skene; they sum to 1.
    """

    galaxy: int
    median_deg: float
    huber_deg: float
    huber_error_deg: float
    mean_deg: float
    error_deg: float
    scatter_deg: float
    people: int
    measured: int
    reject: str
    measure: float
    face_on: float
    unsuitable: float

    @property
    def inclination_deg(self) -> float:
        """Return the label: the mean where there is a median, which usually is less accurate; else NaN."""
        return self.mean_deg if math.isfinite(self.median_deg) else math.nan


def labels(measurements: Measurements, calibration: PeopleCalibration) -> list[GalaxyLabel]:
    """Return the labels of all targets that counted people judged, in order of their numbers.

    A person who judged a galaxy several times counts once.
    """
    counted = measurements.where(calibration.counted(measurements))
    kinds = suitability(counted)
    targets = counted.where(~counted.is_standard)
    once = targets.once_each()
    galaxy, at = np.unique(once.galaxy, return_inverse=True)
    said = np.zeros((len(galaxy), 3), np.int64)
    np.add.at(said, (at, said_kind(once)), 1)
    people = said.sum(1)
    rejected = 2 * said[:, MEASURE] <= people

    measuring = np.isfinite(once.inclination_deg)
    once, at = once.where(measuring), at[measuring]
    # corrected before the repeats are combined, as in the exported rows
    corrected = np.clip(calibration.corrected_deg(targets), 0, 90)
    values = replace(targets, inclination_deg=corrected).once_each().inclination_deg[measuring]
    median = grouped_median(values, at, len(galaxy))
    labelled = ~rejected & (said[:, MEASURE] >= FEWEST_PEOPLE)
    huber, huber_error = _huber(calibration.corrected_deg(once), at, median, once, calibration)
    reasons = np.where(said[:, FACE_ON] >= said[:, UNSUITABLE], "face_on", "unsuitable")
    columns = (
        galaxy,
        np.where(labelled, median, np.nan),
        np.clip(huber, 0, 90),
        huber_error,
        *_probable(once, at, len(galaxy), calibration),
        _scatter(values, at, len(galaxy)),
        people,
        said[:, MEASURE],
        np.where(rejected & (people >= FEWEST_PEOPLE), reasons, ""),
        *kinds.probability[np.searchsorted(kinds.galaxy, galaxy)].T,
    )
    return [GalaxyLabel(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _scatter(values: NDArray[np.float64], at: NDArray[np.intp], galaxies: int) -> NDArray[np.float64]:
    count = np.bincount(at, minlength=galaxies)
    mean = np.bincount(at, values, minlength=galaxies) / np.maximum(count, 1)
    squares = np.bincount(at, np.square(values - mean[at]), minlength=galaxies)
    return np.asarray(np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan), np.float64)


def _huber(
    values: NDArray[np.float64],
    at: NDArray[np.intp],
    start: NDArray[np.float64],
    once: Measurements,
    calibration: PeopleCalibration,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weighted Huber mean of each galaxy's values and its standard error (Huber 1981, Robust Statistics).

    The error follows from the noise of the galaxy's people, increased where they scatter more around their mean than
    this noise predicts.
    """
    mean, galaxies = start, len(start)
    precise = pull = np.ones(len(values))
    for _ in range(_ROUNDS):
        scale = calibration.scale_deg(once.person, np.clip(mean[at], 0, 90))
        z = (values - mean[at]) / scale
        precise, pull = 1 / np.square(scale), np.clip(z, -_HUBER, _HUBER)
        weights = precise * np.minimum(1, _HUBER / np.maximum(np.abs(z), _HUBER))
        total = np.bincount(at, weights, minlength=galaxies)
        with np.errstate(invalid="ignore"):
            mean = np.bincount(at, weights * values, minlength=galaxies) / total
    count = np.bincount(at, minlength=galaxies)
    surprise = np.bincount(at, np.square(pull) / _PULL_SQUARE, minlength=galaxies)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = _PULL_SQUARE / _PULL_SLOPE**2 / np.bincount(at, precise, minlength=galaxies)
        error = np.sqrt(expected * (_PATIENCE + surprise) / (_PATIENCE + count - 1))
    return mean, np.where(count > 0, error, np.nan)


def _probable(
    once: Measurements, at: NDArray[np.intp], galaxies: int, calibration: PeopleCalibration
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of each galaxy's inclination, with a uniform prior over 0..90.

    Unlike a mean of values, this uses the model that people who differ much are less precise, and that an answer at an
    end of the scale includes everything beyond.
    """
    logarithm = np.zeros((galaxies, len(_GRID_DEG)))
    for begin in range(0, len(once), _AT_A_TIME):
        rows = once.where(np.arange(begin, min(begin + _AT_A_TIME, len(once))))
        said = rows.inclination_deg[:, None]
        expected, scale = calibration.expected_deg(rows.person[:, None], _GRID_DEG)
        z = (said - expected) / scale
        likely = noise.log_density(z) - np.log(scale)
        likely = np.where(said >= 90, noise.log_beyond(z), np.where(said <= 0, noise.log_beyond(-z), likely))  # edge-on
        np.add.at(logarithm, at[begin : begin + _AT_A_TIME], likely)
    probable = np.exp(logarithm - logarithm.max(1, keepdims=True))
    probable /= probable.sum(1, keepdims=True)
    mean = probable @ _GRID_DEG
    spread = np.sqrt(np.maximum(probable @ np.square(_GRID_DEG) - np.square(mean), 0))
    nobody = np.bincount(at, minlength=galaxies) == 0
    return np.where(nobody, np.nan, mean), np.where(nobody, np.nan, spread)
