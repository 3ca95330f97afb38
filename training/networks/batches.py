"""Batches that mix real and simulated galaxies; a step and a seed always give the same batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.networks.train import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WIDEN_REAL = (0.85, 2.2)
"""Range of widening for real pictures: about 1 x D25 wide, they are shown up to 2.2 x D25 wide, like other cutouts."""

WIDEN_SIMULATED = (0.85, 1.25)
"""Range of widening for simulated pictures, which already have all widths."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A set of galaxies from which a part of every batch is drawn.

    Attributes
    ----------
    images : uint8 ``[M, 128, 128, 3]``
        Pictures of these galaxies, and possibly others.
    places : intp ``[N]``
        Indices of the galaxies in ``images``.
    targets : float32 ``[N, units]``
    rates : float64 ``[N]``
        Sampling probabilities, summing to 1.
    share : int
        Number of galaxies in each batch.
    widen : tuple of 2 floats
        Smallest and largest factor by which a frame is widened.
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
