"""Statistics of people's measurements: pure functions of arrays, without files, network or database.

:func:`calibrate` estimates each person's bias from hidden standards, :func:`labels` combines the measurements of each
galaxy to one label, :func:`agreement` compares groups of people. ``docs/explanation/zoo-statistics.md`` describes the
model.
"""

from zoo.statistics.agreement import Agreement, InclinationBin, agreement, differences, retests
from zoo.statistics.calibration import PeopleCalibration, calibrate
from zoo.statistics.labels import GalaxyLabel, labels
from zoo.statistics.measurements import Flag, Measurements

__all__ = [
    "Agreement",
    "Flag",
    "GalaxyLabel",
    "InclinationBin",
    "Measurements",
    "PeopleCalibration",
    "agreement",
    "calibrate",
    "differences",
    "labels",
    "retests",
]
