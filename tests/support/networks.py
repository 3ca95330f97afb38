"""A network small enough for a test, and pictures that show nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gateway.core.manifest import INPUT_SHAPE
from training.networks.architectures import Architecture

if TYPE_CHECKING:
    from numpy.typing import NDArray

TINY = Architecture("tiny1", ((2,), (2,), (2,), (2,)), hidden=4, dropout=0.3)


def noise_pictures(count: int) -> NDArray[np.uint8]:
    """Model inputs of independent pixels, uint8 ``[count, 128, 128, 3]``."""
    return np.random.default_rng(0).integers(0, 256, (count, *INPUT_SHAPE)).astype(np.uint8)
