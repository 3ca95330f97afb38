"""Radiative transfer along the line of sight through a simulated galaxy.

Geometry. The sky has u along the disc's line of nodes (the apparent major axis) and v across it; s runs along the line
of sight towards the observer. A disc inclined by i has, at sky position (u, v) and depth s::

    x = u        y = v cos i + s sin i        z = v sin i - s cos i

so both y and z depend on (v, s) alone: a whole row of the face-on map is looked up at once, which is what makes this
fast. Emission per volume is ``map(x, y) sech^2(z/z0) / (2 z0)``; the dust's extinction per length has the same form
with a smaller z0. Each sample is dimmed by ``exp(-tau)`` of the dust in front of it, by band.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from training import structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.galaxy import SimulatedGalaxy
    from training.structure import FaceOn

BANDS = ("g", "r", "i")
EXTINCTION = (1.0, 0.73, 0.55)
"""Extinction in g, r, i relative to g (Milky Way curve of R_V = 3.1; Schlafly & Finkbeiner 2011, ApJ 737, 103)."""

ZEROPOINT = 22.5
"""Surface brightness of one unit of intensity, mag/arcsec^2 (one nanomaggy per square arcsec)."""

YOUNG_HEIGHT = 0.4
"""Height of the young stars relative to the old ones."""

SAMPLES = 36
_LAYER = 4.5
"""Heights on either side of the plane within which the disc's light is integrated: sech^2 has 0.02 % beyond."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Sample points of the lines of sight of every row of the sky: ``[V, S]``, and where their cells end."""

    v: NDArray[np.float32]
    edges: NDArray[np.float32]
    depth: NDArray[np.float32]
    y: NDArray[np.float32]
    z: NDArray[np.float32]


def lines_of_sight(
    v: NDArray[np.float32], *, inclination_deg: float, height: float, extent: float, samples: int = SAMPLES
) -> Sight:
    """Place sample points where the disc is: within 4.5 heights of its plane and inside its radius.

    Parameters
    ----------
    v : float32 ``[V]``
        Rows of the sky.
    inclination_deg, height, extent : float
        The disc's inclination, its largest z0 and its radius.
    samples : int
        Points on each line of sight.
    """
    cos = np.cos(np.radians(inclination_deg))
    sin = np.sin(np.radians(inclination_deg))
    reach = _LAYER * height / max(cos, 1e-6)
    middle = v * (sin / max(cos, 1e-6))
    low, high = middle - reach, middle + reach
    if sin > 1e-6:  # noqa: PLR2004 - face-on, no depth leaves the disc's radius
        low = np.maximum(low, (-extent - v * cos) / sin)
        high = np.minimum(high, (extent - v * cos) / sin)
    high = np.maximum(high, low)
    edges = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, samples + 1)
    s = (edges[:, 1:] + edges[:, :-1]) / 2
    y, z = v[:, None] * cos + s * sin, v[:, None] * sin - s * cos
    return Sight(*(np.asarray(a, np.float32) for a in (v, edges, np.diff(edges, axis=1), y, z)))


def _sech2(z: NDArray[np.float32], height: float) -> NDArray[np.float32]:
    """Vertical profile of unit integral."""
    return np.asarray(1 / (np.cosh(np.clip(z / height, -20, 20)) ** 2 * 2 * height), np.float32)


def _rows(plane: NDArray[np.float32], sight: Sight, faces: FaceOn, weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Look up the rows of a face-on map at every sample, linearly in y, times ``weight``: ``[V, S, U]``."""
    place = np.clip((sight.y - faces.y[0]) / faces.step, 0, len(faces.y) - 1.001)
    below = place.astype(np.intp)
    share = (place - below).astype(np.float32)
    found = plane[below]
    found *= (weight * (1 - share))[..., None]
    upper = plane[below + 1]
    upper *= (weight * share)[..., None]
    found += upper
    return np.asarray(found, np.float32)


def _bulge(galaxy: SimulatedGalaxy, sight: Sight, u: NDArray[np.float32]) -> NDArray[np.float32]:
    """Light of an oblate bulge in every cell of the lines of sight, unit total flux: ``[V, S, U]``.

    Each gaussian of the expansion is integrated over a cell in closed form; the outermost cells reach to infinity, for
    the bulge is thicker than the disc.
    """
    inclination = np.radians(galaxy.inclination_deg)
    cos, sin, q2 = np.cos(inclination), np.sin(inclination), galaxy.bulge_q**2
    a = sin**2 + cos**2 / q2
    b = cos * sin * (1 - 1 / q2)
    c = cos**2 + sin**2 / q2
    flux, sigma = np.array(structure.sersic_gaussians(galaxy.bulge_index)).T
    sigma = sigma * galaxy.bulge_radius
    centred = (sight.edges + sight.v[:, None] * b / a)[None] * np.sqrt(a / 2) / sigma[:, None, None]
    cumulative = special.erf(centred)
    cumulative[..., 0], cumulative[..., -1] = -1, 1
    across = np.exp(-0.5 * sight.v**2 * (c - b**2 / a) / sigma[:, None] ** 2)
    norm = flux / (2 * np.pi * sigma**2 * galaxy.bulge_q * np.sqrt(a))
    depth = (np.diff(cumulative, axis=-1) / 2 * (norm[:, None] * across)[..., None]).astype(np.float32)
    along = np.exp(-0.5 * (u / sigma[:, None]) ** 2).astype(np.float32)
    return np.asarray(np.tensordot(depth, along, axes=(0, 0)), np.float32)


def band_weights(galaxy: SimulatedGalaxy) -> NDArray[np.float32]:
    """Return light in g, r, i of the old disc, the young disc and the bulge per unit of r: float32 ``[3, 3]``."""
    weights = np.ones((3, 3), np.float32)
    for row, (g_r, r_i) in enumerate(zip(galaxy.colours[::2], galaxy.colours[1::2], strict=True)):
        weights[row] = 10 ** (-0.4 * g_r), 1, 10 ** (0.4 * r_i)
    return weights


def bulge_flux(galaxy: SimulatedGalaxy) -> float:
    """Return the bulge's flux, in central surface brightnesses by scale lengths squared (the disc's is about 2 pi)."""
    return 2 * np.pi * galaxy.bulge_fraction / (1 - galaxy.bulge_fraction)


def project(
    galaxy: SimulatedGalaxy, faces: FaceOn, v: NDArray[np.float32], *, samples: int = SAMPLES
) -> NDArray[np.float32]:
    """Integrate the light that leaves a galaxy towards the observer.

    Parameters
    ----------
    galaxy : SimulatedGalaxy
    faces : FaceOn
        Its face-on maps; their x axis is the sky's u axis.
    v : float32 ``[V]``
        Rows of the sky, scale lengths.
    samples : int
        Points on each line of sight.

    Returns
    -------
    float32 ``[3, V, U]``
        Intensity in g, r, i, nanomaggies per square arcsec: ``mu = 22.5 - 2.5 log10(I)``.
    """
    sight = lines_of_sight(
        v, inclination_deg=galaxy.inclination_deg, height=galaxy.height, extent=float(faces.y[-1]), samples=samples
    )
    old = _rows(faces.old, sight, faces, _sech2(sight.z, galaxy.height) * sight.depth)
    young = _rows(faces.young, sight, faces, _sech2(sight.z, galaxy.height * YOUNG_HEIGHT) * sight.depth)
    colours = band_weights(galaxy)
    emission = [old, young]
    if galaxy.bulge_fraction > 0:
        emission.append(_bulge(galaxy, sight, faces.x) * np.float32(bulge_flux(galaxy)))
    scale = np.float32(10 ** (0.4 * (ZEROPOINT - galaxy.mu0)))
    if galaxy.optical_depth <= 0:
        columns = np.stack([part.sum(axis=1) for part in emission])
        return np.asarray(np.einsum("cvu,cb->bvu", columns, colours[: len(columns)]) * scale, np.float32)
    dust = _rows(faces.dust, sight, faces, _sech2(sight.z, galaxy.height * galaxy.dust_height) * sight.depth)
    in_front = np.cumsum(dust[:, ::-1], axis=1)[:, ::-1] - dust / 2
    image = np.empty((3, len(v), len(faces.x)), np.float32)
    for band, extinction in enumerate(EXTINCTION):
        light = colours[0, band] * emission[0]
        for part, weight in zip(emission[1:], colours[1:, band], strict=False):
            light += weight * part
        image[band] = np.einsum("vsu,vsu->vu", light, np.exp(-np.float32(extinction) * in_front))
    return np.asarray(image * scale, np.float32)


def render(galaxy: SimulatedGalaxy, rng: np.random.Generator, *, half_frame: float, side: int) -> NDArray[np.float32]:
    """Draw a galaxy with its major axis along the rows, wide enough to be turned inside a square frame.

    Parameters
    ----------
    galaxy : SimulatedGalaxy
    rng : numpy.random.Generator
    half_frame : float
        Half the frame's side, scale lengths.
    side : int
        Pixels across the frame.

    Returns
    -------
    float32 ``[3, V, U]``
        Odd V and U, centred on the galaxy; no larger than the galaxy or the frame's diagonal.
    """
    step = 2 * half_frame / side
    extent = 1.7 * galaxy.isophotal_radius
    diagonal = 1.45 * half_frame
    faces = structure.face_on(galaxy, rng, extent=extent, width=min(extent, diagonal), step=step)
    inclination = np.radians(galaxy.inclination_deg)
    tall = extent * np.cos(inclination) + _LAYER * galaxy.height * np.sin(inclination)
    if galaxy.bulge_fraction > 0:
        tall = max(tall, 9 * galaxy.bulge_radius)
    return project(galaxy, faces, structure.axis(min(tall, diagonal), step))
