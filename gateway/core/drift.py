"""Expected statistics of a release's answers, computed from its manifest: the reference for detecting drift.

A running service never learns the true inclination of its galaxies. It can see whether its networks still agree with
each other as they did on the test galaxies of the release. The functions are pure.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.core.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Expectation:
    """Statistics of a release on its test galaxies; None, or absent, where the manifest does not give them.

    Attributes
    ----------
    stdev_deg : float, optional
        Root mean square of the flavors' standard deviation (n - 1), degrees. By the ambiguity decomposition (Krogh &
        Vedelsby 1995, NIPS 7, 231) the mean squared error of the members exceeds that of their mean by exactly their
        variance: ``stdev^2 = n / (n - 1) (mean(rms_k^2) - rms^2)``. The manifest's ``rms`` is the median's, which
        differs from the mean's by little.
    rejected_share : float, optional
        Fraction of images whose rejection likelihood was at least one half, 0..1: ``recall x rejected / precision``
        of all, averaged over the rejectors.
    deviation_deg : mapping
        Mean of each flavor's inclination minus the ensemble's, degrees, by flavor: the difference of their biases.
    """

    stdev_deg: float | None
    rejected_share: float | None
    deviation_deg: Mapping[str, float] = field(default_factory=dict)


def expectation(manifest: Manifest) -> Expectation:
    """Return the expected statistics of the release that ``manifest`` describes."""
    return Expectation(_stdev_deg(manifest), _rejected_share(manifest), _deviation_deg(manifest))


def _stdev_deg(manifest: Manifest) -> float | None:
    singles = [flavor.metrics.get("rms_deg", math.nan) for flavor in manifest.flavors]
    count = len(singles)
    if count == 1:
        return None
    excess = statistics.fmean(one**2 for one in singles) - manifest.metrics.get("rms_deg", math.nan) ** 2
    # an ensemble no better than its members does not reveal their spread; NaN (a missing metric) compares as false
    return math.sqrt(count / (count - 1) * excess) if excess > 0 else None


def _rejected_share(manifest: Manifest) -> float | None:
    shares = []
    for rejector in manifest.rejectors:
        known = rejector.metrics
        judged = known.get("rejected", 0.0) + known.get("kept", 0.0)
        if judged and known.get("precision") and "recall" in known:
            shares.append(known["recall"] * known["rejected"] / known["precision"] / judged)
    return statistics.fmean(shares) if shares else None


def _deviation_deg(manifest: Manifest) -> dict[str, float]:
    ensemble = manifest.metrics.get("bias_deg")
    if ensemble is None:
        return {}
    return {one.name: one.metrics["bias_deg"] - ensemble for one in manifest.flavors if "bias_deg" in one.metrics}
