"""Face-on maps of simulated galaxies: old stars, young stars and dust, before any projection.

All functions work on whole batches of tensors, from the results of
:func:`training.simulation.render_parameters.in_space`. Intermediate results with several uses are compiled separately,
since XLA would compute them again for each use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from training.networks.backend import fused
from training.simulation.render_parameters import PATCHES

_ARM_START = 0.5
_CLUMP_SIGMA = 0.07


@dataclass(frozen=True, slots=True)
class FaceOn:
    """Surface densities on grids whose columns are the sky's u axis and whose rows are the in-plane y axis.

    Attributes
    ----------
    x, y : float32 tensors ``[N, X]``, ``[N, Y]``
        In-plane coordinates, evenly spaced and centred on the galaxy, scale lengths.
    old, young : float32 tensors ``[N, Y, X]``
        Light per area in units of the disc's central surface brightness.
    dust : float32 tensor ``[N, Y, X]``
        Vertical g-band optical depth.
    """

    x: Any
    y: Any
    old: Any
    young: Any
    dust: Any


def axis(extent: Any, points: int) -> Any:
    """Return ``points`` coordinates from ``-extent`` to ``extent`` for each galaxy: ``[N, points]``."""
    return extent[:, None] * ops.linspace(-1.0, 1.0, points)


def each(values: Any) -> Any:
    """Return one value per galaxy in the shape to combine with maps: ``[N]`` to ``[N, 1, 1]``."""
    return values[:, None, None]


def face_on(drawn: dict[str, Any], x: Any, y: Any) -> FaceOn:
    """Return the face-on maps of discs with their arms, bars, rings, clumps and dust.

    Parameters
    ----------
    drawn : dict of tensors ``[N, ...]``
        Result of :func:`training.simulation.render_parameters.in_space`.
    x, y : float32 tensors ``[N, X]``, ``[N, Y]``
        The maps' grids, scale lengths, evenly spaced; no galaxy extends beyond the last ``y``.
    """
    radius, angle = _polar(drawn, x[:, None, :], y[:, :, None])
    pattern = _modulation(drawn, radius, angle, _patches(drawn, radius, angle))
    return FaceOn(x, y, *_maps(drawn, x, y, radius, pattern))


@fused
def _maps(drawn: dict[str, Any], x: Any, y: Any, radius: Any, pattern: tuple[Any, Any]) -> tuple[Any, ...]:
    """Return maps of old stars, young stars and dust."""
    modulation, lanes = pattern
    fall = _fall(drawn, radius)
    young = _clumped(drawn, ops.exp(-0.8 * fall) * _young_share(radius, modulation), x, y)
    fraction = each(drawn["young_fraction"])
    ringed = _ring(drawn["ring"], radius) + _ring(drawn["outer_ring"], radius)
    ringed = 0.5 * ringed * ops.clip(modulation, 0.3, 2.5)
    # the young disc is a quarter longer at equal light
    young = 0.64 * fraction * young + ringed
    old = (1 - fraction) * ops.exp(-fall) * ops.maximum(1 + (modulation - 1) * 0.35, 0)
    old = old + _bar(drawn, x[:, None, :], y[:, :, None]) + ringed
    dust = each(drawn["dust_depth"]) * ops.exp(-radius / each(drawn["dust_scale"])) * lanes
    extent = each(y[:, -1])
    taper = ops.clip((extent - radius) / (0.15 * extent), 0, 1)
    return old * taper, young * taper, dust * taper


@fused
def _polar(drawn: dict[str, Any], x: Any, y: Any) -> tuple[Any, Any]:
    """Return radius and azimuth; the radius is stretched by the galaxy's ovalness and lopsidedness."""
    radius = ops.sqrt(x**2 + y**2)
    angle = ops.arctan2(y + 0 * x, x + 0 * y)
    side = each(drawn["oval_angle"])
    stretch = 1 + each(drawn["ovalness"]) * ops.cos(2 * (angle - side))
    stretch += each(drawn["lopsidedness"]) * ops.cos(angle - 1.7 * side) * ops.minimum(radius / 3, 1)
    return radius * stretch, angle


def _fall(drawn: dict[str, Any], radius: Any) -> Any:
    """Return minus the logarithm of an exponential disc with a break at ``break_radius``."""
    edge = each(drawn["break_radius"])
    return ops.minimum(radius, edge) + ops.maximum(radius - edge, 0) / each(drawn["outer_scale"])


def _inside(radius: Any) -> Any:
    """Return the strength of the arms with radius: from 0 at the centre to 1."""
    return ops.clip(radius / _ARM_START, 0, 1) ** 2


def _young_share(radius: Any, modulation: Any) -> Any:
    """Return the density of young stars relative to a smooth disc."""
    followed = ops.maximum(modulation, 0)
    return _inside(radius) * followed * ops.sqrt(followed)


@fused
def _modulation(drawn: dict[str, Any], radius: Any, angle: Any, patches: Any) -> tuple[Any, Any]:
    """Return the arms' factors for the light and, with lanes on the inner edges, for the dust: mean about 1.

    Grand-design arms are blended with sheared patches.
    """
    weight = each(drawn["flocculence"])
    phase = (
        each(drawn["arm_number"]) * _sheared(drawn, radius, angle)[0]
        + each(drawn["arm_phase"])
        + 0.8 * weight * patches
    )
    ridge = ops.exp(each(drawn["arm_sharpness"]) * (ops.cos(phase) - 1)) / each(drawn["arm_mean"])
    lanes = ops.exp(2 * (ops.cos(phase + 0.6) - 1)) / 0.31
    speckle = ops.exp(0.7 * patches - 0.25)
    depth = each(drawn["contrast"]) * _inside(radius)
    arms = 1 + depth * ((1 - weight) * ridge + weight * speckle - 1)
    return arms, ops.maximum(1 + 0.8 * depth * (lanes - 1), 0.05)


def _sheared(drawn: dict[str, Any], radius: Any, angle: Any) -> tuple[Any, Any]:
    """Return the azimuth relative to the nearest arm, and the logarithm of the radius."""
    log_radius = ops.log(ops.maximum(radius, 0.05))
    return angle * each(drawn["arm_hand"]) - log_radius * each(drawn["arm_winding"]), log_radius


@fused
def _patches(drawn: dict[str, Any], radius: Any, angle: Any) -> Any:
    """Interpolate the patches' noise linearly, in sheared azimuth and log radius."""
    sheared, log_radius = _sheared(drawn, radius, angle)
    noise = drawn["patches"]
    rows, columns = PATCHES
    flat = ops.reshape(noise, (-1,))
    first = ops.arange(noise.shape[0], dtype="int32")[:, None, None] * (rows * columns)

    def place(where: Any, cells: int) -> tuple[Any, Any, Any]:
        where = (where - ops.floor(where)) * cells
        below = ops.cast(where, "int32")
        return below % cells, (below + 1) % cells, where - ops.cast(below, "float32")

    row, next_row, down = place(sheared / (2 * np.pi), rows)
    column, next_column, across = place((log_radius + 3) / 5.2, columns)

    def along(row: Any) -> Any:
        left, right = (ops.take(flat, first + row * columns + one, axis=0) for one in (column, next_column))
        return left + across * (right - left)

    upper, lower = along(row), along(next_row)
    return upper + down * (lower - upper)


def _clumped(drawn: dict[str, Any], young: Any, x: Any, y: Any) -> Any:
    """Move a share of the young light into star-forming clumps, placed by its density."""
    at_x, at_y, light = _chosen(drawn)

    def gaussian(grid: Any, at: Any) -> Any:
        sigma = each(ops.maximum(0.8 * (grid[:, 1] - grid[:, 0]), _CLUMP_SIGMA))
        return ops.exp(-0.5 * ((grid[:, None, :] - at[:, :, None]) / sigma) ** 2)

    clumps = ops.einsum("nky,nkx->nyx", gaussian(y, at_y) * light[:, :, None], gaussian(x, at_x))
    total, mass = (ops.sum(light, axis=(1, 2)) for light in (young, clumps))
    share = drawn["clump_light"] * ops.cast(mass > 0, "float32")
    return each(1 - share) * young + each(share * total / ops.maximum(mass, 1e-9)) * clumps


def _chosen(drawn: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Choose one position per clump by the young light there, and scale the clumps to the average: ``[N, K]``."""
    x, y = drawn["clump_x"], drawn["clump_y"]
    radius, angle = _polar(drawn, x, y)
    modulation, _ = _modulation(drawn, radius, angle, _patches(drawn, radius, angle))
    # the positions were drawn from a round disc
    round_fall = _fall(drawn, ops.sqrt(x**2 + y**2))
    weight = ops.exp(0.8 * (round_fall - _fall(drawn, radius))) * _young_share(radius, modulation)
    reached = ops.cumsum(weight, axis=-1)
    whole = reached[..., -1:]
    here = ops.cast(drawn["clump_choice"] * whole >= reached - weight, "float32")
    here = here * ops.cast(drawn["clump_choice"] * whole < reached, "float32")
    return ops.sum(here * x, axis=-1), ops.sum(here * y, axis=-1), drawn["clump_lights"] * ops.mean(weight, axis=-1)


def _bar(drawn: dict[str, Any], x: Any, y: Any) -> Any:
    """Return a Ferrers bar of index 1.5: (1 - m^2)^1.5 inside the ellipse m = 1."""
    strength, length, width = (each(drawn["bar"][:, n]) for n in range(3))
    cos, sin = each(ops.cos(drawn["bar_turn"])), each(ops.sin(drawn["bar_turn"]))
    along, across = x * cos + y * sin, y * cos - x * sin
    within = ops.maximum(1 - (along / length) ** 2 - (across / (length * width)) ** 2, 0)
    return strength * within * ops.sqrt(within)


def _ring(ring: Any, radius: Any) -> Any:
    strength, middle, width = (each(ring[:, n]) for n in range(3))
    return strength * ops.exp(-0.5 * ((radius - middle) / width) ** 2)
