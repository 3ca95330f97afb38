"""Batches that mix real and simulated galaxies, by step: the same step of the same seed is always the same batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.networks.train import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WIDEN_REAL = (0.85, 2.2)
"""A real picture about 1 x D25 wide is shown up to 2.2 x D25 wide, as other cutouts come."""

WIDEN_SIMULATED = (0.85, 1.25)
"""Simulated pictures already come in all widths."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Galaxies from which a part of every batch is drawn.

    Attributes
    ----------
    images : uint8 ``[M, 128, 128, 3]``
        Of these and maybe others.
    places : intp ``[N]``
        Where in them the galaxies are.
    targets : float32 ``[N, units]``
    rates : float64 ``[N]``
        Probabilities, summing to 1.
    share : int
        How many of each batch.
    widen : tuple of 2 floats
    """

    images: NDArray[np.uint8]
    places: NDArray[np.intp]
    targets: NDArray[np.float32]
    rates: NDArray[np.float64]
    share: int
    widen: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Mixture:
    """Draws every batch from several pools."""

    pools: Sequence[Pool]
    seed: int

    def __call__(self, step: int) -> Batch:
        """Return the batch of ``step``."""
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, step]))
        images, targets, widen = [], [], []
        for pool in self.pools:
            chosen = np.sort(rng.choice(len(pool.targets), pool.share, p=pool.rates))
            images.append(pool.images[pool.places[chosen]])
            targets.append(pool.targets[chosen])
            widen.append(np.tile(np.array(pool.widen, np.float32), (pool.share, 1)))
        return Batch(np.concatenate(images), np.concatenate(targets), np.concatenate(widen))
