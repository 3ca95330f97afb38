"""Single measurements that are far from the label of their galaxy."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zoo.statistics.calibration import PeopleCalibration
    from zoo.statistics.labels import GalaxyLabel
    from zoo.statistics.measurements import Measurements

FAR = 5.0
"""Limit in scales of the expected scatter; one in 130 harmless measurements exceeds it (Student's t, 4 degrees)."""


class Outlier(NamedTuple):
    """A measurement far from this person's expected answer for the galaxy's label.

    ``scales`` is the residual in units of the expected scatter: of the person and of the label together.
    """

    galaxy: int
    person: int
    inclination_deg: float
    label_deg: float
    residual_deg: float
    scales: float


def outliers(
    measurements: Measurements, calibration: PeopleCalibration, labels: Sequence[GalaxyLabel]
) -> list[Outlier]:
    """Return the measurements of targets by counted people that are far from the label, the farthest first.

    Parameters
    ----------
    measurements : Measurements
    calibration : PeopleCalibration
    labels : sequence of GalaxyLabel
        Result of :func:`zoo.statistics.labels.labels`, in order of the galaxies. Galaxies without an inclination have
        no outliers.
    """
    known = np.array([(one.galaxy, one.inclination_deg, one.error_deg) for one in labels], np.float64).reshape(-1, 3)
    known = known[np.isfinite(known[:, 1])]
    measured = np.isfinite(measurements.inclination_deg) & calibration.counted(measurements)
    rows = measurements.where(measured & np.isin(measurements.galaxy, known[:, 0]))
    label, error = known[np.searchsorted(known[:, 0], rows.galaxy), 1:].T
    expected, scale = calibration.expected_deg(rows.person, label)
    residual = rows.inclination_deg - expected
    # an answer at an end of the scale includes everything beyond it
    residual = np.where(rows.inclination_deg >= 90, np.maximum(residual, 0), residual)  # edge-on
    residual = np.where(rows.inclination_deg <= 0, np.minimum(residual, 0), residual)
    scales = residual / np.hypot(scale, error)
    far = np.argsort(-np.abs(scales), kind="stable")[: np.count_nonzero(np.abs(scales) > FAR)]
    columns = (rows.galaxy, rows.person, rows.inclination_deg, label, residual, scales)
    return [Outlier(*row) for row in zip(*(column[far].tolist() for column in columns), strict=True)]
