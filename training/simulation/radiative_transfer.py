"""Radiative transfer along the line of sight through simulated galaxies.

Geometry. The sky has u along the disc's line of nodes (the apparent major axis) and v across it; s runs along the line
of sight towards the observer. A disc inclined by i has, at sky position (u, v) and depth s::

    x = u        y = v cos i + s sin i        z = v sin i - s cos i

so both y and z depend on (v, s) alone: a whole row of the face-on map is interpolated at once, which makes this fast.
Emission per volume is ``map(x, y) sech^2(z/z0) / (2 z0)``; the dust's extinction per length has the same form with a
smaller z0. Samples are taken from front to back, each dimmed by ``exp(-tau)`` of the dust in front of it, by band; only
the light and the optical depth so far are kept for a whole batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from training.networks.backend import fused
from training.simulation.face_on import each

if TYPE_CHECKING:
    from collections.abc import Callable

    from training.simulation.face_on import FaceOn

EXTINCTION = (1.0, 0.73, 0.55)
"""Extinction in g, r, i relative to g (Milky Way curve of R_V = 3.1; Schlafly & Finkbeiner 2011, ApJ 737, 103)."""

YOUNG_HEIGHT = 0.4
"""Height of the young stars relative to the old ones."""

SAMPLES = 24
LAYER = 4.5
"""Heights on either side of the plane within which the disc's light is integrated: sech^2 has 0.02 % beyond."""

_EVENNESS = 0.6
"""Length of the middle cell of a line of sight relative to an even division: layers of dust are thin."""


@dataclass(frozen=True, slots=True)
class LinesOfSight:
    """Cells of the lines of sight of every row of the sky, from front to back: ``[S, N, V]``; edges ``[S+1, N, V]``."""

    edges: Any
    depth: Any
    y: Any
    z: Any


def lines_of_sight(drawn: dict[str, Any], v: Any, extent: Any, samples: int = SAMPLES) -> LinesOfSight:
    """Return cells around the disc: within 4.5 heights of its plane and inside its radius.

    Parameters
    ----------
    drawn : dict of tensors ``[N, ...]``
        Result of :func:`training.simulation.render_parameters.in_space`.
    v : float32 tensor ``[N, V]``
        Rows of the sky, scale lengths.
    extent : float32 tensor ``[N]``
        Radii of the discs.
    samples : int
        Number of cells on each line of sight.
    """
    cos, sin = drawn["cos"][:, None], drawn["sin"][:, None]
    steep, slant = ops.maximum(cos, 1e-6), ops.maximum(sin, 1e-6)
    reach = LAYER * drawn["height"][:, None] / steep
    middle = v * sin / steep
    low = ops.maximum(middle - reach, (-extent[:, None] - v * cos) / slant)
    high = ops.maximum(ops.minimum(middle + reach, (extent[:, None] - v * cos) / slant), low)
    along = np.linspace(1, -1, samples + 1)
    share = (1 + _EVENNESS * along + (1 - _EVENNESS) * along**3) / 2
    edges = low + (high - low) * ops.convert_to_tensor(share[:, None, None].astype(np.float32))
    s = (edges[1:] + edges[:-1]) / 2
    return LinesOfSight(edges, edges[:-1] - edges[1:], v * cos + s * sin, v * sin - s * cos)


def _layer(sight: LinesOfSight, height: Any) -> Any:
    """Return the light of every cell in a layer of unit column, ``sech^2(z/height) / (2 height)`` times its depth."""
    scaled = ops.exp(-2 * ops.abs(sight.z) / height[:, None])
    return sight.depth * 2 * scaled / ((1 + scaled) ** 2 * height[:, None])


def _bulge(drawn: dict[str, Any], sight: LinesOfSight, u: Any, v: Any) -> tuple[Any, Any]:
    """Return the light of an oblate bulge in every cell of the lines of sight.

    It is ``[S, N, V, G]``, and along u ``[N, G, U]``.

    Each gaussian of the expansion is integrated over a cell in closed form; the outermost cells extend to infinity,
    because the bulge is thicker than the disc.
    """
    cos, sin, q2 = drawn["cos"], drawn["sin"], drawn["bulge_q"] ** 2
    a, b, c = sin**2 + cos**2 / q2, cos * sin * (1 - 1 / q2), cos**2 + sin**2 / q2
    sigma = drawn["bulge_sigma"]
    centred = sight.edges + v * (b / a)[:, None]
    cumulative = ops.erf(centred[..., None] * (ops.sqrt(a / 2)[:, None] / sigma)[:, None, :])
    whole = ops.ones_like(cumulative[:1])
    cumulative = ops.concatenate([whole, cumulative[1:-1], -whole])
    across = ops.exp(-0.5 * (v[..., None] / sigma[:, None, :]) ** 2 * each(c - b**2 / a))
    norm = drawn["bulge_flux"] / (4 * np.pi * sigma**2 * (drawn["bulge_q"] * ops.sqrt(a))[:, None])
    depth = (cumulative[:-1] - cumulative[1:]) * norm[:, None, :] * across
    return depth, ops.exp(-0.5 * (u[:, None, :] / sigma[..., None]) ** 2)


def project(drawn: dict[str, Any], faces: FaceOn, v: Any, *, samples: int = SAMPLES) -> Any:
    """Return the light that leaves galaxies towards the observer, integrated along lines of sight.

    Parameters
    ----------
    drawn : dict of tensors ``[N, ...]``
        Result of :func:`training.simulation.render_parameters.in_space`.
    faces : FaceOn
        Their face-on maps, whose x axis is the sky's u axis.
    v : float32 tensor ``[N, V]``
        Rows of the sky, scale lengths.
    samples : int
        Number of cells on each line of sight.

    Returns
    -------
    float32 tensor ``[N, 3, V, U]``
        Intensity in g, r, i, nanomaggies per square arcsec: ``mu = 22.5 - 2.5 log10(I)``.
    """
    integrate = _compiled(samples)
    return integrate(drawn, faces.x, faces.y, (faces.old, faces.young, faces.dust), v)


@lru_cache
def _compiled(samples: int) -> Callable[..., Any]:
    return fused(partial(_integrated, samples=samples))


def _integrated(drawn: dict[str, Any], u: Any, y: Any, maps: tuple[Any, ...], v: Any, *, samples: int) -> Any:
    """Return the sum over the cells of the lines of sight."""
    sight = lines_of_sight(drawn, v, y[:, -1], samples)
    galaxies, rows = y.shape
    place = (sight.y - y[:, :1]) / (y[:, 1:2] - y[:, :1])
    place = ops.clip(place, 0, rows - 1.001)
    below = ops.cast(place, "int32")
    first = ops.arange(galaxies, dtype="int32")[:, None] * rows
    depth, along = _bulge(drawn, sight, u, v)
    heights = (drawn["height"], drawn["height"] * YOUNG_HEIGHT, drawn["dust_height"])
    layers = [_layer(sight, height) for height in heights]
    planes = [ops.reshape(plane, (galaxies * rows, -1)) for plane in maps]
    colours = drawn["colours"] * each(drawn["brightness"])

    def look_up(cell: tuple[Any, ...]) -> tuple[Any, ...]:
        row, share, depth, *layers = cell
        lower = [ops.take(plane, row, axis=0) for plane in planes]
        upper = [ops.take(plane, row + 1, axis=0) for plane in planes]
        found = zip(lower, upper, layers, strict=True)
        return (
            *((a + share[..., None] * (b - a)) * layer[..., None] for a, b, layer in found),
            ops.matmul(depth, along),
        )

    def advance(so_far: tuple[Any, ...], found: tuple[Any, ...]) -> tuple[Any, ...]:
        old, young, dust, bulge = found
        behind = so_far[0] + dust / 2
        bands = [
            seen
            + ops.exp(-extinction * behind) * sum(each(c[:, n]) * part for n, part in enumerate((old, young, bulge)))
            for seen, extinction, c in zip(so_far[1:], EXTINCTION, ops.unstack(colours, axis=2), strict=True)
        ]
        return (so_far[0] + dust, *bands)

    def step(carried: tuple[Any, Any], cell: tuple[Any, ...]) -> tuple[tuple[Any, Any], None]:
        # a cell's values are carried to the next step: used in this one, they would be computed again for every band
        return (advance(*carried), look_up(cell)), None

    nothing = ops.zeros((galaxies, v.shape[1], u.shape[1]))
    cells = (first + below, place - ops.cast(below, "float32"), depth, *layers)
    nearest, others = tuple(c[0] for c in cells), tuple(c[1:] for c in cells)
    carried, _ = ops.scan(step, ((nothing,) * 4, look_up(nearest)), others)
    _, *image = advance(*carried)
    return ops.stack(image, axis=1)
