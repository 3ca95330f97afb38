"""Measurements of the zoo, written row by row."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from zoo.statistics import Flag, Measurements, PeopleCalibration, calibrate


def said(*rows: tuple[int, int, float | Flag], truth_deg: float = math.nan) -> Measurements:
    """Return rows of galaxy, person, and inclination or flag; all are standards if a truth is given."""
    flags = [what if isinstance(what, Flag) else Flag.NONE for _, _, what in rows]
    return Measurements(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        np.array([math.nan if isinstance(what, Flag) else what for _, _, what in rows], np.float64),
        np.array(flags, np.int64),
        np.full(len(rows), math.isfinite(truth_deg)),
        np.full(len(rows), truth_deg),
    )


def joined(*parts: Measurements) -> Measurements:
    """Return measurements one after another."""
    names = ("galaxy", "person", "inclination_deg", "flag", "is_standard", "truth_deg")
    return Measurements(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def trusted(people: int = 8, **change: object) -> PeopleCalibration:
    """Return calibrated people without bias and with the usual scatter."""
    nothing = calibrate(said(*((0, person, 60.0) for person in range(people))))
    known = replace(nothing, calibrated=np.ones(people, np.bool_), covariance=np.zeros((people, 2, 2)))
    return replace(known, **change)  # type: ignore[arg-type]  # by name, as the test has them
