"""How far people agree: with each other, with themselves, and with networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from zoo.statistics.calibration import PeopleCalibration
    from zoo.statistics.measurements import Measurements


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two sides differ, over all galaxies and by inclination; nothing is clipped, and NaN stands for no galaxy.

    Attributes
    ----------
    rms_deg, bias_deg : float
        Root mean square, and mean, of the differences.
    noise_deg : float
        Noise of one side alone where both are alike: rms over the square root of 2.
    galaxies : float
        Compared; an average over the ways to divide people.
    people_a_side : int
        How many people each side has; 0 where the sides are no people.
    bins : tuple of tuple (from_deg, to_deg, rms_deg, bias_deg, galaxies)
    """

    rms_deg: float
    bias_deg: float
    noise_deg: float
    galaxies: float
    people_a_side: int
    bins: tuple[tuple[float, float, float, float, float], ...]


def agreement(
    measurements: Measurements,
    calibration: PeopleCalibration | None = None,
    *,
    people_a_side: int = 1,
    seed: int = 1,
) -> Agreement:
    """Compare the labels of two groups of people that have nobody in common."""
    raise NotImplementedError


def retests(measurements: Measurements) -> Agreement:
    """Compare what a person said of a target with what the same person said before."""
    raise NotImplementedError


def differences(
    first_deg: NDArray[np.float64], second_deg: NDArray[np.float64], *, people_a_side: int = 0
) -> Agreement:
    """Compare two arrays galaxy by galaxy, such as labels and networks; pairs with a NaN are left out."""
    raise NotImplementedError
