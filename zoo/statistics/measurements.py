"""People's measurements as parallel arrays, with repeats of the same person combined."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Flag(IntEnum):
    """A person's remark beside an inclination, or instead of it. ``NOT_SURE`` alone keeps the measurement."""

    NONE = 0
    FACE_ON = 1
    POOR_IMAGE = 2
    AMBIGUOUS = 3
    DISTURBED = 4
    SEVERAL_GALAXIES = 5
    NOT_A_SPIRAL = 6
    NOT_SURE = 7


@dataclass(frozen=True, slots=True, eq=False)
class Measurements:
    """All measurements, one element per judgement, in order of time.

    Attributes
    ----------
    galaxy, person : ndarray of int64 ``[N]``
        Numbers of the galaxy and of the person.
    inclination_deg : ndarray of float64 ``[N]``
        Inclination within 0..90; NaN where a flag replaces it.
    flag : ndarray of int64 ``[N]``
        Codes of :class:`Flag`.
    is_standard : ndarray of bool ``[N]``
        Whether the galaxy was a hidden standard (practice galaxies, whose answer is shown, are not included).
    truth_deg : ndarray of float64 ``[N]``
        Inclination of a standard; NaN for targets.

    Raises
    ------
    ValueError
        The arrays differ in length, an inclination is outside of 0..90, a row has neither an inclination nor a flag,
        or a standard has no truth.
    """

    galaxy: NDArray[np.int64]
    person: NDArray[np.int64]
    inclination_deg: NDArray[np.float64]
    flag: NDArray[np.int64]
    is_standard: NDArray[np.bool_]
    truth_deg: NDArray[np.float64]

    def __post_init__(self) -> None:
        if len({len(getattr(self, field.name)) for field in fields(self)}) > 1:
            raise ValueError("The arrays of measurements are of different lengths.")
        said = np.isfinite(self.inclination_deg)
        if np.any((self.inclination_deg[said] < 0) | (self.inclination_deg[said] > 90)):  # edge-on
            raise ValueError("An inclination lies outside of 0 to 90 degrees.")
        if np.any(~said & (self.flag == Flag.NONE)):
            raise ValueError("A measurement has neither an inclination nor a flag.")
        if np.any(self.is_standard & ~np.isfinite(self.truth_deg)):
            raise ValueError("A standard has no true inclination.")

    def __len__(self) -> int:
        return len(self.galaxy)

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Measurements:
        """Return the chosen rows, by a mask or by their indices."""
        return Measurements(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def once_each(self) -> Measurements:
        """Return one row for each person and galaxy, in order of galaxies and persons.

        Several judgements of a galaxy by one person become their median, or a rejection when at least half of them are
        rejections: as face-on when at least half of these are, else with the most frequent other flag.
        """
        if not len(self):
            return self
        (_, first, pair) = np.unique(
            np.stack([self.galaxy, self.person]), axis=1, return_index=True, return_inverse=True
        )
        count = len(first)
        rejects = np.isnan(self.inclination_deg)
        flags = np.zeros((count, len(Flag)), np.int64)
        np.add.at(flags, (pair[rejects], self.flag[rejects]), 1)
        rejections = flags.sum(1)
        rejected = 2 * rejections >= np.bincount(pair, minlength=count)
        others = np.where(np.arange(len(Flag)) == Flag.FACE_ON, -1, flags).argmax(1)
        reason = np.where(2 * flags[:, Flag.FACE_ON] >= rejections, Flag.FACE_ON, others)
        once = self.where(first)
        median = grouped_median(self.inclination_deg[~rejects], pair[~rejects], count)
        return replace(
            once,
            inclination_deg=np.where(rejected, np.nan, median),
            flag=np.where(rejected, reason, Flag.NONE),
        )


def grouped_median(values: NDArray[np.float64], group: NDArray[np.intp], groups: int) -> NDArray[np.float64]:
    """Return the median of each group, float64 ``[groups]``; NaN for a group without values."""
    counts = np.bincount(group, minlength=groups)
    ordered = np.append(values[np.lexsort((values, group))], np.nan)
    start = np.cumsum(counts) - counts
    middle = (ordered[start + (counts - 1) // 2] + ordered[start + counts // 2]) / 2
    return np.asarray(np.where(counts > 0, middle, np.nan), np.float64)
