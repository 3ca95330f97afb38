"""The human scale: estimates people's inclination of a galaxy from other facts about it.

People have not measured two thousand of the spirals, nor any simulated galaxy. Before these train a network, their
inclinations, from catalogues and the simulation, are converted to people's scale by a fit to the measured galaxies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.data.dataset import FACE_ON_BELOW_DEG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from training.data.dataset import RealGalaxy

LABEL_RANGE_DEG = (0.0, 90.0)
_ENOUGH = 100
"""Fewest measured galaxies for a fit of a catalogue's scale."""

_TYPICAL_STAGE = 4.0


@dataclass(frozen=True, slots=True)
class HumanScale:
    """Converts the inclinations of a network trained on simulated galaxies to people's inclinations.

    ``label = x + a x^2 + b x^3`` in units of 90 deg. Simulated labels are converted before they are mixed with real
    ones: real discs seen edge-on are rounder than simulated ones of the same thickness (haloes, bulges, warps), and a
    network can't learn two scales from one sample. Face-on is the same on both scales, so nothing is added at 0, and
    the human scale, which people measured from 45 deg on, continues below it without a step.
    """

    square: float = 0.0
    cube: float = 0.0

    def __call__(self, inclination_deg: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return degrees on the human scale for degrees of the simulation, clipped to the label range."""
        x = np.asarray(inclination_deg) / 90
        return np.asarray(90 * np.clip(x + self.square * x**2 + self.cube * x**3, 0, 1), np.float32)


def fit_human_scale(labels_deg: NDArray[np.float64], predicted_deg: NDArray[np.float64]) -> HumanScale:
    """Fit human labels against the predictions of the pretrained network, on training galaxies."""
    x, y = predicted_deg / 90, labels_deg / 90
    square, cube = np.linalg.lstsq(np.stack([x**2, x**3], axis=1), y - x, rcond=None)[0]
    return HumanScale(float(square), float(cube))


@dataclass(frozen=True, slots=True)
class CatalogueScale:
    """Converts catalogues' columns to people's inclinations: a quadratic in each column, fitted by least squares.

    Attributes
    ----------
    with_axes : tuple of float, or None
        Coefficients for galaxies with an axis ratio and an expert's eye estimate; the rms of the residuals is about
        3.7 deg, where the axis ratio alone gives 5.3.
    without_axes : tuple of float, or None
        Coefficients for galaxies with the eye estimate alone (about 5 deg).

    None where too few measured galaxies have those columns.
    """

    with_axes: tuple[float, ...] | None
    without_axes: tuple[float, ...] | None

    def __call__(self, galaxies: Sequence[RealGalaxy]) -> NDArray[np.float64]:
        """Return the estimated human inclination of each galaxy, degrees within 45..90; NaN where nothing is known."""
        found = np.full(len(galaxies), np.nan)
        for axes, coefficients in ((False, self.without_axes), (True, self.with_axes)):
            if coefficients is not None:
                said = _columns(galaxies, axes=axes) @ np.array(coefficients)
                found = np.where(np.isfinite(said), said, found)
        return np.where(np.isfinite(found), np.clip(found, FACE_ON_BELOW_DEG, 90), np.nan)


def fit_catalogue_scale(galaxies: Sequence[RealGalaxy]) -> CatalogueScale:
    """Fit the catalogues' columns to the labels of the galaxies that people measured."""
    measured = [galaxy for galaxy in galaxies if galaxy.measured]
    labels = np.array([galaxy.inclination_deg for galaxy in measured])

    def fitted(*, axes: bool) -> tuple[float, ...] | None:
        columns = _columns(measured, axes=axes)
        known = np.isfinite(columns).all(axis=1) if len(columns) else np.zeros(0, bool)
        if known.sum() < _ENOUGH:
            return None
        return tuple(float(c) for c in np.linalg.lstsq(columns[known], labels[known], rcond=None)[0])

    return CatalogueScale(fitted(axes=True), fitted(axes=False))


def _columns(galaxies: Sequence[RealGalaxy], *, axes: bool) -> NDArray[np.float64]:
    """Return a row of regressors for each galaxy; NaN where one is unknown. An unknown stage counts as an Sbc."""
    expert = np.array([galaxy.expert for galaxy in galaxies])
    stage = np.nan_to_num(np.array([galaxy.stage for galaxy in galaxies]), nan=_TYPICAL_STAGE) / 10
    columns = [np.ones(len(galaxies)), expert, expert**2, stage, stage**2]
    if axes:
        ratio = np.array([galaxy.axis_ratio_deg for galaxy in galaxies]) / 90
        columns += [ratio, ratio**2, ratio * expert]
    return np.stack(columns, axis=1)
