"""Galaxies with human judgements, and plausible predictions of networks."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from tests.support.manifests import calibration
from training.data.dataset import RealGalaxy
from training.evaluation.evaluate import Predictions

CALIBRATION = calibration(narrow=1.5, wide=3.0, below=2.5, floor_deg=1.0)


def galaxies(count: int = 60, rejected: int = 20) -> list[RealGalaxy]:
    labels = np.random.default_rng(4).uniform(46, 89, count).round(1)
    kept = [RealGalaxy(n, Path(f"{n}.jpg"), float(label), "") for n, label in enumerate(labels)]
    reasons = ["face_on", "unsuitable"] * (rejected // 2)
    return kept + [RealGalaxy(count + n, Path(f"r{n}.jpg"), math.nan, reason) for n, reason in enumerate(reasons)]


def predictions(rows: list[RealGalaxy], *, scatter: float = 3.0) -> Predictions:
    """Return predictions of six flavors of two architectures, and of two rejectors that know only face-on galaxies."""
    rng = np.random.default_rng(7)
    truth = np.nan_to_num(np.array([row.inclination_deg for row in rows]), nan=47.0)
    shared = rng.normal(0, scatter, len(rows))
    names = [f"{a}_m{n}" for a in ("deep", "wide") for n in range(3)]
    flavors = {name: np.clip(truth + shared + rng.normal(0, 1, len(rows)), 45, 90) for name in names}
    face_on = np.array([row.reject == "face_on" for row in rows])
    rejectors = {f"{a}_reject": rng.uniform(0, 0.6, len(rows)) + 0.4 * face_on for a in ("deep", "wide")}
    reasons = {
        "face_on": {name: likelihood * face_on for name, likelihood in rejectors.items()},
        "unsuitable": {name: likelihood * ~face_on for name, likelihood in rejectors.items()},
    }
    return Predictions(flavors, rejectors, reasons)
