"""Measures a release on labelled pictures, and reports its errors.

:mod:`training.evaluation.labelled_images` reads the pictures, and :mod:`training.evaluation.predictions_table`
predictions made elsewhere; this module works on numbers only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gateway.core import ensemble
from gateway.core.manifest import FACE_ON, INCLINATION, REJECTION, UNSUITABLE
from training.evaluation import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from gateway.core.manifest import Calibration, Manifest
    from training.data.dataset import RealGalaxy

REASONS = (FACE_ON, UNSUITABLE)
_FLAVOR = re.compile(r"(?P<architecture>.+)_m\d+")


@dataclass(frozen=True, slots=True)
class Intervals:
    """Calibrated intervals of the ensemble as they are served, degrees, float64 ``[N]`` each."""

    low68: NDArray[np.float64]
    high68: NDArray[np.float64]
    low95: NDArray[np.float64]
    high95: NDArray[np.float64]

    def of(self, chosen: NDArray[np.bool_]) -> Intervals:
        """Return the intervals of some of the pictures."""
        return Intervals(self.low68[chosen], self.high68[chosen], self.low95[chosen], self.high95[chosen])


@dataclass(frozen=True, slots=True)
class Predictions:
    """The answers of all networks for the same pictures: float64 ``[N]`` by name.

    ``reasons`` are the parts of the rejectors' likelihoods, by reason and name; empty where the rejectors give none.
    """

    flavors: Mapping[str, NDArray[np.float64]]
    rejectors: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    reasons: Mapping[str, Mapping[str, NDArray[np.float64]]] = field(default_factory=dict)

    @property
    def stacked(self) -> NDArray[np.float64]:
        """Inclinations of all flavors, float64 ``[flavors, N]``."""
        return np.stack(list(self.flavors.values()))

    @property
    def median(self) -> NDArray[np.float64]:
        """Median of all flavors: the ensemble's answer, float64 ``[N]``."""
        return np.asarray(np.median(self.stacked, axis=0), np.float64)

    @property
    def rejection(self) -> NDArray[np.float64] | None:
        """Median of the rejectors, float64 ``[N]``; None where there are none."""
        if not self.rejectors:
            return None
        return np.asarray(np.median(np.stack(list(self.rejectors.values())), axis=0), np.float64)

    def likelihoods(self, name: str) -> dict[str, NDArray[np.float64]]:
        """Return one rejector's likelihoods by reason, or the medians of all for ``ensemble``; ``""`` is any reason."""
        if name == "ensemble":
            names = list(self.rejectors)
            return {
                reason: np.median([self.likelihoods(one)[reason] for one in names], axis=0) for reason in ("", *REASONS)
            }
        return {"": self.rejectors[name]} | {
            reason: self.reasons[reason][name] if reason in self.reasons else self.rejectors[name] for reason in REASONS
        }

    @property
    def architectures(self) -> dict[str, NDArray[np.float64]]:
        """Medians of the flavors of each architecture; flavors whose names have no architecture are left out."""
        members: dict[str, list[NDArray[np.float64]]] = {}
        for name, said in self.flavors.items():
            if match := _FLAVOR.fullmatch(name):
                members.setdefault(match["architecture"], []).append(said)
        return {name: np.median(said, axis=0) for name, said in members.items()}


def opened(manifest: Manifest, model_repo: Path) -> Callable[[NDArray[np.uint8]], Predictions]:
    """Load every SavedModel of a release; return a function that runs all of them on model inputs."""
    from training.release import export  # predictions made elsewhere need no TensorFlow

    served = {model.name: export.load(model_repo / model.name / str(model.version)) for model in manifest.models}
    return partial(ask, served)


def ask(served: Mapping[str, Any], images: NDArray[np.uint8]) -> Predictions:
    """Run loaded SavedModels, given by name, on model inputs."""
    from training.release import export

    answers = {name: export.answers(signature, images) for name, signature in served.items()}
    rejectors = {name: said for name, said in answers.items() if REJECTION in said}
    return Predictions(
        {name: said[INCLINATION] for name, said in answers.items() if INCLINATION in said},
        {name: said[REJECTION] for name, said in rejectors.items()},
        {reason: {name: said[reason] for name, said in rejectors.items()} for reason in REASONS} if rejectors else {},
    )


def predict(manifest: Manifest, model_repo: Path, images: NDArray[np.uint8]) -> Predictions:
    """Run every SavedModel of a release on model inputs."""
    return opened(manifest, model_repo)(images)


def intervals(
    said: Predictions, calibration: Calibration, label_range_deg: tuple[float, float] = (0.0, 90.0)
) -> Intervals:
    """Return the intervals that the gateway would serve with these predictions."""
    answers = [ensemble.combine(column.tolist(), calibration, label_range_deg) for column in said.stacked.T]
    bounds = [
        (a.interval68_deg.low, a.interval68_deg.high, a.interval95_deg.low, a.interval95_deg.high) for a in answers
    ]
    return Intervals(*np.array(bounds, np.float64).reshape(-1, 4).T)


def report(
    galaxies: Sequence[RealGalaxy],
    said: Predictions,
    calibration: Calibration | None = None,
    *,
    served: Intervals | None = None,
    ellipticity_deg: NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """Compare predictions with human labels.

    Parameters
    ----------
    galaxies : sequence of RealGalaxy
        N galaxies, in the order of the predictions.
    said : Predictions
    calibration : Calibration, optional
        Calibration of the ensemble; the coverage of its intervals is measured.
    served : Intervals, optional
        The intervals themselves, where they are known without a calibration.
    ellipticity_deg : float64 ``[N]``, optional
        Inclinations from the pictures' own fitted ellipses, NaN where none could be fitted.

    Returns
    -------
    dict
        Results of :func:`training.evaluation.metrics.summary` for ``ensemble`` {``median``, ``mean``, and
        ``accepted``: the median of the galaxies that the rejectors accept}, ``architectures``, ``flavors``,
        ``ellipticity``, and ``axis_ratio`` (the catalogue's inclinations of the same galaxies, where it has them).
        ``rejectors``: results of :func:`training.evaluation.metrics.classification` for each and for ``ensemble``,
        their median; the two reasons separately. ``ranges`` of the median by the label and ``coverage`` of the
        intervals. Numbers that can't be measured are absent.
    """
    found: dict[str, Any] = {}
    measured = np.array([g.measured for g in galaxies], bool)
    labels = np.array([g.inclination_deg for g in galaxies], np.float64)[measured]
    if measured.any() and said.flavors:

        def summary(predicted: NDArray[np.float64]) -> dict[str, Any]:
            return metrics.summary(labels, predicted[measured])

        found["ensemble"] = {"median": summary(said.median), "mean": summary(said.stacked.mean(axis=0))}
        if said.rejection is not None and (kept := said.rejection[measured] < metrics.ACCEPTED_BELOW).any():
            found["ensemble"]["accepted"] = metrics.summary(labels[kept], said.median[measured][kept])
        found["architectures"] = {name: summary(median) for name, median in sorted(said.architectures.items())}
        found["flavors"] = {name: summary(predicted) for name, predicted in said.flavors.items()}
        if calibration is not None and served is None:
            served = intervals(said, calibration)
        found["ranges"] = metrics.by_range(labels, said.median[measured], served and served.of(measured))
        if served is not None:
            found["coverage"] = _coverage(labels, served.of(measured))
        catalogued = np.array([g.axis_ratio_deg for g in galaxies], np.float64)
        for name, rival in (("ellipticity", ellipticity_deg), ("axis_ratio", catalogued)):
            if rival is not None and (known := ~np.isnan(rival[measured])).any():
                found[name] = metrics.summary(labels[known], rival[measured][known])
    judged = np.array([g.judgement is not None for g in galaxies], bool)
    rejected = np.array([bool(g.judgement) for g in galaxies], bool)
    if rejected.any() and (judged & ~rejected).any() and said.rejection is not None:
        found["rejectors"] = {
            name: _rejection(galaxies, judged, said.likelihoods(name)) for name in (*said.rejectors, "ensemble")
        }
    return found


def _coverage(labels: NDArray[np.float64], served: Intervals) -> dict[str, float]:
    """Return the shares of labels inside the intervals, their standard errors, and the mean widths.

    The errors follow Agresti & Coull (1998, American Statistician 52, 119), so that ten of ten is not certain.
    """
    found = {}
    for level, below, above in ((68, served.low68, served.high68), (95, served.low95, served.high95)):
        inside = int(((labels >= below) & (labels <= above)).sum())
        likely = (inside + 2) / (len(labels) + 4)
        found[f"interval{level}"] = inside / len(labels)
        found[f"interval{level}_error"] = float(np.sqrt(likely * (1 - likely) / (len(labels) + 4)))
        found[f"interval{level}_width_deg"] = float(np.mean(above - below))
    return found


def _rejection(
    galaxies: Sequence[RealGalaxy], judged: NDArray[np.bool_], said: Mapping[str, NDArray[np.float64]]
) -> dict[str, float]:
    """Return how well likelihoods separate accepted from rejected galaxies: all, and each reason by itself."""
    reasons = np.array([g.judgement or "" for g in galaxies])[judged]
    summary = metrics.classification(reasons != "", said[""][judged])
    for reason in REASONS:
        compared = (reasons == "") | (reasons == reason)
        found = metrics.classification(reasons[compared] == reason, said[reason][judged][compared])
        summary |= {f"{name}_{reason}": found[name] for name in ("roc_area", "roc_area_error", "recall", "rejected")}
    return summary
