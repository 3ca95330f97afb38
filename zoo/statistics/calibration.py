"""Calibration of each person, estimated from hidden standards alone.

The model of an answer is ``theta + b + s (theta - 67.5) + eps``, with a bias b, a slope s, and noise eps of Student's t
with four degrees of freedom, whose scale depends on inclination and on the person. Only standards, whose inclination is
known, constrain b and s: a regression of people on each other would draw all towards the middle of the scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from zoo.statistics import noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from zoo.statistics.measurements import Measurements

USUAL_BIAS_DEG, USUAL_SLOPE = 2.0, 0.08
"""Standard deviations of the normal priors of bias and slope, whose means are 0."""

_PRIOR = np.diag([USUAL_BIAS_DEG**-2, USUAL_SLOPE**-2])

CALIBRATED_AFTER = 30
"""Number of standards that a person must judge to be counted."""

WATCHED = 40
"""Number of a person's last standards for the decision on quarantine, so that old successes hide no new failures."""

_FAILS_BEYOND = 3.0
"""Deviation of a failed standard, in units of the usual spread of answers, bias and slope included."""

_HARMLESS_SHARE, _SURE = 0.15, 1e-3
"""A person is quarantined when this share of failures would give as many with less than this probability."""

_ROUNDS = 60


@dataclass(frozen=True, slots=True, eq=False)
class PeopleCalibration:
    """Results of hidden standards for each person, as parallel arrays in order of ``person``.

    Attributes
    ----------
    person : ndarray of int64 ``[P]``
        Everyone who judged a galaxy.
    bias_deg : ndarray of float64 ``[P]``
        Excess of a person's answers at 67.5 deg.
    slope : ndarray of float64 ``[P]``
        Excess of a person's answers per degree from 67.5 deg.
    covariance : ndarray of float64 ``[P, 2, 2]``
        Covariance of bias and slope.
    scatter : ndarray of float64 ``[P]``
        Scatter of a person in units of the usual one.
    standards, failed : ndarray of int64 ``[P]``
        Number of hidden standards judged, and number failed of the last 40.
    calibrated : ndarray of bool ``[P]``
        Whether a person judged enough standards to be counted.
    quarantined : ndarray of bool ``[P]``
        Whether a person failed too many of them to be counted.
    scatter_deg : ndarray of float64 ``[K]``
        Usual standard deviation of one measurement at ``noise.KNOTS_DEG``, linear between them.
    """

    person: NDArray[np.int64]
    bias_deg: NDArray[np.float64]
    slope: NDArray[np.float64]
    covariance: NDArray[np.float64]
    scatter: NDArray[np.float64]
    standards: NDArray[np.int64]
    failed: NDArray[np.int64]
    calibrated: NDArray[np.bool_]
    quarantined: NDArray[np.bool_]
    scatter_deg: NDArray[np.float64]

    @property
    def counts(self) -> NDArray[np.bool_]:
        """Return whose measurements count for labels, bool ``[P]``: calibrated people who are not quarantined."""
        return self.calibrated & ~self.quarantined

    @property
    def bias_error_deg(self) -> NDArray[np.float64]:
        """Return the standard error of each person's bias, float64 ``[P]``."""
        return np.asarray(np.sqrt(self.covariance[:, 0, 0]), np.float64)

    def place(self, person: NDArray[np.int64]) -> NDArray[np.intp]:
        """Return the indices of persons in the arrays.

        Raises
        ------
        ValueError
            One of the persons is unknown.
        """
        if np.any(~np.isin(person, self.person)):
            raise ValueError("A person has no calibration.")
        return np.searchsorted(self.person, person)

    def counted(self, measurements: Measurements) -> NDArray[np.bool_]:
        """Return which measurements are by people who count, bool ``[N]``."""
        return np.asarray(self.counts[self.place(measurements.person)], np.bool_)

    def corrected_deg(self, measurements: Measurements) -> NDArray[np.float64]:
        """Return inclinations corrected for their person's bias and slope; they may leave 0..90."""
        who = self.place(measurements.person)
        away = measurements.inclination_deg - noise.PIVOT_DEG - self.bias_deg[who]
        return np.asarray(noise.PIVOT_DEG + away / (1 + self.slope[who]), np.float64)

    def expected_deg(
        self, person: NDArray[np.int64], inclination_deg: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the expected answers of persons to true inclinations, and the scale of the noise around them.

        The scale includes the uncertainty of bias and slope. Both arrays are broadcast against each other.
        """
        who = self.place(person)
        away = inclination_deg - noise.PIVOT_DEG
        (bias, both), (_, slope) = np.moveaxis(self.covariance[who], (-2, -1), (0, 1))
        own = self.scatter[who] * noise.scale(inclination_deg, self.scatter_deg)
        variance = np.square(own) + bias + 2 * both * away + slope * np.square(away)
        return inclination_deg + self.bias_deg[who] + self.slope[who] * away, np.asarray(np.sqrt(variance), np.float64)

    def scale_deg(self, person: NDArray[np.int64], inclination_deg: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scale of corrected values around true inclinations."""
        scale = self.expected_deg(person, inclination_deg)[1]
        return np.asarray(scale / (1 + self.slope[self.place(person)]), np.float64)


def calibrate(measurements: Measurements) -> PeopleCalibration:
    """Return the most probable bias, slope and scatter of each person, given hidden standards and the priors.

    Parameters
    ----------
    measurements : Measurements
        Measurements; targets among them are ignored.
    """
    person, who = np.unique(measurements.person, return_inverse=True)
    people = len(person)
    failed, quarantined = _quarantine(measurements, who, people)
    once = measurements.where(measurements.is_standard).once_each()
    standards = np.bincount(np.searchsorted(person, once.person), minlength=people)
    once = once.where(np.isfinite(once.inclination_deg))
    who = np.searchsorted(person, once.person)
    honest = ~quarantined[who]
    away, given = once.truth_deg - noise.PIVOT_DEG, once.inclination_deg - once.truth_deg
    at_top, at_bottom = once.inclination_deg >= 90, once.inclination_deg <= 0  # edge-on

    def summed(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(who, values, minlength=people), np.float64)

    scatter, usual_deg = np.ones(people), noise.USUAL_SCATTER_DEG
    effect: NDArray[np.float64] = np.zeros((people, 2))
    data: NDArray[np.float64] = np.zeros((people, 2, 2))
    measured = summed(np.ones(len(who)))
    for _ in range(_ROUNDS):
        usual = noise.scale(once.truth_deg, usual_deg)
        expected = effect[who, 0] + effect[who, 1] * away
        # an answer at an end of the scale includes everything beyond, so it contradicts nothing there
        excess = np.where(at_top, np.maximum(given, expected), np.where(at_bottom, np.minimum(given, expected), given))
        residual = excess - expected
        robust = noise.weight(residual / (scatter[who] * usual))
        precise = robust / np.square(scatter[who] * usual)
        both = summed(precise * away)
        data = np.stack([summed(precise), both, both, summed(precise * away**2)], -1).reshape(people, 2, 2)
        evidence = np.stack([summed(precise * excess), summed(precise * excess * away)], -1)
        effect = np.asarray(np.linalg.solve(data + _PRIOR, evidence[..., None])[..., 0], np.float64)
        # half of the step, since scatter, weights and usual scatter depend on each other
        squares = summed(robust * np.square(residual / usual))
        scatter = np.sqrt(scatter * np.sqrt((squares + noise.SLOWNESS) / (measured + noise.SLOWNESS)))
        z = residual / (scatter[who] * usual)
        usual_deg = noise.refined_scatter(usual_deg, once.truth_deg[honest], z[honest])
    return PeopleCalibration(
        person,
        effect[:, 0],
        # a person who always gives one answer fails the standards; a division by zero here would hide that
        np.maximum(effect[:, 1], -0.5),
        np.asarray(np.linalg.inv(noise.INFORMATION * data + _PRIOR), np.float64),
        scatter,
        standards,
        failed,
        standards >= CALIBRATED_AFTER,
        quarantined,
        usual_deg,
    )


def _quarantine(
    measurements: Measurements, who: NDArray[np.intp], people: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return how many of their last standards people failed, and who failed too many by chance.

    A failed standard was rejected, or its answer deviates by more than the usual bias, slope and noise explain.
    """
    rows = np.flatnonzero(measurements.is_standard)
    truth_deg = measurements.truth_deg[rows]
    usual = np.square(noise.scale(truth_deg, noise.USUAL_SCATTER_DEG)) + USUAL_BIAS_DEG**2
    limit = _FAILS_BEYOND * np.sqrt(usual + np.square(USUAL_SLOPE * (truth_deg - noise.PIVOT_DEG)))
    # a comparison with NaN is false, so that rejections are not within
    within = np.abs(measurements.inclination_deg[rows] - truth_deg) <= limit
    by_person = np.argsort(who[rows], kind="stable")
    given = np.bincount(who[rows], minlength=people)
    # 0 for a person's last standard, 1 for the one before
    ago = np.cumsum(given)[who[rows][by_person]] - 1 - np.arange(len(rows))
    last = rows[by_person][ago < WATCHED]
    failed = np.bincount(who[last], ~within[by_person][ago < WATCHED], minlength=people).astype(np.int64)
    tails = [_chance(int(f), int(min(n, WATCHED))) for f, n in zip(failed, given, strict=True)]
    return failed, np.array(tails, np.float64) < _SURE


@cache
def _chance(failed: int, standards: int) -> float:
    """Return the probability that a harmless person fails at least ``failed`` standards: the tail of a binomial."""
    share = _HARMLESS_SHARE
    terms = range(failed, standards + 1)
    return sum(math.comb(standards, n) * share**n * (1 - share) ** (standards - n) for n in terms)
