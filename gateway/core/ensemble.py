"""From what the networks said to what the gateway answers: median, spread, calibrated intervals, warnings. Pure."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.core.manifest import Calibration
    from gateway.core.models import EnsemblePrediction

REJECTION_LIKELY = 0.5
EDGE_DEG = 2.0
DISAGREEMENT_DEG = 6.0
"""Spread (standard deviation) from which the networks are said to disagree: twice a single network's rms."""
ELLIPTICITY_DISAGREEMENT_DEG = 15.0


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval, degrees."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Inclination:
    """The answer of an ensemble, degrees."""

    median_deg: float
    mean_deg: float
    stdev_deg: float
    interval68_deg: Interval
    interval95_deg: Interval
    below95_deg: float | None
    """Below this with 95 %, where the 95 % interval reaches the lower end of the range; None elsewhere."""
    range_deg: Interval


def combine(
    inclinations: Sequence[float],
    calibration: Calibration,
    label_range_deg: tuple[float, float] = (0.0, 90.0),
) -> Inclination:
    """Combine the flavors' inclinations.

    The median is the answer (Kourkchi et al. 2020, ApJ 902, 145); the standard deviation is the sample's (n - 1), 0 for
    one flavor alone; the intervals are those of :class:`gateway.core.manifest.Calibration`, cut to the label range, and
    always hold the median.

    Parameters
    ----------
    inclinations : sequence of float
        Degrees, at least one, all finite.
    calibration : Calibration
    label_range_deg : (float, float)
        What the networks can say at all.

    Raises
    ------
    ValueError
        No inclination, or one that is not finite.
    """
    if not inclinations or not all(map(math.isfinite, inclinations)):
        raise ValueError("an ensemble needs at least one flavor, and finite inclinations only")
    median = statistics.median(inclinations)
    stdev = statistics.stdev(inclinations) if len(inclinations) > 1 else 0.0
    scale = math.hypot(calibration.floor_deg, stdev)
    low, high = label_range_deg

    def quantile(name: str) -> float:
        at = [one.at_deg for one in calibration.quantiles]
        return float(np.interp(median, at, [getattr(one, name) for one in calibration.quantiles]))

    def interval(level: int) -> Interval:
        return Interval(
            min(median, max(low, median - quantile(f"low{level}") * scale)),
            max(median, min(high, median + quantile(f"high{level}") * scale)),
        )

    interval95 = interval(95)
    below95 = max(median, min(high, median + quantile("below95") * scale))
    return Inclination(
        median_deg=median,
        mean_deg=statistics.fmean(inclinations),
        stdev_deg=stdev,
        interval68_deg=interval(68),
        interval95_deg=interval95,
        below95_deg=below95 if interval95.low <= low else None,
        range_deg=Interval(min(inclinations), max(inclinations)),
    )


def quorum(fraction: float, flavors: int) -> int:
    """Return how many of ``flavors`` must answer: the fraction rounded up, at least one."""
    return max(1, math.ceil(fraction * flavors - 1e-9))


def warnings(
    inclination: Inclination,
    rejection: float | None,
    ellipticity_deg: float | None,
    reading: EnsemblePrediction,
    label_range_deg: tuple[float, float] = (0.0, 90.0),
) -> tuple[str, ...]:
    """Say in plain words what a careful reader of the numbers should know."""
    lower = label_range_deg[0]
    said = []
    if inclination.median_deg < lower + EDGE_DEG:
        said.append(
            f"The inclination is at the lower edge of what the networks were trained on ({lower:g} deg): "
            "the galaxy may be more face-on than this.",
        )
    if inclination.stdev_deg > DISAGREEMENT_DEG:
        said.append(
            f"The networks disagree (standard deviation {inclination.stdev_deg:.1f} deg): look at the image yourself.",
        )
    if rejection is not None and rejection >= REJECTION_LIKELY:
        said.append(
            f"A person would probably reject this image (likelihood {rejection:.2f}): "
            "too face-on, disturbed, not a spiral, or a poor image.",
        )
    if ellipticity_deg is None:
        said.append("No isophote could be fitted, so there is no ellipticity inclination to compare with.")
    elif abs(max(ellipticity_deg, lower) - inclination.median_deg) > ELLIPTICITY_DISAGREEMENT_DEG:
        said.append(
            f"The axis ratio suggests {ellipticity_deg:.0f} deg, far from the networks' {inclination.median_deg:.0f} "
            "deg: a bulge, a bar or a neighbour may mislead one of them.",
        )
    if reading.missing:
        names = ", ".join(reading.missing)
        said.append(f"Networks that did not answer: {names}. The result is that of the others.")
    if reading.unreleased:
        said.append(
            f"This is not the word of the release alone: {', '.join(reading.unreleased)} answered, which its manifest "
            "does not name. Metrics and intervals of the release do not hold for it.",
        )
    return tuple(said)
