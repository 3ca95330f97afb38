"""Networks and a release small enough for a test, and pictures of noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gateway.core.manifest import INPUT_SHAPE
from training.data.training_data import ReleasePaths
from training.networks.architectures import Architecture
from training.release.recipe import Recipe
from training.simulation.sample import SimulatedSample, save
from training.simulation.scene import COLUMNS, Truth

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TINY = Architecture("tiny1", ((2,), (2,), (2,), (2,)), hidden=4, dropout=0.3)

TINY_RECIPE = Recipe(
    seed=7,
    architectures=(TINY,),
    bags=2,
    simulated=48,
    held_out=48,
    pretraining_steps=4,
    finetuning_steps=4,
    rejector_steps=4,
    pretraining_batch=8,
    batch=8,
    precision="float32",
)


def paths_in(folder: Path) -> ReleasePaths:
    """Return the paths of a release of simulated galaxies alone in a folder."""
    return ReleasePaths(
        tables=(),
        set_aside=(),
        runs=folder / "runs",
        model_repo=folder / "model_repo",
        models_config=folder / "models.config",
    )


def quiet(_what: str, _metrics: dict[str, float]) -> None:
    """Ignore a step."""


def write_noise_sample(folder: Path) -> None:
    """Write a sample of noise pictures in the layout of :func:`training.simulation.sample.save`."""
    count = TINY_RECIPE.simulated
    row: Truth = dict.fromkeys(COLUMNS, 0.0)
    truth: tuple[Truth, ...] = tuple(
        {
            **row,
            "index": n,
            "inclination_deg": 45 + n,
            "human_deg": 45 + 45 * n / count,
            "reject": "unsuitable" if n % 8 == 0 else "",
        }
        for n in range(count)
    )
    save(SimulatedSample(noise_pictures(count), truth), folder)


def noise_pictures(count: int) -> NDArray[np.uint8]:
    """Return model inputs of independent pixels, uint8 ``[count, 128, 128, 3]``."""
    return np.random.default_rng(0).integers(0, 256, (count, *INPUT_SHAPE)).astype(np.uint8)
