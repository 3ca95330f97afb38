"""The training data of a release's networks, and its files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from gateway.images.ellipse import fit_ellipse, inclination_deg
from training.data import dataset
from training.data.axis_ratios import expected_deg
from training.data.dataset import FACE_ON_BELOW_DEG
from training.data.human_scale import fit_catalogue_scale
from training.data.labels import AXIS_RATIO_EDGE_ON
from training.simulation import sample

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from training.data.dataset import RealGalaxy
    from training.simulation.sample import SimulatedSample

WEAK_FACE_ON_BELOW_DEG = 35.0
"""Inclination by axis ratio below which an unmeasured galaxy counts as rejected by people."""

CATALOGUED_ABOVE_DEG = 55.0
"""Inclination above which the fit to measured galaxies also holds for unmeasured ones, degrees."""

OUTLINED_BELOW_DEG = 38.0
"""Inclination by axis ratio below which it is used for galaxies that nobody judged (:mod:`.axis_ratios`).

People rejected four in five galaxies with such an outline as face-on; of those above they measured most, at 45 deg and
more. For an unjudged galaxy above, the outline does not predict which.
"""

_REJECTED_BELOW_DEG = 50.0
"""A galaxy that people rejected as face-on, though its outline gives more than this, has a wrong outline."""

_DWARF_STAGE = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePaths:
    """The input and output files of a release.

    Attributes
    ----------
    tables : tuple of Path
        Tables of human-labelled galaxies to train on; empty to train on simulated galaxies alone.
    set_aside : tuple of Path
        Tables whose galaxies are excluded from every training bag and measured separately.
    runs : Path
        Folder of the snapshots and the simulated sample, for ``--resume``.
    model_repo : Path
        Folder of the SavedModels and the manifest.
    models_config : Path
        File that is generated from the manifest.
    start : Path or None
        Model repository of an earlier release, from whose flavors those of the same names start.
    """

    tables: tuple[Path, ...]
    set_aside: tuple[Path, ...]
    runs: Path
    model_repo: Path
    models_config: Path
    start: Path | None = None

    @property
    def simulated(self) -> Path:
        """Folder of the simulated sample."""
        return self.runs / "simulated"


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The training data of a release's networks: simulated galaxies, and the training part of the real ones."""

    simulated: SimulatedSample
    real: Sequence[RealGalaxy]
    images: NDArray[np.uint8]

    @property
    def measured(self) -> NDArray[np.intp]:
        """Indices of the real galaxies that people measured."""
        return np.flatnonzero([galaxy.measured for galaxy in self.real])


def real_galaxies(paths: ReleasePaths) -> tuple[tuple[RealGalaxy, ...], Collection[int]]:
    """Read the tables: all galaxies, and the numbers of those that are set aside."""
    rows = tuple(g for table in paths.tables for g in dataset.read_table(table))
    return rows, frozenset(g.pgc for table in paths.set_aside for g in dataset.read_table(table))


@lru_cache(maxsize=1)
def gather(paths: ReleasePaths) -> TrainingData:
    """Read the simulated sample and the training part of the real galaxies; once per process."""
    rows, kept_out = real_galaxies(paths)
    training = dataset.select(rows, "train", exclude=kept_out)
    return TrainingData(sample.load(paths.simulated), training, dataset.images(training))


def catalogue_judgement(galaxy: RealGalaxy) -> str | None:
    """Return the reason for which people would reject an unjudged galaxy, by the catalogues' facts.

    It is no spiral (of an early type, or a dwarf), or face-on; None where no reason is known.
    """
    if galaxy.judgement is not None:
        return None
    if galaxy.stage < 0 or galaxy.stage >= _DWARF_STAGE:
        return "unsuitable"
    return "face_on" if galaxy.axis_ratio_deg < WEAK_FACE_ON_BELOW_DEG else None


def catalogued(data: TrainingData) -> NDArray[np.float64]:
    """Return inclinations on the human scale, degrees ``[N]``, for spirals that nobody measured; NaN for others.

    Inclined ones get the human scale's value for the catalogues' columns. Nearly face-on ones, including those that
    people rejected as face-on, get the axis ratios' value: the mean of the catalogue's inclination and that of an
    ellipse fitted to the picture, but at least the mean inclination of discs with such a round outline.
    """
    spiral = np.array(
        [0 <= g.stage < _DWARF_STAGE and not g.measured and g.reject in {"", "face_on"} for g in data.real], bool
    )
    rejected = np.array([g.reject == "face_on" for g in data.real], bool)
    said = fit_catalogue_scale(data.real)(data.real)
    ratios = np.array([g.axis_ratio_deg for g in data.real], np.float64)
    inclined = spiral & ~rejected & ~(ratios < WEAK_FACE_ON_BELOW_DEG) & (said > CATALOGUED_ABOVE_DEG)
    outline = np.full(len(data.real), np.nan)
    for place in np.flatnonzero(spiral & ~inclined):
        fitted = fit_ellipse(data.images[place])
        known = [ratios[place]] if np.isfinite(ratios[place]) else []
        known += [] if fitted is None else [inclination_deg(fitted.axis_ratio, AXIS_RATIO_EDGE_ON)]
        outline[place] = np.mean(known) if known else np.nan
    outlined = np.maximum(outline, expected_deg(outline))
    outlined = np.where(rejected, np.minimum(outlined, FACE_ON_BELOW_DEG), outlined)
    trusted = spiral & (outline < np.where(rejected, _REJECTED_BELOW_DEG, OUTLINED_BELOW_DEG))
    return np.where(inclined, said, np.where(trusted, outlined, np.nan))
