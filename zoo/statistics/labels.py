"""From what people said of each galaxy to one label."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.statistics.measurements import grouped_median
from zoo.statistics.suitability import FACE_ON, MEASURE, UNSUITABLE, said_kind, suitability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from zoo.statistics.calibration import PeopleCalibration
    from zoo.statistics.measurements import Measurements

FEWEST_PEOPLE = 3

_HUBER = 1.5
"""Scales beyond which a value pulls no harder; the Huber mean then has 98 % of what Student's t allows."""

_PULL_SQUARE, _PULL_SLOPE = 0.9, 0.792
"""Of Student's t with 4 degrees of freedom: means of the squared pull and of its derivative, for that limit."""

_PATIENCE = 6.0
"""As many values that scatter as expected are taken to be there before those of a galaxy itself raise its error."""

_ROUNDS = 40


@dataclass(frozen=True, slots=True)
class GalaxyLabel:
    """What people say of a galaxy, all together.

    Attributes
    ----------
    galaxy : int
    median_deg : float
        Median of what at least three people measured, corrected by their calibration, within 0..90; NaN for fewer, and
        where it is rejected.
    mean_deg, error_deg : float
        Huber mean of the corrected values, within 0..90, and its standard error, from the first person on; NaN where
        nobody measured.
    scatter_deg : float
        Standard deviation of the corrected values; NaN for fewer than two.
    people : int
        How many counted people judged it.
    measured : int
        How many of them measured it.
    reject : str
        ``face_on`` or ``unsuitable`` where at least half of at least three people rejected it; empty otherwise.
    measure, face_on, unsuitable : float
        Probabilities of the three, by Dawid and Skene; they sum to 1.
    """

    galaxy: int
    median_deg: float
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
        """Return the label: the mean where there is a median, which is farther from the truth; else NaN."""
        return self.mean_deg if math.isfinite(self.median_deg) else math.nan


def labels(measurements: Measurements, calibration: PeopleCalibration) -> list[GalaxyLabel]:
    """Return the labels of all targets that counted people judged, in order of their numbers.

    A person who judged a galaxy several times counts once.
    """
    counted = measurements.where(calibration.counted(measurements))
    kinds = suitability(counted)
    once = counted.where(~counted.is_standard).once_each()
    galaxy, at = np.unique(once.galaxy, return_inverse=True)
    said = np.zeros((len(galaxy), 3), np.int64)
    np.add.at(said, (at, said_kind(once)), 1)
    people = said.sum(1)
    rejected = 2 * said[:, MEASURE] <= people

    measuring = np.isfinite(once.inclination_deg)
    once, at = once.where(measuring), at[measuring]
    values = np.clip(calibration.corrected_deg(once), 0, 90)
    median = grouped_median(values, at, len(galaxy))
    labelled = ~rejected & (said[:, MEASURE] >= FEWEST_PEOPLE)
    mean, error = _huber(calibration.corrected_deg(once), at, median, once, calibration)
    reasons = np.where(said[:, FACE_ON] >= said[:, UNSUITABLE], "face_on", "unsuitable")
    columns = (
        galaxy,
        np.where(labelled, median, np.nan),
        np.clip(mean, 0, 90),
        error,
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

    The error is that of the noise of who measured, raised where these people scatter more about their mean than their
    noise says.
    """
    mean, galaxies = start, len(start)
    at_top, at_bottom = once.inclination_deg >= 90, once.inclination_deg <= 0  # noqa: PLR2004 - edge-on
    precise = pull = np.ones(len(values))
    for _ in range(_ROUNDS):
        scale = calibration.scale_deg(once.person, np.clip(mean[at], 0, 90))
        z = (values - mean[at]) / scale
        # an answer at an end of the scale stands for everything beyond: it pulls towards the end and not away from it
        z = np.where(at_top, np.maximum(z, 0), np.where(at_bottom, np.minimum(z, 0), z))
        precise, pull = 1 / np.square(scale), np.clip(z, -_HUBER, _HUBER)
        weights = precise * np.minimum(1, _HUBER / np.maximum(np.abs(z), _HUBER))
        total = np.bincount(at, weights, minlength=galaxies)
        with np.errstate(invalid="ignore"):
            mean = mean + np.bincount(at, weights * z * scale, minlength=galaxies) / total
    count = np.bincount(at, minlength=galaxies)
    surprise = np.bincount(at, np.square(pull) / _PULL_SQUARE, minlength=galaxies)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = _PULL_SQUARE / _PULL_SLOPE**2 / np.bincount(at, precise, minlength=galaxies)
        error = np.sqrt(expected * (_PATIENCE + surprise) / (_PATIENCE + count - 1))
    return mean, np.where(count > 0, error, np.nan)
