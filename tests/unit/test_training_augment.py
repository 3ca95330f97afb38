from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tensorflow as tf

from gateway import contract
from tests.support.networks import noise_pictures
from training.augment import Augmentation, augment

if TYPE_CHECKING:
    from numpy.typing import NDArray


def outline(picture: NDArray[Any]) -> float:
    """Return the axis ratio of a bright object on black, from its second moments."""
    light = picture[..., 0].astype(float)
    light = np.where(light > 30, 1.0, 0.0)
    rows, columns = np.indices(light.shape)
    centred = np.stack([rows.ravel(), columns.ravel()])
    values = np.linalg.eigvalsh(np.cov(centred, aweights=light.ravel()))
    return float(np.sqrt(values[0] / values[1]))


def test_augmentation_never_touches_the_aspect_ratio() -> None:
    rows, columns = np.indices((128, 128)) - 63.5
    ellipse = ((columns / 40) ** 2 + (rows / 16) ** 2 < 1) * np.uint8(200)
    images = np.repeat(np.repeat(ellipse[None, ..., None], 3, axis=3), 32, axis=0).astype(np.uint8)
    calm = Augmentation(gray=0, noisy=0, blurred=0, contrast=0.05, gamma=0.05, tint=0, hard_edges=0)
    widen = np.tile(np.array([[1.0, 2.0]], np.float32), (32, 1))
    changed = np.asarray(augment(tf.constant(images), tf.constant(widen), tf.constant([1, 1]), calm))
    ratios = np.array([outline(picture) for picture in changed])
    assert ratios == pytest.approx(np.full(32, 0.4), abs=0.02)
    sizes = (changed[..., 0] > 30).sum(axis=(1, 2)) / (images[0, ..., 0] > 30).sum()
    assert sizes.min() < 0.4
    assert sizes.max() > 0.8


def test_half_of_the_pictures_become_gray_and_half_of_those_are_inverted() -> None:
    rng = np.random.default_rng(0)
    images = np.zeros((200, *contract.INPUT_SHAPE), np.uint8)
    images[:, 40:88, 40:88] = rng.integers(60, 250, (200, 1, 1, 3))
    calm = Augmentation(noisy=0, contrast=0, gamma=0, hard_edges=0)
    changed = np.asarray(augment(tf.constant(images), tf.ones((200, 2)), tf.constant([1, 1]), calm))
    gray = np.ptp(changed[:, 64, 64], axis=-1) == 0
    assert gray.mean() == pytest.approx(0.5, abs=0.1)
    corner = changed[gray, 2, 64].mean(axis=-1)
    assert (corner > 128).mean() == pytest.approx(0.5, abs=0.15)


def sizes(**how: float) -> NDArray[Any]:
    """How large 200 discs are drawn that may be shown up to twice as wide, in units of their own size."""
    rows, columns = np.indices((128, 128)) - 63.5
    disc = (np.hypot(columns, rows) < 40) * np.uint8(200)
    images = tf.constant(np.repeat(np.repeat(disc[None, ..., None], 3, axis=3), 200, axis=0).astype(np.uint8))
    widen = tf.constant(np.tile(np.array([[1.0, 2.0]], np.float32), (200, 1)))
    still = Augmentation(gray=0, noisy=0, blurred=0, contrast=0, gamma=0, tint=0, hard_edges=0, **how)
    changed = np.asarray(augment(images, widen, tf.constant([1, 1]), still))
    return np.asarray(np.sqrt((changed[..., 0] > 100).sum(axis=(1, 2)) / (disc > 100).sum()))


def test_mildly_augmented_most_pictures_change_little_and_some_as_much_as_any() -> None:
    full, mild = sizes(), sizes(mildness=2.0)
    assert np.median(full) == pytest.approx(2**-0.5, abs=0.05)
    assert np.median(mild) > 0.85
    assert mild.min() < 0.6


def test_the_same_seed_augments_alike_and_another_does_not() -> None:
    images, widen = tf.constant(noise_pictures(4)), tf.ones((4, 2)) * [1.0, 2.0]
    once, again, other = (np.asarray(augment(images, widen, tf.constant([1, n]), Augmentation())) for n in (5, 5, 6))
    assert (once == again).all()
    assert (once != other).any()
    assert (np.round(once) == once).all()
