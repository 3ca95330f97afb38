"""Data for comparing TensorFlow and JAX: simulated pictures, and a network trained for five steps."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.support.networks import TINY, noise_pictures
from training.networks import architectures
from training.networks.batches import Mixture, Pool
from training.networks.train import Schedule, fit, predict
from training.simulation import sample, scene

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]


def as_jax(folder: Path) -> dict[str, str]:
    """Return the environment of processes that use JAX, which starts in half the time of TensorFlow.

    What is compiled lies in a folder, and not for speed: what is computed here is soon computed.
    """
    compiled_once = {
        "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "0",
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    }
    return os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)} | compiled_once


NETWORK = replace(TINY, dropout=0.0)
"""Network without dropout, which each backend draws differently."""


def pictures() -> NDArray[np.uint8]:
    """Return simulated pictures of 88 pixels a side."""
    batch = [one for one in scene.draw_some(5, range(20)) if one.side == 88][: sample.BATCH // 2]
    return np.asarray(sample.render(batch))[: len(batch)]


class Interrupted(Exception):
    """Raised in the place of a kill."""


def learn(folder: Path, *, interrupted: bool = False) -> NDArray[Any]:
    """Train from the weights of ``start.npz`` in a folder; return the network's answers for some pictures."""
    network = architectures.build(NETWORK, "inclination", seed=1)
    with np.load(folder / "start.npz") as start:
        for variable, weights in zip(network.trainable_variables, start.values(), strict=True):
            variable.assign(weights)
    targets = np.linspace(-1, 1, 8, dtype=np.float32)[:, None]
    batches = Mixture([Pool(noise_pictures(8), np.arange(8), targets, np.full(8, 1 / 8), 4, (1.0, 2.0))], 3)
    schedule = Schedule(steps=5, rate=1e-2, seed=5, warmup=2, snapshot_every=2)

    def interrupt(metrics: dict[str, float]) -> None:
        if metrics["step"] == 3:
            raise Interrupted

    if interrupted:
        try:
            fit(network, batches, schedule, folder, progress=interrupt)
        except Interrupted:
            network = architectures.build(NETWORK, "inclination", seed=9)
    fit(network, batches, schedule, folder, resume=True)
    return predict(network, noise_pictures(4))
