"""Augmentation: what may change between two pictures of one galaxy. The aspect ratio never does.

Everything runs inside TensorFlow on whole batches, and from a stateless seed: a step that is repeated after a resume
sees the same pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from gateway.contract import INPUT_SIDE

_BINOMIAL = np.outer([1, 2, 1], [1, 2, 1]).astype(np.float32) / 16
_EDGE = 6
"""Pixels over which the picture fades into its own background where it is drawn smaller than the frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """How far each change goes; probabilities are shares of the pictures.

    ``contrast`` and ``gamma`` are standard deviations of the logarithm, ``noise`` is in counts, ``shift`` in frames.
    """

    shift: float = 0.05
    gray: float = 0.5
    inverted_gray: float = 0.5
    noisy: float = 0.4
    noise: float = 9.0
    blurred: float = 0.35
    contrast: float = 0.25
    gamma: float = 0.25
    tint: float = 0.06
    hard_edges: float = 0.08


_BANK = 8


def _blur(images: Any) -> Any:
    planes = images.shape[-1]
    kernel = tf.tile(tf.constant(_BINOMIAL)[:, :, None, None], [1, 1, planes, 1])
    padded = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    return tf.nn.depthwise_conv2d(padded, kernel, [1, 1, 1, 1], "VALID")


def _alpha() -> Any:
    ramp = np.clip((np.minimum(np.arange(INPUT_SIDE), np.arange(INPUT_SIDE)[::-1]) + 0.5) / _EDGE, 0, 1)
    return tf.constant(np.minimum(ramp[:, None], ramp[None, :])[None, :, :, None], tf.float32)


def _border(images: Any) -> Any:
    return tf.concat([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)


class _Draws:
    """Numbered stateless draws: the n-th call of a step always gets the n-th seed."""

    def __init__(self, seed: Any, count: Any) -> None:
        self._seed, self._count, self._calls = seed, count, 0

    def _next(self) -> Any:
        self._calls += 1
        return self._seed + tf.constant([0, self._calls * 1_000_003], tf.int32)

    def uniform(self, low: float, high: float, *shape: int) -> Any:
        return tf.random.stateless_uniform([self._count, *shape], self._next(), low, high)

    def normal(self, deviation: float, *shape: int) -> Any:
        return tf.random.stateless_normal([self._count, *shape], self._next(), stddev=deviation)

    def noise(self) -> Any:
        """Return unit noise for every picture, from a small bank: drawing all of it would take as long as learning."""
        bank = tf.random.stateless_normal([_BANK, INPUT_SIDE, INPUT_SIDE, 3], self._next())
        members = tf.random.stateless_uniform([self._count], self._next(), 0, _BANK, tf.int32)
        return tf.gather(bank, members) * tf.sign(self.uniform(-1, 1, 1, 1, 1))

    def chosen(self, share: float) -> Any:
        return tf.cast(self.uniform(0, 1, 1, 1, 1) < share, tf.float32)


def augment(images: Any, widen: Any, seed: Any, how: Augmentation) -> Any:
    """Change a batch of model inputs.

    Parameters
    ----------
    images : uint8 tensor ``[N, 128, 128, 3]``
    widen : float32 tensor ``[N, 2]``
        Least and largest factor by which each frame is made wider (a real picture 1 x D25 wide may become 2 x).
    seed : int32 tensor ``[2]``
    how : Augmentation

    Returns
    -------
    float32 tensor ``[N, 128, 128, 3]``
        Whole counts, 0..255.
    """
    draws = _Draws(seed, tf.shape(images)[0])
    pictures = _reframed(tf.cast(images, tf.float32), widen, draws, how)
    pictures += draws.chosen(how.blurred) * draws.uniform(0, 1, 1, 1, 1) * (_blur(_blur(pictures)) - pictures)
    pictures = _toned(pictures, draws, how)
    noise = draws.noise()
    noise = tf.where(draws.chosen(0.5) > 0, _blur(noise) * 2.5, noise)
    pictures += draws.chosen(how.noisy) * draws.uniform(0, how.noise, 1, 1, 1) * noise
    pictures = _grayed(tf.clip_by_value(pictures, 0.0, 255.0), draws, how)
    return tf.round(tf.clip_by_value(pictures, 0.0, 255.0))


def _reframed(pictures: Any, widen: Any, draws: _Draws, how: Augmentation) -> Any:
    """Turn, mirror, shift and zoom, filling what comes into view with the picture's own background and noise."""
    border = _border(pictures)
    middle = tf.sort(border, axis=1)[:, border.shape[1] // 2][:, None, None, :]
    deviation = tf.reduce_mean(tf.minimum(tf.abs(border - middle[:, 0]), 12.0), axis=1)[:, None, None, :] * 1.2
    angle = draws.uniform(0, 2 * np.pi)
    mirror = tf.sign(draws.uniform(-1, 1))
    zoom = tf.exp(tf.math.log(widen[:, 0]) + draws.uniform(0, 1) * tf.math.log(widen[:, 1] / widen[:, 0]))
    cos, sin = tf.cos(angle) * zoom, tf.sin(angle) * zoom
    rows = [cos * mirror, -sin, sin * mirror, cos]
    centre = (INPUT_SIDE - 1) / 2
    moved_x = centre - (rows[0] + rows[1]) * centre + draws.normal(how.shift * INPUT_SIDE / 2)
    moved_y = centre - (rows[2] + rows[3]) * centre + draws.normal(how.shift * INPUT_SIDE / 2)
    zero = tf.zeros_like(zoom)
    transforms = tf.stack([rows[0], rows[1], moved_x, rows[2], rows[3], moved_y, zero, zero], axis=1)
    smoothing = tf.clip_by_value((zoom - 1.1) * 1.5, 0.0, 1.0)[:, None, None, None]
    pictures += smoothing * (_blur(pictures) - pictures)
    hard = draws.chosen(how.hard_edges)
    alpha = tf.maximum(tf.broadcast_to(_alpha(), tf.concat([tf.shape(pictures)[:3], [1]], 0)), hard)
    seen = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.concat([pictures * alpha, alpha], axis=-1),
        transforms=transforms,
        output_shape=tf.constant([INPUT_SIDE, INPUT_SIDE], tf.int32),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
    own = middle + deviation * _blur(draws.noise()) * 2.0
    corner = 255.0 * draws.chosen(0.4)
    fill = tf.where(hard > 0, tf.broadcast_to(corner, tf.shape(own)), own)
    return seen[..., :3] + (1 - seen[..., 3:]) * fill


def _toned(pictures: Any, draws: _Draws, how: Augmentation) -> Any:
    """Change gamma, contrast, brightness and the balance of the planes."""
    gamma = tf.exp(draws.normal(how.gamma, 1, 1, 1))
    gain = tf.exp(draws.normal(how.contrast, 1, 1, 1)) * (1 + draws.normal(how.tint, 1, 1, 3))
    toned = 255 * tf.pow(tf.clip_by_value(pictures, 0.5, 255.0) / 255, gamma)
    return gain * toned + draws.normal(5.0, 1, 1, 1)


def _grayed(pictures: Any, draws: _Draws, how: Augmentation) -> Any:
    """Make a share of the pictures gray, by one plane or a mixture, and invert a share of those."""
    weights = draws.uniform(0.0, 1.0, 1, 1, 3) ** 3 + 0.02
    gray = tf.reduce_sum(pictures * weights, axis=-1, keepdims=True) / tf.reduce_sum(weights, axis=-1, keepdims=True)
    inverted = draws.chosen(how.inverted_gray)
    gray = inverted * (255 - gray) + (1 - inverted) * gray
    chosen = draws.chosen(how.gray)
    return chosen * gray + (1 - chosen) * pictures
