"""A folder of images for batches, all of different inclinations, and the check that a result has each of them once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.batch_runs import rows_of
from tests.support.fake_serving import inclination_of
from tests.support.pictures import disc, encoded

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

IMAGES = 32


def expected(number: int) -> float:
    """Return the fake networks' inclination for the image of a number."""
    return inclination_of(_pixels(number))


def _pixels(number: int) -> NDArray[np.uint8]:
    # the whole picture is brighter, so that no part of it looks like another galaxy
    brighter: NDArray[np.uint8] = np.clip(disc(128).astype(int) + number, 0, 255).astype(np.uint8)
    return brighter


def write_images(folder: Path) -> Path:
    """Write the images and a table that names them; return the folder."""
    (folder / "images").mkdir(parents=True)
    for number in range(IMAGES):
        (folder / "images" / f"{number:02}.png").write_bytes(encoded(_pixels(number), "PNG"))
    lines = [f"g{number},images/{number:02}.png\n" for number in range(IMAGES)]
    (folder / "table.csv").write_text("id,file\n" + "".join(lines))
    return folder


def assert_every_row_once(out: Path) -> None:
    """Assert that a result has every row of that table once, with its own inclination."""
    rows = rows_of(out)
    assert [row["key"] for row in rows] == [f"g{number}" for number in range(IMAGES)]
    for number, row in enumerate(rows):
        assert float(row["inclination_deg"]) == pytest.approx(expected(number), abs=0.01), row
