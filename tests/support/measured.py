"""Measurements of the zoo written down row by row."""

from __future__ import annotations

import math

import numpy as np

from zoo.statistics import Flag, Measurements


def said(*rows: tuple[int, int, float | Flag], truth_deg: float = math.nan) -> Measurements:
    """Rows of galaxy, person, and an inclination or the flag instead; all are standards where a truth is given."""
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
    """Measurements one after another."""
    names = ("galaxy", "person", "inclination_deg", "flag", "is_standard", "truth_deg")
    return Measurements(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
