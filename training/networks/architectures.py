"""The networks: VGG-style stacks of 3x3 filters, one regressor and one rejector twin for each architecture.

A release of fifteen costs 1.2 billion multiply-adds a galaxy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import keras
import numpy as np
from scipy import optimize

from gateway.core.manifest import FACE_ON, INPUT, INPUT_SHAPE, UNSUITABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Purpose = Literal["inclination", "rejection"]
REASONS = ("", FACE_ON, UNSUITABLE)
"""Meanings of a rejector's outputs: keep, reject for being face-on, reject for anything else."""

Precision = Literal["float32", "mixed_bfloat16"]
"""Type in which the layers compute during training; weights are float32 in both."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """Stages of 3x3 convolutions, each ending in max pooling, then one hidden layer.

    Attributes
    ----------
    name : str
        Name, of lowercase letters and digits, as in a flavor's name.
    stages : tuple of tuple of int
        Filters of the convolutions of each stage.
    hidden : int
        Units of the hidden layer.
    pool : int
        Pixels along each axis that a stage's pooling combines.
    stride : int
        Stride of the first convolution. 2 halves the picture where a convolution costs most.
    dropout : float
        Share of the hidden layer's inputs that is dropped.
    average : bool
        Whether the hidden layer gets the mean of the last stage over the picture instead of every position of it, with
        a fraction of the parameters.
    """

    name: str
    stages: tuple[tuple[int, ...], ...]
    hidden: int
    pool: int = 2
    stride: int = 1
    dropout: float = 0.1
    average: bool = False


ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (
        Architecture("vgg4", ((16, 16), (44, 44)), hidden=384, pool=4),
        Architecture("vgg7", ((28,), (48, 48), (96, 88), (128, 128)), hidden=128, stride=2, average=True),
        Architecture("vgg9", ((16, 28), (44, 48), (64, 64), (112, 112, 128)), hidden=128, stride=2),
    )
}
"""Every architecture that a release may hold, by name: the number counts the convolutions."""


def build(architecture: Architecture, purpose: Purpose, *, seed: int, precision: Precision = "float32") -> Any:
    """Return a new network that takes counts 0..255.

    The normalisation is its first layer, so that it is served with it. A regressor ends in tanh (-1..1, which
    :func:`to_scale` and the exported graph map to the label range); a rejector ends in softmax over :data:`REASONS`.
    With ``mixed_bfloat16`` the convolutions and the hidden layer compute in bfloat16, nearly twice as fast on
    processors with such instructions; input and output stay float32.

    Returns
    -------
    keras.Model
        Model from float32 ``[N, 128, 128, 3]`` to float32 ``[N, 1]`` or ``[N, 3]``.
    """
    seeds = iter(range(seed, seed + 1000))
    counts = keras.Input(INPUT_SHAPE, name=INPUT)
    x = keras.layers.Rescaling(1 / 127.5, -1.0, dtype="float32")(counts)
    stride = architecture.stride
    for stage in architecture.stages:
        for filters in stage:
            initial = keras.initializers.HeNormal(next(seeds))
            x = keras.layers.Conv2D(
                filters, 3, stride, "same", activation="relu", kernel_initializer=initial, dtype=precision
            )(x)
            stride = 1
        x = keras.layers.MaxPooling2D(architecture.pool, dtype=precision)(x)
    flat = keras.layers.GlobalAveragePooling2D if architecture.average else keras.layers.Flatten
    x = flat(dtype=precision)(x)
    x = keras.layers.Dropout(architecture.dropout, seed=next(seeds), dtype=precision)(x)
    initial = keras.initializers.HeNormal(next(seeds))
    x = keras.layers.Dense(architecture.hidden, "relu", kernel_initializer=initial, dtype=precision)(x)
    units, activation = (1, "tanh") if purpose == "inclination" else (len(REASONS), "softmax")
    initial = keras.initializers.GlorotUniform(next(seeds))
    x = keras.layers.Dense(units, activation, kernel_initializer=initial, dtype="float32")(x)
    return keras.Model(counts, x, name=f"{architecture.name}_{purpose}")


def warm_start(network: Any, source: Any) -> None:
    """Copy the weights of every layer but the last from ``source``, and the last where the shapes agree."""
    for mine, theirs in zip(network.layers, source.layers, strict=True):
        weights = theirs.get_weights()
        if [w.shape for w in weights] == [w.shape for w in mine.get_weights()]:
            mine.set_weights(weights)


def take_over(network: Any, weights: Sequence[NDArray[np.float32]]) -> bool:
    """Copy a wider network's weights into a network: of each layer, the units that the next layer uses most.

    The use of a unit is the sum of its weights' magnitudes (Li et al. 2017, ICLR, "Pruning filters for efficient
    ConvNets").

    Parameters
    ----------
    network : keras.Model
    weights : list of arrays
        Kernel and bias of each layer of the wider network, in their order.

    Returns
    -------
    bool
        False where the two differ in more than their widths; the network is then unchanged.
    """
    layers = [layer for layer in network.layers if hasattr(layer, "kernel")]
    if len(weights) != 2 * len(layers):
        return False
    taken = []
    kept = np.arange(INPUT_SHAPE[-1])
    for place, layer in enumerate(layers):
        kernel, bias = weights[2 * place : 2 * place + 2]
        units = layer.kernel.shape[-1]
        entering = layer.kernel.shape[-2]
        if kernel.ndim == 2 and kernel.shape[0] != len(kept):  # an input for every position of every channel
            channels = weights[2 * place - 1].size
            if kernel.shape[0] // channels * len(kept) != entering:
                return False
            kept = (np.arange(kernel.shape[0]).reshape(-1, channels)[:, kept]).ravel()
        if place + 1 < len(layers):
            size = np.abs(kernel[..., kept, :]).sum(axis=tuple(range(kernel.ndim - 1)))
            used = weights[2 * place + 2]
            by_next = np.abs(used).reshape(-1, bias.size, used.shape[-1]).sum(axis=(0, 2))
            chosen = np.sort(np.argsort(-(size * by_next), kind="stable")[:units])
        else:
            chosen = np.arange(units)
        if bias.size < units or kernel.shape[:-2] != layer.kernel.shape[:-2]:
            return False
        taken.append([kernel[..., kept, :][..., chosen], bias[chosen]])
        kept = chosen
    for layer, values in zip(layers, taken, strict=True):
        layer.set_weights(values)
    return True


def change_range(network: Any, old_deg: tuple[float, float], new_deg: tuple[float, float]) -> None:
    """Change a network's label range, keeping its answers in degrees as closely as tanh allows."""
    within = np.linspace(-1.5, 1.5, 301)
    wanted = to_scale(from_scale(np.tanh(within), old_deg), new_deg)
    (factor, offset), _ = optimize.curve_fit(lambda z, a, b: np.tanh(a * z + b), within, wanted, p0=(1.0, 0.0))
    kernel, bias = network.layers[-1].get_weights()
    network.layers[-1].set_weights([factor * kernel, factor * bias + offset])


def to_scale(inclination_deg: Any, label_range_deg: tuple[float, float]) -> Any:
    """Map degrees to the tanh scale, -1..1; values outside of the label range are clipped."""
    low, high = label_range_deg
    scaled = (inclination_deg - low) / (high - low) * 2 - 1
    return scaled.clip(-1, 1)


def from_scale(scaled: Any, label_range_deg: tuple[float, float]) -> Any:
    """Map the tanh scale back to degrees."""
    low, high = label_range_deg
    return (scaled + 1) / 2 * (high - low) + low


def multiply_adds(network: Any) -> int:
    """Return the number of multiplications for one image, for the cost budget."""
    total = 0
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            _, rows, columns, filters = layer.output.shape
            total += rows * columns * filters * layer.kernel.shape[0] * layer.kernel.shape[1] * layer.kernel.shape[2]
        elif isinstance(layer, keras.layers.Dense):
            total += layer.kernel.shape[0] * layer.kernel.shape[1]
    return int(total)
