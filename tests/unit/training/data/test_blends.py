from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gateway.images.ellipse import fit_ellipse
from training.data.blends import ALIKE_DEG, blend

if TYPE_CHECKING:
    from numpy.typing import NDArray


def disc(axis_ratio: float, angle_deg: float, *, size: float = 40, at: tuple[float, float] = (0, 0)) -> NDArray[Any]:
    """Draw an even disc; its angle is counter-clockwise from +x as a person sees it."""
    rows, columns = np.indices((128, 128)) - 63.5
    x, y = columns - at[0], -(rows - at[1])
    angle = np.radians(angle_deg)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    light = ((along / size) ** 2 + (across / (size * axis_ratio)) ** 2 < 1) * np.uint8(180) + np.uint8(10)
    return np.repeat(light[..., None], 3, axis=2)


def uniform(count: int) -> NDArray[np.float64]:
    return np.full(count, 1 / count)


def test_two_discs_of_one_shape_make_a_disc_of_that_shape_wherever_they_point() -> None:
    images = np.stack([disc(0.4, 20), disc(0.4, 75, size=46, at=(3, -4)), disc(0.4, 160, size=34)])
    made, _ = blend(images, np.full(3, 70, np.float32), uniform(3), count=24, seed=1)
    found = [fit_ellipse(image) for image in made]
    assert all(found)
    ratios = [ellipse.semi_minor / ellipse.semi_major for ellipse in found if ellipse]
    assert ratios == pytest.approx([0.43] * 24, abs=0.02)  # as the fit, on smaller pictures, sees each by itself
    assert {round(ellipse.angle_deg / 5) * 5 for ellipse in found if ellipse} == {20, 75, 160}


def test_only_galaxies_of_nearly_one_inclination_are_laid_over_each_other() -> None:
    labels = np.array([50, 51, 52, 70, 71, 88], np.float32)
    images = np.stack([disc(max(0.15, float(np.cos(np.radians(label)))), 10 * n) for n, label in enumerate(labels)])
    made, said = blend(images, labels, uniform(6), count=200, seed=2)
    assert made.shape == (200, 128, 128, 3)
    assert made.dtype == np.uint8
    groups = [(50, 52), (70, 71), (88, 88)]
    assert ALIKE_DEG < 70 - 52
    assert all(any(low <= label <= high for label in said) for low, high in groups)
    assert all(any(low - 1e-4 <= label <= high + 1e-4 for low, high in groups) for label in said)


def test_blends_follow_from_the_seed() -> None:
    images = np.stack([disc(0.5, 30), disc(0.5, 120)])
    labels = np.full(2, 60, np.float32)
    once, again, other = (blend(images, labels, uniform(2), count=8, seed=seed)[0] for seed in (3, 3, 4))
    assert (once == again).all()
    assert (once != other).any()


def test_each_of_two_pictures_is_a_third_of_their_blend_or_more_also_where_no_ellipse_can_be_fitted() -> None:
    images = np.stack([np.full((128, 128, 3), light, np.uint8) for light in (0, 200)])
    assert [fit_ellipse(image) for image in images] == [None, None]
    made, _ = blend(images, np.full(2, 60, np.float32), uniform(2), count=60, seed=5)
    light = made[:, 40:88, 40:88].mean(axis=(1, 2, 3))
    mixed = light[(light > 0) & (light < 200)]
    assert 15 < len(mixed) < 45
    assert mixed.min() >= 60
    assert mixed.max() <= 140
