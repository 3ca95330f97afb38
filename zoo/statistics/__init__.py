"""What people's measurements say: pure functions of arrays, without files, network or database.

:func:`calibrate` learns from hidden standards how each person reads, :func:`labels` makes one label a galaxy of what
all of them said, :func:`agreement` compares groups of people with each other. The model is told in
``docs/explanation/zoo-statistics.md``.
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
