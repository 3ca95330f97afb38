"""Augmentation: what may change between two pictures of one galaxy. The aspect ratio never does.

Everything runs inside TensorFlow on whole batches, and from a stateless seed: a step that is repeated after a resume
sees the same pictures. What works pixel by pixel is compiled: each operation by itself would read and write the whole
batch, and all of them together take as long as the network's own learning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from gateway.contract import INPUT_SIDE

_EDGE = 6.0
"""Pixels over which the picture fades into its own background where it is drawn smaller than the frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """How far each change goes; probabilities are shares of the pictures.

    ``contrast`` and ``gamma`` are standard deviations of the logarithm, ``noise`` is in counts, ``shift`` in frames.

    All but turning, mirroring and graying is done to a picture with a strength of its own, ``u ** mildness`` with u
    uniform in 0..1: 0 does all of it to every picture, 2 shows half of the pictures at less than a quarter of it. A
    network that sees every picture at full strength never learns to read a good one well.
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
    mildness: float = 0.0


_BANK = 8


_BLUR = (0.25, 0.5, 0.25)
_STRONG_BLUR = (0.0625, 0.25, 0.375, 0.25, 0.0625)


def _blur(images: Any, weights: tuple[float, ...] = _BLUR) -> Any:
    """Convolve with a row of binomial weights along both axes."""
    margin = len(weights) // 2
    padded = tf.pad(images, [[0, 0], [margin, margin], [0, 0], [0, 0]], "SYMMETRIC")
    down = sum(w * padded[:, n : INPUT_SIDE + n] for n, w in enumerate(weights))
    padded = tf.pad(down, [[0, 0], [0, 0], [margin, margin], [0, 0]], "SYMMETRIC")
    return sum(w * padded[:, :, n : INPUT_SIDE + n] for n, w in enumerate(weights))


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

    def noise(self, *, blurred: Any) -> tuple[Any, Any]:
        """Return unit noise for every picture and the sign it is to have.

        It comes from a small bank: drawing all of it would take as long as learning.
        """
        bank = tf.random.stateless_normal([_BANK, INPUT_SIDE, INPUT_SIDE, 3], self._next())
        # twice as many pictures in the bank: as drawn, and blurred to the same strength
        bank = tf.concat([bank, 8 / 3 * _blur(bank)], axis=0)
        members = tf.random.stateless_uniform([self._count], self._next(), 0, _BANK, tf.int32)
        members += tf.cast(blurred[:, 0, 0, 0] * _BANK, tf.int32)
        return tf.gather(bank, members), tf.sign(self.uniform(-1, 1, 1, 1, 1))

    def chosen(self, share: Any) -> Any:
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
    strength = draws.uniform(0, 1) ** how.mildness if how.mildness else tf.ones_like(widen[:, 0])
    each = strength[:, None, None, None]
    turn = draws.uniform(0, 2 * np.pi)
    mirror = tf.sign(draws.uniform(-1, 1))
    wider = tf.math.log(widen[:, 0]) + draws.uniform(0, 1) * tf.math.log(widen[:, 1] / widen[:, 0])
    zoom = tf.exp(strength * wider)
    transforms = _transforms(turn, mirror, zoom, strength[:, None] * draws.normal(how.shift * INPUT_SIDE / 2, 2))
    gamma = tf.exp(each * draws.normal(how.gamma, 1, 1, 1))
    gain = tf.exp(each * draws.normal(how.contrast, 1, 1, 1)) * (1 + each * draws.normal(how.tint, 1, 1, 3))
    smoothing = tf.clip_by_value((zoom - 1.1) * 1.5, 0.0, 1.0)[:, None, None, None]
    toned = _toned(images, gamma, gain, each * draws.normal(5.0, 1, 1, 1), smoothing)
    border = _border(toned)
    middle = tf.sort(border, axis=1)[:, border.shape[1] // 2][:, None, None, :]
    deviation = tf.reduce_mean(tf.minimum(tf.abs(border - middle[:, 0]), 12.0), axis=1)[:, None, None, :] * 1.2
    seen = tf.raw_ops.ImageProjectiveTransformV3(
        images=toned,
        transforms=transforms,
        output_shape=tf.constant([INPUT_SIDE, INPUT_SIDE], tf.int32),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )
    hard = draws.chosen(each * how.hard_edges)
    background = tf.where(hard > 0, 255.0 * draws.chosen(0.4), middle)
    own, sign = draws.noise(blurred=tf.ones_like(hard))
    added, added_sign = draws.noise(blurred=draws.chosen(0.5))
    return _finished(
        seen,
        transforms,
        beyond=(hard, background, (1 - hard) * deviation * sign, own),
        blurred=each * draws.chosen(how.blurred) * draws.uniform(0, 1, 1, 1, 1),
        noise=(each * draws.chosen(how.noisy) * draws.uniform(0, how.noise, 1, 1, 1) * added_sign, added),
        grays=(draws.chosen(how.gray), draws.chosen(how.inverted_gray), draws.uniform(0.0, 1.0, 1, 1, 3) ** 3 + 0.02),
    )


def _transforms(turn: Any, mirror: Any, zoom: Any, shift: Any) -> Any:
    """Return where each pixel of the output comes from: rows of a projective map, ``[N, 8]``."""
    cos, sin = tf.cos(turn) * zoom, tf.sin(turn) * zoom
    rows = [cos * mirror, -sin, sin * mirror, cos]
    centre = (INPUT_SIDE - 1) / 2
    moved_x = centre - (rows[0] + rows[1]) * centre + shift[:, 0]
    moved_y = centre - (rows[2] + rows[3]) * centre + shift[:, 1]
    zero = tf.zeros_like(zoom)
    return tf.stack([rows[0], rows[1], moved_x, rows[2], rows[3], moved_y, zero, zero], axis=1)


@tf.function(jit_compile=True)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
def _toned(images: Any, gamma: Any, gain: Any, offset: Any, smoothing: Any) -> Any:
    """Change gamma, contrast, brightness and the balance of the planes, and smooth what will be drawn smaller."""
    share = tf.clip_by_value(tf.cast(images, tf.float32), 0.5, 255.0) / 255
    toned = gain * 255 * tf.exp(gamma * tf.math.log(share)) + offset
    return toned + smoothing * (_blur(toned) - toned)


@tf.function(jit_compile=True)  # type: ignore[untyped-decorator]  # as above
def _finished(seen: Any, transforms: Any, *, beyond: Any, blurred: Any, noise: Any, grays: Any) -> Any:
    """Fill what lies beyond the picture, blur, add noise, make some gray and some of those negative."""
    hard, background, level, own = beyond
    filled = background + level * own
    inside = tf.maximum(_inside(transforms, _EDGE), hard * _inside(transforms, 1.0))
    pictures = inside * seen + (1 - inside) * filled
    pictures += blurred * (_blur(pictures, _STRONG_BLUR) - pictures)
    strength, added = noise
    pictures = tf.clip_by_value(pictures + strength * added, 0.0, 255.0)
    chosen, inverted, weights = grays
    gray = tf.reduce_sum(pictures * weights, axis=-1, keepdims=True) / tf.reduce_sum(weights, axis=-1, keepdims=True)
    gray = inverted * (255 - gray) + (1 - inverted) * gray
    return tf.round(tf.clip_by_value(chosen * gray + (1 - chosen) * pictures, 0.0, 255.0))


def _inside(transforms: Any, edge: float) -> Any:
    """Return how far inside the original picture each pixel comes from: 0..1 over ``edge`` pixels."""
    along = tf.range(INPUT_SIDE, dtype=tf.float32)
    x, y = along[None, None, :], along[None, :, None]
    a, b, c, d, e, f = (transforms[:, n, None, None] for n in range(6))
    from_x, from_y = a * x + b * y + c, d * x + e * y + f
    last = INPUT_SIDE - 1.0
    least = tf.minimum(tf.minimum(from_x, last - from_x), tf.minimum(from_y, last - from_y))
    return tf.clip_by_value((least + 0.5) / edge, 0.0, 1.0)[..., None]
