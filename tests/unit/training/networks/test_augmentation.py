from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gateway.core.manifest import INPUT_SHAPE
from tests.support.networks import noise_pictures
from training.networks.augmentation import Augmentation, augment, draw

if TYPE_CHECKING:
    from numpy.typing import NDArray


def changed(images: NDArray[Any], widen: tuple[float, float], how: Augmentation, *, seed: int = 1) -> NDArray[Any]:
    limits = np.tile(np.array([widen], np.float32), (len(images), 1))
    return np.asarray(augment(images, draw(np.random.default_rng(seed), limits, how)))


def outline(picture: NDArray[Any]) -> float:
    """Return the axis ratio of a bright object on black, from its second moments."""
    light = picture[..., 0].astype(float)
    light = np.where(light > 100, 1.0, 0.0)  # half of its brightness: blurring leaves that contour where it is
    rows, columns = np.indices(light.shape)
    centred = np.stack([rows.ravel(), columns.ravel()])
    values = np.linalg.eigvalsh(np.cov(centred, aweights=light.ravel()))
    return float(np.sqrt(values[0] / values[1]))


def test_augmentation_never_touches_the_aspect_ratio() -> None:
    rows, columns = np.indices((128, 128)) - 63.5
    ellipse = ((columns / 40) ** 2 + (rows / 16) ** 2 < 1) * np.uint8(200)
    images = np.repeat(np.repeat(ellipse[None, ..., None], 3, axis=3), 32, axis=0).astype(np.uint8)
    calm = Augmentation(gray=0, noisy=0, blurred=0, contrast=0.05, gamma=0.05, tint=0, hard_edges=0)
    made = changed(images, (1.0, 2.0), calm)
    ratios = np.array([outline(picture) for picture in made])
    assert ratios == pytest.approx(np.full(32, 0.4), abs=0.015)
    sizes = (made[..., 0] > 30).sum(axis=(1, 2)) / (images[0, ..., 0] > 30).sum()
    assert sizes.min() < 0.4
    assert sizes.max() > 0.8


def test_half_of_the_pictures_become_gray_and_half_of_those_are_inverted() -> None:
    rng = np.random.default_rng(0)
    images = np.zeros((200, *INPUT_SHAPE), np.uint8)
    images[:, 40:88, 40:88] = rng.integers(60, 250, (200, 1, 1, 3))
    calm = Augmentation(noisy=0, contrast=0, gamma=0, hard_edges=0)
    made = changed(images, (1.0, 1.0), calm)
    gray = np.ptp(made[:, 64, 64], axis=-1) == 0
    assert gray.mean() == pytest.approx(0.5, abs=0.1)
    corner = made[gray, 2, 64].mean(axis=-1)
    assert (corner > 128).mean() == pytest.approx(0.5, abs=0.15)


def sizes(**how: float) -> NDArray[Any]:
    """How large 200 discs are drawn that may be shown up to twice as wide, in units of their own size."""
    rows, columns = np.indices((128, 128)) - 63.5
    disc = (np.hypot(columns, rows) < 40) * np.uint8(200)
    images = np.repeat(np.repeat(disc[None, ..., None], 3, axis=3), 200, axis=0).astype(np.uint8)
    still = Augmentation(gray=0, noisy=0, blurred=0, contrast=0, gamma=0, tint=0, hard_edges=0, **how)
    made = changed(images, (1.0, 2.0), still)
    return np.asarray(np.sqrt((made[..., 0] > 100).sum(axis=(1, 2)) / (disc > 100).sum()))


def test_mildly_augmented_most_pictures_change_little_and_some_as_much_as_any() -> None:
    full, mild = sizes(), sizes(mildness=2.0)
    assert np.median(full) == pytest.approx(2**-0.5, abs=0.05)
    assert np.median(mild) > 0.85
    assert mild.min() < 0.6


def test_the_same_seed_augments_alike_and_another_does_not() -> None:
    images = noise_pictures(4)
    once, again, other = (changed(images, (1.0, 2.0), Augmentation(), seed=seed) for seed in (5, 5, 6))
    assert (once == again).all()
    assert (once != other).any()
    assert (np.round(once) == once).all()
