"""Augmentation: the changes between two pictures of one galaxy. They never change the aspect ratio.

NumPy draws the changes for a picture (:func:`draw`), so that a step that is repeated after a resume sees the same
pictures on any backend; :func:`augment` applies them to whole batches of tensors. Pixelwise operations are compiled
together: each by itself would read and write the whole batch, and all of them would take as long as the network's
training step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops
from scipy import ndimage

from gateway.core.manifest import INPUT_SIDE
from training.networks.backend import fused

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Changes = dict[str, NDArray[np.float32] | NDArray[np.int32]]

_EDGE = 6.0
"""Width over which a picture smaller than the frame fades into its own background, pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """Strength of each change; probabilities are shares of the pictures.

    ``contrast`` and ``gamma`` are standard deviations of the logarithm, ``noise`` is in counts, ``shift`` in frames.

    All changes except turning, mirroring and graying are applied to a picture with a strength of its own, ``u **
    mildness`` with u uniform in 0..1: 0 applies them fully to every picture, 2 applies less than a quarter to half of
    the pictures. A network that sees every picture at full strength never learns to read a good one well.
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


_NOISES = 32
_NOISE_SEED = 20200812

_BLUR = (0.25, 0.5, 0.25)
_STRONG_BLUR = (0.0625, 0.25, 0.375, 0.25, 0.0625)


def _blur(images: Any, weights: tuple[float, ...] = _BLUR) -> Any:
    """Return the convolution with a row of binomial weights along both axes."""
    margin = len(weights) // 2
    padded = ops.pad(images, [[0, 0], [margin, margin], [0, 0], [0, 0]], "symmetric")
    down = sum(w * padded[:, n : INPUT_SIDE + n] for n, w in enumerate(weights))
    padded = ops.pad(down, [[0, 0], [0, 0], [margin, margin], [0, 0]], "symmetric")
    return sum(w * padded[:, :, n : INPUT_SIDE + n] for n, w in enumerate(weights))


def _border(images: Any) -> Any:
    return ops.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)


@lru_cache(maxsize=1)
def _noises() -> NDArray[np.float32]:
    """Return unit noise as drawn, then the same noise blurred to the same strength: float32 ``[64, 128, 128, 3]``.

    Every picture gets one of these, because drawing noise for each would take as long as the training step.
    """
    drawn = np.random.default_rng(_NOISE_SEED).standard_normal((_NOISES, INPUT_SIDE, INPUT_SIDE, 3), np.float32)
    smooth = drawn
    for axis in (1, 2):
        smooth = ndimage.correlate1d(smooth, _BLUR, axis)
    return np.concatenate([drawn, np.float32(8 / 3) * smooth])


def draw(rng: np.random.Generator, widen: NDArray[np.float32], how: Augmentation) -> Changes:
    """Draw the changes of each picture of a batch.

    Parameters
    ----------
    rng : numpy.random.Generator
    widen : float32 ``[N, 2]``
        Smallest and largest factor by which each frame is widened (a real picture 1 x D25 wide may become 2 x).
    how : Augmentation
        Strengths of the changes.

    Returns
    -------
    dict of arrays ``[N, ...]``
        Changes, for :func:`augment`.
    """
    count = len(widen)

    def uniform(*shape: int) -> NDArray[np.float32]:
        return rng.random((count, *shape), np.float32)

    def normal(deviation: float, *shape: int) -> NDArray[np.float32]:
        return np.float32(deviation) * rng.standard_normal((count, *shape), np.float32)

    def chosen(share: NDArray[np.float32] | float) -> NDArray[np.float32]:
        return (uniform(1, 1, 1) < share).astype(np.float32)

    def noises(blurred: NDArray[np.float32]) -> NDArray[np.int32]:
        return (rng.integers(0, _NOISES, count) + _NOISES * blurred[:, 0, 0, 0]).astype(np.int32)

    strength = uniform() ** how.mildness if how.mildness else np.ones(count, np.float32)
    each = strength[:, None, None, None]
    zoom = (widen[:, 0] * (widen[:, 1] / widen[:, 0]) ** uniform()) ** strength
    hard = chosen(each * how.hard_edges)
    turn, mirror = 2 * np.pi * uniform(), np.where(uniform() < 0.5, -1, 1)  # as often as not
    return {
        "transforms": _transforms(turn, mirror, zoom, strength[:, None] * normal(how.shift * INPUT_SIDE / 2, 2)),
        "gamma": np.exp(each * normal(how.gamma, 1, 1, 1)),
        "gain": np.exp(each * normal(how.contrast, 1, 1, 1)) * (1 + each * normal(how.tint, 1, 1, 3)),
        "offset": each * normal(5.0, 1, 1, 1),
        "smoothing": np.clip((zoom - 1.1) * 1.5, 0.0, 1.0)[:, None, None, None].astype(np.float32),
        "hard": hard,
        "white": chosen(0.4),
        "beyond": noises(np.ones_like(hard)),
        "beyond_sign": np.sign(uniform(1, 1, 1) - np.float32(0.5)),
        "blurred": each * chosen(how.blurred) * uniform(1, 1, 1),
        "noise": noises(chosen(0.5)),
        "noise_level": each * chosen(how.noisy) * (2 * uniform(1, 1, 1) - 1) * np.float32(how.noise),
        "gray": chosen(how.gray),
        "inverted": chosen(how.inverted_gray),
        "planes": uniform(1, 1, 3) ** 3 + np.float32(0.02),
    }


def augment(images: Any, changes: Changes) -> Any:
    """Apply changes to a batch of model inputs.

    Parameters
    ----------
    images : uint8 tensor ``[N, 128, 128, 3]``
    changes : dict of tensors ``[N, ...]``
        Result of :func:`draw`.

    Returns
    -------
    float32 tensor ``[N, 128, 128, 3]``
        Pictures of integer counts, 0..255.
    """
    toned = _toned(images, *(changes[name] for name in ("gamma", "gain", "offset", "smoothing")))
    border = _border(toned)
    middle = ops.sort(border, axis=1)[:, border.shape[1] // 2][:, None, None, :]
    seen = ops.image.affine_transform(toned, changes["transforms"], "bilinear", "nearest", data_format="channels_last")
    return _finished(seen, border, middle, changes, ops.convert_to_tensor(_noises()))


def _transforms(
    turn: NDArray[np.float32], mirror: NDArray[np.float32], zoom: NDArray[np.float32], shift: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the source of each output pixel, as rows of a projective map, ``[N, 8]``."""
    cos, sin = np.cos(turn) * zoom, np.sin(turn) * zoom
    rows = [cos * mirror, -sin, sin * mirror, cos]
    centre = (INPUT_SIDE - 1) / 2
    moved_x = centre - (rows[0] + rows[1]) * centre + shift[:, 0]
    moved_y = centre - (rows[2] + rows[3]) * centre + shift[:, 1]
    zero = np.zeros_like(zoom)
    return np.stack([rows[0], rows[1], moved_x, rows[2], rows[3], moved_y, zero, zero], axis=1).astype(np.float32)


@fused
def _toned(images: Any, gamma: Any, gain: Any, offset: Any, smoothing: Any) -> Any:
    """Change gamma, contrast, brightness and the balance of the planes, and smooth pictures that will be shrunk."""
    share = ops.clip(ops.cast(images, "float32"), 0.5, 255.0) / 255
    toned = gain * 255 * ops.exp(gamma * ops.log(share)) + offset
    return toned + smoothing * (_blur(toned) - toned)


@fused
def _finished(seen: Any, border: Any, middle: Any, changes: Any, noises: Any) -> Any:
    """Fill the area outside of the picture, blur, add noise, make some gray and some of those negative."""
    hard = changes["hard"]
    deviation = ops.mean(ops.minimum(ops.abs(border - middle[:, 0]), 12.0), axis=1)[:, None, None, :] * 1.2
    level = (1 - hard) * deviation * changes["beyond_sign"]
    background = ops.where(hard > 0, 255.0 * changes["white"], middle)
    filled = background + level * ops.take(noises, changes["beyond"], axis=0)
    inside = ops.maximum(_inside(changes["transforms"], _EDGE), hard * _inside(changes["transforms"], 1.0))
    pictures = inside * seen + (1 - inside) * filled
    pictures += changes["blurred"] * (_blur(pictures, _STRONG_BLUR) - pictures)
    added = changes["noise_level"] * ops.take(noises, changes["noise"], axis=0)
    pictures = ops.clip(pictures + added, 0.0, 255.0)
    planes, inverted, chosen = changes["planes"], changes["inverted"], changes["gray"]
    gray = ops.sum(pictures * planes, axis=-1, keepdims=True) / ops.sum(planes, axis=-1, keepdims=True)
    gray = inverted * (255 - gray) + (1 - inverted) * gray
    return ops.round(ops.clip(chosen * gray + (1 - chosen) * pictures, 0.0, 255.0))


def _inside(transforms: Any, edge: float) -> Any:
    """Return how far inside the original picture each source pixel is: 0..1 over ``edge`` pixels."""
    along = ops.arange(INPUT_SIDE, dtype="float32")
    x, y = along[None, None, :], along[None, :, None]
    a, b, c, d, e, f = (transforms[:, n, None, None] for n in range(6))
    from_x, from_y = a * x + b * y + c, d * x + e * y + f
    last = INPUT_SIDE - 1.0
    least = ops.minimum(ops.minimum(from_x, last - from_x), ops.minimum(from_y, last - from_y))
    return ops.clip((least + 0.5) / edge, 0.0, 1.0)[..., None]
