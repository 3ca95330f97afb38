"""Agreement of people: with each other, with themselves, and with networks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from zoo.statistics.measurements import grouped_median

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from zoo.statistics.calibration import PeopleCalibration
    from zoo.statistics.measurements import Measurements

_DIVISIONS = 40
_BIN_DEG = 5.0


class InclinationBin(NamedTuple):
    """Differences of two sides for galaxies whose mean of both is in ``from_deg <= mean < to_deg``."""

    from_deg: float
    to_deg: float
    rms_deg: float
    bias_deg: float
    galaxies: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """Differences of two sides, over all galaxies and by inclination. Nothing is clipped; NaN means no galaxy.

    Attributes
    ----------
    rms_deg, bias_deg : float
        Root mean square, and mean, of the differences, first side minus second.
    spread_deg : float
        Standard deviation of the rms over the divisions of the people; 0 for a single division.
    galaxies : float
        Number of galaxies compared; an average over the divisions.
    people_a_side : int
        Number of people on each side; 0 where a side is not a group of people.
    bins : tuple of InclinationBin
        Bins of 5 deg, without empty ones.
    """

    rms_deg: float
    bias_deg: float
    spread_deg: float
    galaxies: float
    people_a_side: int
    bins: tuple[InclinationBin, ...]

    @property
    def noise_deg(self) -> float:
        """Return the noise of one side, where both sides are alike: the rms divided by the square root of 2."""
        return self.rms_deg / math.sqrt(2)


def agreement(
    measurements: Measurements,
    calibration: PeopleCalibration | None = None,
    *,
    people_a_side: int = 1,
    seed: int = 1,
) -> Agreement:
    """Compare the medians of two disjoint groups of people, on targets.

    All people are divided into halves at random, forty times, so that a person's bias is never on both sides. Galaxies
    measured by enough people of both halves are compared, by ``people_a_side`` people of each half, drawn at random.

    Parameters
    ----------
    measurements : Measurements
    calibration : PeopleCalibration, optional
        Corrects the values, and excludes people who do not count. Without it, uncorrected values are compared.
    people_a_side : int
        Number of people per label whose noise is measured.
    seed : int
    """
    if calibration is not None:
        measurements = measurements.where(calibration.counted(measurements))
    once = measurements.where(~measurements.is_standard).once_each()
    once = once.where(np.isfinite(once.inclination_deg))
    values = once.inclination_deg if calibration is None else calibration.corrected_deg(once)
    person, who = np.unique(once.person, return_inverse=True)
    _, at = np.unique(once.galaxy, return_inverse=True)
    groups = 2 * (at.max(initial=-1) + 1)
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(_DIVISIONS):
        side = rng.permutation(len(person)) < len(person) // 2
        group = 2 * at + side[who]
        drawn = np.lexsort((rng.random(len(group)), group))
        counts = np.bincount(group, minlength=groups)
        place = np.arange(len(group)) - (np.cumsum(counts) - counts)[group[drawn]]
        taken = drawn[place < people_a_side]
        medians = grouped_median(values[taken], group[taken], groups)
        medians[counts < people_a_side] = np.nan
        pairs.append(medians.reshape(-1, 2))
    return _compared(pairs, people_a_side)


def retests(measurements: Measurements) -> Agreement:
    """Compare a person's measurement of a target with the same person's earlier one."""
    rows = measurements.where(~measurements.is_standard & np.isfinite(measurements.inclination_deg))
    order = np.lexsort((rows.galaxy, rows.person))
    rows = rows.where(order)
    again = (np.diff(rows.galaxy) == 0) & (np.diff(rows.person) == 0)
    values = rows.inclination_deg
    return differences(values[1:][again], values[:-1][again], people_a_side=1)


def differences(
    first_deg: NDArray[np.float64], second_deg: NDArray[np.float64], *, people_a_side: int = 0
) -> Agreement:
    """Compare two arrays ``[N]`` galaxy by galaxy, such as networks and labels; pairs with a NaN are left out."""
    return _compared([np.stack([first_deg, second_deg], -1)], people_a_side)


def _compared(pairs: list[NDArray[np.float64]], people_a_side: int) -> Agreement:
    pairs = [both for one in pairs if len(both := one[np.isfinite(one).all(1)])]
    if not pairs:
        return Agreement(math.nan, math.nan, math.nan, 0.0, people_a_side, ())
    every = np.concatenate(pairs)
    difference, mean = every[:, 0] - every[:, 1], every.mean(1)
    bins = []
    for low in np.arange(0, 90, _BIN_DEG).tolist():
        # values beyond the ends of the scale count in the bins at its ends
        inside = (np.clip(mean, 0, 89.99) // _BIN_DEG) * _BIN_DEG == low
        if inside.any():
            rms, bias = _rms(difference[inside]), float(difference[inside].mean())
            bins.append(InclinationBin(low, low + _BIN_DEG, rms, bias, float(inside.sum() / len(pairs))))
    each = [_rms(one[:, 0] - one[:, 1]) for one in pairs]
    return Agreement(
        _rms(difference),
        float(difference.mean()),
        float(np.std(each)),
        len(every) / len(pairs),
        people_a_side,
        tuple(bins),
    )


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
