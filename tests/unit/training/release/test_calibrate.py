from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from gateway.core.ensemble import combine
from training.release import calibrate

if TYPE_CHECKING:
    from numpy.typing import NDArray


def test_the_conformal_quantile_counts_the_galaxy_to_come() -> None:
    scores = np.arange(1.0, 100.0)  # 99 of them
    assert calibrate.conformal_quantile(scores, 0.68) == 68
    assert calibrate.conformal_quantile(scores, 0.95) == 95
    assert calibrate.conformal_quantile(np.array([3.0, 1.0]), 0.95) == 3


def galaxies(count: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Labels, and predictions of four networks that err most, and together, where a galaxy is nearly face-on."""
    rng = np.random.default_rng(seed)
    labels = np.degrees(np.arccos(rng.uniform(0, 1, count)))
    common = np.interp(labels, [0, 45, 90], [9, 4, 1.5])
    difficulty = rng.uniform(0.5, 1.5, count)
    said = labels + common * difficulty * rng.normal(0, 1, count) + difficulty * rng.normal(0, 1, (4, count))
    return labels, np.clip(said, 0, 90)


def test_calibrated_intervals_hold_the_promised_share_in_every_range_of_galaxies_not_used_to_fit_them() -> None:
    calibration = calibrate.calibrate(*galaxies(4000, 2))
    labels, said = galaxies(6000, 3)
    answers = [combine(one.tolist(), calibration) for one in said.T]
    medians = np.array([one.median_deg for one in answers])
    for low, high in ((25, 35), (35, 45), (45, 60), (60, 75), (75, 85)):
        near = (medians >= low) & (medians < high)
        for level, name in ((0.68, "interval68_deg"), (0.95, "interval95_deg")):
            bounds = [getattr(one, name) for one in answers]
            inside = np.array([one.low <= label <= one.high for one, label in zip(bounds, labels, strict=True)])
            assert inside[near].mean() == pytest.approx(level, abs=0.09 if level < 0.9 else 0.05), (low, high, level)
    widths = np.array([one.interval68_deg.high - one.interval68_deg.low for one in answers])
    assert widths[medians < 40].mean() > 2 * widths[medians > 75].mean()


def test_a_bound_below_which_a_nearly_face_on_galaxy_lies_holds_in_nineteen_of_twenty() -> None:
    calibration = calibrate.calibrate(*galaxies(4000, 2))
    labels, said = galaxies(20_000, 4)
    bounds = [combine(one.tolist(), calibration).below95_deg for one in said.T]
    held = [label <= bound for bound, label in zip(bounds, labels, strict=True) if bound is not None]
    assert len(held) > 100
    assert np.mean(held) == pytest.approx(0.95, abs=0.04)


def test_galaxies_are_judged_by_the_networks_that_did_not_learn_from_them() -> None:
    labels, said = galaxies(600, 5)
    with_nothing_known = np.concatenate([said, np.full((2, 600), np.nan)])
    assert calibrate.calibrate(labels, with_nothing_known) == calibrate.calibrate(labels, said)
