"""Tests without human labels: inclinations from gas motions, and the isotropy of the sky.

Gas motions (velocity fields) give an inclination over the whole range that is independent of a galaxy's look. Randomly
oriented discs have a uniform ``cos i``, so that the answers for many galaxies can be tested without any truth.
"""

from __future__ import annotations

import math
from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from training.data.dataset import TableFault, read_csv
from training.evaluation import metrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from training.data.dataset import RealGalaxy
    from training.evaluation.evaluate import Intervals, Predictions

STAGES = (1, 8)
"""Hubble stages of the discs that are expected to be randomly oriented: Sa to Sdm."""

_BINS = 10
_RIGHT_ANGLE_DEG = 90.0


def read_truth(path: Path) -> dict[int, float]:
    """Return inclinations that were measured by other means, degrees by PGC number.

    A galaxy with several measurements gets their median.

    Raises
    ------
    OSError
        The file can't be read.
    TableFault
        The file is no table, has no columns ``pgc`` and ``inclination``, or a row lacks one of them.
    """
    columns, rows = read_csv(path)
    if missing := [name for name in ("pgc", "inclination") if name not in columns]:
        raise TableFault(f"{path.name} has no column {' and no column '.join(missing)}; it has: {', '.join(columns)}.")
    found: defaultdict[int, list[float]] = defaultdict(list)
    for line, row in rows:
        try:
            pgc, value = int(row["pgc"]), float(row["inclination"])
        except ValueError:
            pgc, value = -1, math.nan
        if pgc < 0 or not 0 <= value <= _RIGHT_ANGLE_DEG:
            raise TableFault(f"{path.name}, line {line} has no PGC number or no inclination between 0 and 90 degrees.")
        found[pgc].append(value)
    return {pgc: median(values) for pgc, values in found.items()}


def compare(
    galaxies: Sequence[RealGalaxy],
    said: Predictions,
    truth: Mapping[int, float],
    *,
    served: Intervals | None = None,
    ellipticity_deg: NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """Compare predictions with inclinations that were measured by other means.

    Returns
    -------
    dict
        For ``ensemble``, ``ellipticity`` and ``axis_ratio``, as far as they are known: ``all`` {results of
        :func:`training.evaluation.metrics.residuals` and its errors} and ``ranges``
        (:func:`training.evaluation.metrics.by_range`). Empty where no galaxy has such an inclination.
    """
    known = np.array([truth.get(g.pgc, math.nan) for g in galaxies], np.float64)
    rivals = {
        "ensemble": said.median,
        "ellipticity": ellipticity_deg,
        "axis_ratio": np.array([g.axis_ratio_deg for g in galaxies], np.float64),
    }
    found: dict[str, Any] = {}
    for name, values in rivals.items():
        if values is None or not (chosen := np.isfinite(known) & np.isfinite(values)).any():
            continue
        held = served.of(chosen) if served is not None and name == "ensemble" else None
        found[name] = {
            "all": {
                **metrics.residuals(known[chosen], values[chosen]),
                **metrics.bootstrap_errors(known[chosen], values[chosen]),
            },
            "ranges": metrics.by_range(known[chosen], values[chosen], held),
        }
    return found


def is_disc(galaxy: RealGalaxy) -> bool:
    """Return whether a galaxy is one of the discs that are expected to be randomly oriented."""
    return STAGES[0] <= galaxy.stage <= STAGES[1]


def isotropy(inclination_deg: NDArray[np.float64]) -> dict[str, Any]:
    """Compare inclinations with randomly oriented discs, for which ``cos i`` is uniform in 0..1.

    Parameters
    ----------
    inclination_deg : float64 ``[N]``
        Inclinations of discs; NaN is left out.

    Returns
    -------
    dict
        ``galaxies``; ``counts`` in ten equal bins of ``cos i`` from 0; ``largest_excess``, the largest distance of the
        cumulative distribution from the uniform one (Kolmogorov-Smirnov), and its place, ``at_deg``.
    """
    cosines = np.cos(np.radians(inclination_deg[np.isfinite(inclination_deg)]))
    counts, _ = np.histogram(cosines, _BINS, (0.0, 1.0))
    test = stats.kstest(cosines, "uniform")
    return {
        "galaxies": len(cosines),
        "counts": counts.tolist(),
        "largest_excess": float(test.statistic),
        "at_deg": float(np.degrees(np.arccos(test.statistic_location))),
    }
