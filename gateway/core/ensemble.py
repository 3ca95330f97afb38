"""Combines the networks' answers into the gateway's: median, spread, calibrated intervals, warnings. Pure."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.core.manifest import Calibration
    from gateway.core.models import EnsemblePrediction, RejectorPrediction

REJECTION_LIKELY = 0.5
EDGE_DEG = 2.0
DISAGREEMENT_DEG = 6.0
"""Standard deviation from which the networks count as disagreeing, degrees: twice a single network's rms."""
ELLIPTICITY_DISAGREEMENT_DEG = 15.0
AXIS_RATIO_TELLS_FROM_DEG = 30.0
"""Inclination from which an axis ratio constrains the tilt, degrees.

A face-on disc with an ellipticity of 0.05 to 0.1, which spirals have, reads 18 to 26 deg (arccos of 0.95 and 0.9), and
near face-on the axis ratio changes only with the square of the inclination. There the networks and the axis ratio
differ by 15 deg without any fault.
"""


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval, degrees."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RejectionLikelihood:
    """How likely a person would reject an image, and why: medians of the rejectors, 0..1.

    ``face_on``: the galaxy is too face-on for the original's use, below 45 deg. ``unsuitable``: it is disturbed,
    crowded, poorly seen, or no spiral. Each is a median of its own, so that the two need not add up to ``median``.
    """

    median: float
    face_on: float
    unsuitable: float


@dataclass(frozen=True, slots=True)
class Inclination:
    """The answer of an ensemble, degrees."""

    median_deg: float
    mean_deg: float
    stdev_deg: float
    interval68_deg: Interval
    interval95_deg: Interval
    below95_deg: float | None
    """Upper limit of the inclination at 95 %, where the 95 % interval reaches the lower end of the range; else None."""
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
        Inclinations in degrees, at least one, all finite.
    calibration : Calibration
        Quantiles that turn the spread into intervals.
    label_range_deg : (float, float)
        Range of the networks' answers, degrees.

    Raises
    ------
    ValueError
        There is no inclination, or one is not finite.
    """
    if not inclinations or not all(map(math.isfinite, inclinations)):
        raise ValueError("an ensemble needs at least one flavor, and finite inclinations only")
    median = statistics.median(inclinations)
    stdev = float(np.std(inclinations, ddof=1)) if len(inclinations) > 1 else 0.0
    scale = math.hypot(calibration.floor_deg, stdev)
    low, high = label_range_deg

    at = [one.at_deg for one in calibration.quantiles]

    def quantile(name: str) -> float:
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


def rejection_of(rejectors: Sequence[RejectorPrediction]) -> RejectionLikelihood | None:
    """Combine the rejectors' likelihoods; None where no rejector answered."""
    if not rejectors:
        return None
    return RejectionLikelihood(
        median=statistics.median(one.rejection for one in rejectors),
        face_on=statistics.median(one.face_on for one in rejectors),
        unsuitable=statistics.median(one.unsuitable for one in rejectors),
    )


def quorum(fraction: float, flavors: int) -> int:
    """Return how many of ``flavors`` must answer: the fraction rounded up, at least one."""
    return max(1, math.ceil(fraction * flavors - 1e-9))


def warnings(
    inclination: Inclination,
    rejection: RejectionLikelihood | None,
    ellipticity_deg: float | None,
    reading: EnsemblePrediction,
    label_range_deg: tuple[float, float] = (0.0, 90.0),
) -> tuple[str, ...]:
    """Return warnings, in plain words, about the answer.

    The networks and the axis ratio are compared where either exceeds :data:`AXIS_RATIO_TELLS_FROM_DEG`.
    """
    lower, median = label_range_deg[0], inclination.median_deg
    said = []
    if median < lower + EDGE_DEG and lower > 0:
        said.append(
            f"The inclination is at the lower edge of what the networks were trained on ({lower:g} deg): "
            "the galaxy may be more face-on than this.",
        )
    if inclination.stdev_deg > DISAGREEMENT_DEG:
        said.append(
            f"The networks disagree (standard deviation {inclination.stdev_deg:.1f} deg): look at the image yourself.",
        )
    if rejection is not None and rejection.median >= REJECTION_LIKELY:
        said += _reasons(rejection, measured=lower == 0)
    if ellipticity_deg is None:
        said.append("No isophote could be fitted, so there is no ellipticity inclination to compare with.")
    elif (
        abs(max(ellipticity_deg, lower) - median) > ELLIPTICITY_DISAGREEMENT_DEG
        and max(ellipticity_deg, median) > AXIS_RATIO_TELLS_FROM_DEG
    ):
        said.append(
            f"The axis ratio suggests {ellipticity_deg:.0f} deg, far from the networks' {median:.0f} deg: a bulge, a "
            "bar or a neighbour may mislead one of them.",
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


def _reasons(rejection: RejectionLikelihood, *, measured: bool) -> list[str]:
    """Name why a person would reject an image: the likelier part, and the other if it is at least half as likely.

    ``measured``: whether galaxies below 45 deg are within the range of the networks.
    """
    said = []
    least = max(rejection.face_on, rejection.unsuitable) / 2
    if rejection.face_on >= least:
        still = "; the inclination itself is still measured" if measured else ""
        said.append(
            f"{_how_likely(rejection.face_on).capitalize()} too face-on (below 45 deg; likelihood "
            f"{rejection.face_on:.2f}) for the Tully-Fisher relation and for the original's samples{still}.",
        )
    if rejection.unsuitable >= least:
        said.append(
            f"A person would {_how_likely(rejection.unsuitable)} reject this image (likelihood "
            f"{rejection.unsuitable:.2f}): disturbed, crowded, poor or not a spiral.",
        )
    return said


def _how_likely(likelihood: float) -> str:
    return "probably" if likelihood >= REJECTION_LIKELY else "perhaps"
