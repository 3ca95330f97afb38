"""Measures a release on labelled pictures: the report that says how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from training import metrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from gateway.contract import Calibration, Manifest
    from training.dataset import RealGalaxy


@dataclass(frozen=True, slots=True)
class Predictions:
    """What every network said of the same pictures: float64 ``[N]`` for each name."""

    flavors: Mapping[str, NDArray[np.float64]]
    rejectors: Mapping[str, NDArray[np.float64]]

    @property
    def stacked(self) -> NDArray[np.float64]:
        """Inclinations, float64 ``[flavors, N]``."""
        return np.stack(list(self.flavors.values()))


def predict(manifest: Manifest, model_repo: Path, images: NDArray[np.uint8]) -> Predictions:
    """Ask every SavedModel of a release about model inputs."""
    from training import export  # noqa: PLC0415 - a report on predictions made elsewhere needs no TensorFlow

    def ask(models: Sequence[Any]) -> dict[str, NDArray[np.float64]]:
        return {m.name: export.answer(export.load(model_repo / m.name / str(m.version)), images) for m in models}

    return Predictions(ask(manifest.flavors), ask(manifest.rejectors))


def report(galaxies: Sequence[RealGalaxy], said: Predictions, calibration: Calibration | None = None) -> dict[str, Any]:
    """Compare predictions with human labels.

    Returns
    -------
    dict
        ``ensemble`` {``median``, ``mean``}, ``architectures``, ``flavors``: the dict of
        :func:`training.metrics.residuals`, the ensemble's with ``bins``. ``axis_ratio``: the catalogue's inclinations
        of the same galaxies, where it has them. ``rejectors``: the dict of :func:`training.metrics.classification`,
        with the areas of the two reasons apart. ``coverage`` of the calibrated intervals. What can't be measured is
        absent.
    """
    found: dict[str, Any] = {}
    measured = np.array([g.measured for g in galaxies])
    labels = np.array([g.inclination_deg for g in galaxies], np.float64)[measured]
    if measured.any() and said.flavors:
        stacked = said.stacked[:, measured]
        median = np.median(stacked, axis=0)
        found["ensemble"] = {
            "median": {**metrics.residuals(labels, median), "bins": metrics.by_bin(labels, median)},
            "mean": metrics.residuals(labels, stacked.mean(axis=0)),
        }
        found["architectures"] = _by_architecture(said, measured, labels)
        found["flavors"] = {n: metrics.residuals(labels, p[measured]) for n, p in said.flavors.items()}
        if calibration is not None:
            found["coverage"] = metrics.coverage(labels, stacked, calibration)
        catalogued = np.array([g.axis_ratio_deg for g in galaxies], np.float64)[measured]
        known = ~np.isnan(catalogued)
        if known.any():
            found["axis_ratio"] = metrics.residuals(labels[known], catalogued[known])
    rejected = np.array([g.reject != "" for g in galaxies])
    judged = measured | rejected
    if rejected.any() and measured.any():
        found["rejectors"] = {
            name: _rejection(galaxies, judged, likelihood) for name, likelihood in said.rejectors.items()
        }
    return found


def _by_architecture(
    said: Predictions, measured: NDArray[np.bool_], labels: NDArray[np.float64]
) -> dict[str, dict[str, float]]:
    names = sorted({name.rpartition("_")[0] for name in said.flavors})
    return {
        name: metrics.residuals(
            labels,
            np.median([p[measured] for n, p in said.flavors.items() if n.rpartition("_")[0] == name], axis=0),
        )
        for name in names
    }


def _rejection(
    galaxies: Sequence[RealGalaxy], judged: NDArray[np.bool_], likelihood: NDArray[np.float64]
) -> dict[str, float]:
    reasons = np.array([g.reject for g in galaxies])[judged]
    known = likelihood[judged]
    summary = metrics.classification(reasons != "", known)
    for reason in ("face_on", "unsuitable"):
        compared = (reasons == "") | (reasons == reason)
        summary[f"roc_area_{reason}"] = metrics.roc_area(reasons[compared] == reason, known[compared])
    return summary
