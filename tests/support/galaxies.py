"""Pictures of galaxies: the shared ones of real galaxies, where they are available, and simulated ones."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from gateway.images.decode import decode

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARED = Path(__file__).resolve().parents[3] / "shared" / "galaxies"

needs_galaxies = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared galaxies are not at hand")


@lru_cache(maxsize=1)
def _measured() -> tuple[Path, ...]:
    from training.data.dataset import read_table

    return tuple(one.path for one in read_table(SHARED / "efigi.csv") if one.measured)


def picture_of(number: int) -> NDArray[np.uint8]:
    """Return a measured EFIGI galaxy's picture, uint8 ``[88, 88, 3]``."""
    return decode(_measured()[number].read_bytes()).rgb


def shared_pictures(count: int) -> list[NDArray[np.uint8]]:
    """Return the first ``count`` of the shared pictures."""
    return [picture_of(number) for number in range(count)]


def simulated_pictures() -> NDArray[np.uint8]:
    """Return the 25 simulated galaxies of ``tests/recorded/galaxies.jpg``, uint8 ``[25, 128, 128, 3]``."""
    with Image.open(Path(__file__).resolve().parents[1] / "recorded" / "galaxies.jpg") as opened:
        sheet = np.asarray(opened)
    return sheet.reshape(5, 128, 5, 128, 3).swapaxes(1, 2).reshape(-1, 128, 128, 3)
