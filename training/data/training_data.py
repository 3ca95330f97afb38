"""What the networks of a release learn from, and where it lies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from training.data import dataset
from training.data.human_scale import LABEL_RANGE_DEG, fit_catalogue_scale
from training.simulation import sample

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from training.data.dataset import RealGalaxy
    from training.simulation.sample import SimulatedSample

WEAK_FACE_ON_BELOW_DEG = 35.0
"""An unmeasured galaxy whose catalogue axis ratio says less than this is taken for one that people would reject."""

CATALOGUED_ABOVE_DEG = 55.0
"""Below this, the catalogues can't tell a galaxy that people measured from one that they rejected as face-on."""

_DWARF_STAGE = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePaths:
    """Where a release comes from and goes.

    Attributes
    ----------
    tables : tuple of Path
        Tables of human-labelled galaxies to learn from; empty to learn from simulation alone.
    set_aside : tuple of Path
        Tables whose galaxies are kept out of every training bag and measured apart.
    runs : Path
        Snapshots and the simulated sample: what ``--resume`` needs.
    model_repo : Path
    models_config : Path
        Generated from the manifest.
    """

    tables: tuple[Path, ...]
    set_aside: tuple[Path, ...]
    runs: Path
    model_repo: Path
    models_config: Path

    @property
    def simulated(self) -> Path:
        """Folder of the simulated sample."""
        return self.runs / "simulated"


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What the networks of a release learn from: simulated galaxies, and the training part of the real ones."""

    simulated: SimulatedSample
    real: Sequence[RealGalaxy]
    images: NDArray[np.uint8]

    @property
    def measured(self) -> NDArray[np.intp]:
        """ReleasePaths of the real galaxies that people measured."""
        return np.flatnonzero([galaxy.measured for galaxy in self.real])


def real_galaxies(paths: ReleasePaths) -> tuple[tuple[RealGalaxy, ...], Collection[int]]:
    """Read the tables: all galaxies, and the numbers of those that are set aside.

    Who was measured below the label range is rejected as face-on, as the original's people would have done.
    """
    rows = tuple(_within_range(g) for table in paths.tables for g in dataset.read_table(table))
    return rows, frozenset(g.pgc for table in paths.set_aside for g in dataset.read_table(table))


def _within_range(galaxy: RealGalaxy) -> RealGalaxy:
    if galaxy.measured and galaxy.inclination_deg < LABEL_RANGE_DEG[0]:
        return replace(galaxy, inclination_deg=float("nan"), reject="face_on")
    return galaxy


@lru_cache(maxsize=1)
def gather(paths: ReleasePaths) -> TrainingData:
    """Read the simulated sample and the training part of the real galaxies; once for each process."""
    rows, kept_out = real_galaxies(paths)
    training = dataset.select(rows, "train", exclude=kept_out)
    return TrainingData(sample.load(paths.simulated), training, dataset.images(training))


def weak_reject(galaxy: RealGalaxy) -> bool:
    """Whether the catalogues say that people would reject a galaxy that nobody looked at.

    It is no spiral (of an early type, or a dwarf), or face-on.
    """
    if galaxy.measured or galaxy.reject:
        return False
    no_spiral = galaxy.stage < 0 or galaxy.stage >= _DWARF_STAGE
    return no_spiral or galaxy.axis_ratio_deg < WEAK_FACE_ON_BELOW_DEG


def catalogued(data: TrainingData) -> NDArray[np.float64]:
    """Return the catalogues' inclinations on the human scale, degrees ``[N]``, for spirals that nobody measured.

    NaN for every other galaxy, and for those that people would reject as face-on.
    """
    said = fit_catalogue_scale(data.real)(data.real)
    chosen = np.array([g.stage >= 0 and not (g.measured or g.reject or weak_reject(g)) for g in data.real], bool)
    return np.where(chosen & (said > CATALOGUED_ABOVE_DEG), said, np.nan)
