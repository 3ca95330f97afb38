"""How each person reads inclinations, learned from hidden standards alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from zoo.statistics.measurements import Measurements


@dataclass(frozen=True, slots=True, eq=False)
class PeopleCalibration:
    """What hidden standards tell of each person, as parallel arrays in order of ``person``.

    Attributes
    ----------
    person : ndarray of int64 ``[P]``
        Everybody who judged anything.
    bias_deg, bias_error_deg : ndarray of float64 ``[P]``
        How much a person says too much at 67.5 deg, and how well that is known.
    slope, slope_error : ndarray of float64 ``[P]``
        How much more a person says with each degree away from 67.5 deg, beyond one.
    scatter : ndarray of float64 ``[P]``
        A person's scatter in units of the usual one, ``scatter_deg`` of ``knots_deg``.
    standards, failed : ndarray of int64 ``[P]``
        How many hidden standards a person judged, and how many of the last ones failed.
    calibrated : ndarray of bool ``[P]``
        Whether a person judged enough standards to be counted.
    quarantined : ndarray of bool ``[P]``
        Whether a person failed too many of them to be counted.
    knots_deg, scatter_deg : ndarray of float64 ``[K]``
        The usual standard deviation of one measurement by inclination, linear between the knots.
    """

    person: NDArray[np.int64]
    bias_deg: NDArray[np.float64]
    bias_error_deg: NDArray[np.float64]
    slope: NDArray[np.float64]
    slope_error: NDArray[np.float64]
    scatter: NDArray[np.float64]
    standards: NDArray[np.int64]
    failed: NDArray[np.int64]
    calibrated: NDArray[np.bool_]
    quarantined: NDArray[np.bool_]
    knots_deg: NDArray[np.float64]
    scatter_deg: NDArray[np.float64]

    @property
    def counts(self) -> NDArray[np.bool_]:
        """Return whose measurements make labels, bool ``[P]``: the calibrated who are not quarantined."""
        return self.calibrated & ~self.quarantined


def calibrate(measurements: Measurements) -> PeopleCalibration:
    """Fit bias, slope and scatter of each person on hidden standards."""
    raise NotImplementedError
