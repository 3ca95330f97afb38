"""Face-on maps of a simulated galaxy: old stars, young stars and dust, before any projection."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage, optimize

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.galaxy import Arms, Feature, SimulatedGalaxy

_ARM_START = 0.5
_PATCHES = (96, 40)


@dataclass(frozen=True, slots=True)
class FaceOn:
    """Surface densities on a grid whose columns are the sky's u axis and whose rows are the in-plane y axis.

    Attributes
    ----------
    step : float
        Grid spacing, scale lengths.
    x, y : float32 ``[NX]``, ``[NY]``
        In-plane coordinates, centred on the galaxy.
    old, young : float32 ``[NY, NX]``
        Light per area in units of the disc's central surface brightness.
    dust : float32 ``[NY, NX]``
        Vertical g-band optical depth.
    """

    step: float
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    old: NDArray[np.float32]
    young: NDArray[np.float32]
    dust: NDArray[np.float32]


def axis(extent: float, step: float) -> NDArray[np.float32]:
    """Return coordinates from ``-extent`` to ``extent`` (at least), spaced by ``step`` and symmetric about zero."""
    half = int(np.ceil(extent / step))
    return np.asarray(np.arange(-half, half + 1) * step, np.float32)


def radial_profile(galaxy: SimulatedGalaxy, radius: NDArray[np.float32]) -> NDArray[np.float32]:
    """Exponential disc, broken at ``break_radius``, 1 at the centre."""
    beyond = np.maximum(radius - galaxy.break_radius, 0)
    exponent = np.minimum(radius, galaxy.break_radius) + beyond / np.float32(galaxy.outer_scale)
    return np.asarray(np.exp(-exponent), np.float32)


def face_on(galaxy: SimulatedGalaxy, rng: np.random.Generator, *, extent: float, width: float, step: float) -> FaceOn:
    """Lay out the disc, its arms, bar, rings, clumps and dust.

    Parameters
    ----------
    galaxy : SimulatedGalaxy
    rng : numpy.random.Generator
        Places the patches and clumps.
    extent : float
        Half the map's side along y, scale lengths: nothing lies beyond.
    width : float
        Half the map's side along x; less than ``extent`` where the frame shows less.
    step : float
        Grid spacing, scale lengths.
    """
    x, y = axis(width, step), axis(extent, step)
    turn = rng.uniform(0, 2 * np.pi)
    radius, angle = _polar(x, y, galaxy, float(rng.uniform(0, 2 * np.pi)))
    smooth = radial_profile(galaxy, radius)
    pattern, lanes = _spiral(galaxy.arms, radius, angle, rng)
    inside = np.clip(radius / _ARM_START, 0, 1) ** 2
    modulation = 1 + np.float32(galaxy.arms.contrast) * inside * (pattern - 1)
    young_smooth = smooth ** np.float32(0.8) * np.float32(0.64)  # the young disc is a quarter longer at equal light
    young = young_smooth * inside * np.maximum(modulation, 0) ** 1.5
    young = _clumped(young, galaxy.arms, rng, step)
    old = smooth * np.maximum(1 + (modulation - 1) * np.float32(0.35), 0)
    fraction = np.float32(galaxy.young_fraction)
    old = (1 - fraction) * old + _bar(galaxy.bar, x, y, galaxy.bar.angle + turn)
    ringed = (_ring(galaxy.ring, radius) + _ring(galaxy.outer_ring, radius)) * np.clip(modulation, 0.3, 2.5)
    young = fraction * young + np.float32(0.5) * ringed
    old += np.float32(0.5) * ringed
    dust = galaxy.optical_depth * np.exp(-radius / np.float32(galaxy.dust_scale))
    dust = dust * np.maximum(1 + np.float32(0.8 * galaxy.arms.contrast) * inside * (lanes - 1), 0.05)
    taper = np.clip((extent - radius) / np.float32(0.15 * extent), 0, 1)
    return FaceOn(step, x, y, *(np.ascontiguousarray(p * taper, np.float32) for p in (old, young, dust)))


def _polar(
    x: NDArray[np.float32], y: NDArray[np.float32], galaxy: SimulatedGalaxy, side: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Radius and azimuth; the radius is stretched by the galaxy's ovalness and lopsidedness."""
    radius = np.hypot(x[None, :], y[:, None])
    angle = np.arctan2(y[:, None], x[None, :])
    stretch = 1 + np.float32(galaxy.ovalness) * np.cos(2 * (angle - np.float32(side)))
    stretch += np.float32(galaxy.lopsidedness) * np.cos(angle - np.float32(1.7 * side)) * np.minimum(radius / 3, 1)
    return (radius * stretch).astype(np.float32), angle.astype(np.float32)


def _spiral(
    arms: Arms, radius: NDArray[np.float32], angle: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Grand-design arms blended with sheared patches, mean about 1; and the dust lanes on the arms' inner edges."""
    winding = np.log(np.maximum(radius, 0.05)) / np.float32(np.tan(np.radians(arms.pitch_deg)))
    sheared = np.asarray(angle * arms.hand - winding, np.float32)
    patches = _patches(np.log(np.maximum(radius, 0.05)), sheared, rng)
    phase = arms.number * sheared + np.float32(arms.phase) + np.float32(0.8 * arms.flocculence) * patches
    ridge = np.exp(np.float32(arms.sharpness) * (np.cos(phase) - 1))
    ridge /= np.float32(np.mean(np.exp(arms.sharpness * (np.cos(np.linspace(0, 2 * np.pi, 64)) - 1))))
    lanes = np.exp(2 * (np.cos(phase + np.float32(0.6)) - 1)) / np.float32(0.31)
    speckle = np.exp(np.float32(0.7) * patches - np.float32(0.25))
    weight = np.float32(arms.flocculence)
    return (1 - weight) * ridge + weight * speckle, lanes


def _patches(
    log_radius: NDArray[np.float32], sheared: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Unit-variance noise that is smooth in log radius and sheared azimuth: flocculent arms."""
    drawn = rng.standard_normal(_PATCHES, dtype=np.float32)
    fine, coarse = (ndimage.gaussian_filter(drawn, size, mode="wrap") for size in (1.4, 3.5))
    noise = fine / fine.std() + coarse / coarse.std()
    noise /= noise.std()
    rows = np.mod(sheared / np.float32(2 * np.pi), 1) * _PATCHES[0]
    columns = (log_radius + 3) / np.float32(5.2) * _PATCHES[1]
    found = ndimage.map_coordinates(noise, [rows, columns], order=1, mode="grid-wrap")
    return np.asarray(found, np.float32)


def _clumped(young: NDArray[np.float32], arms: Arms, rng: np.random.Generator, step: float) -> NDArray[np.float32]:
    """Move a share of the young light into star-forming clumps, placed where that light is."""
    total = float(young.sum())
    if not arms.clumps or total <= 0:
        return young
    cumulative = np.cumsum(young.ravel(), dtype=np.float64)
    places = np.searchsorted(cumulative, rng.uniform(0, cumulative[-1], arms.clumps))
    points = np.zeros(young.size, np.float32)
    np.add.at(points, np.minimum(places, young.size - 1), rng.exponential(1, arms.clumps).astype(np.float32))
    blurred = ndimage.gaussian_filter(points.reshape(young.shape), max(0.07 / step, 0.8))
    mass = float(blurred.sum())
    return (
        young if mass <= 0 else young * (1 - arms.clump_light) + blurred * np.float32(arms.clump_light * total / mass)
    )


def _bar(bar: Feature, x: NDArray[np.float32], y: NDArray[np.float32], turn: float) -> NDArray[np.float32]:
    """Ferrers bar of index 1.5: (1 - m^2)^1.5 inside the ellipse m = 1."""
    if not bar.strength:
        return np.zeros((len(y), len(x)), np.float32)
    along = x[None, :] * np.float32(np.cos(turn)) + y[:, None] * np.float32(np.sin(turn))
    across = y[:, None] * np.float32(np.cos(turn)) - x[None, :] * np.float32(np.sin(turn))
    m2 = (along / bar.radius) ** 2 + (across / (bar.radius * bar.width)) ** 2
    return np.asarray(bar.strength * np.clip(1 - m2, 0, None) ** 1.5, np.float32)


def _ring(ring: Feature, radius: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(ring.strength * np.exp(-0.5 * ((radius - ring.radius) / ring.width) ** 2), np.float32)


@lru_cache(maxsize=32)
def sersic_gaussians(index: float) -> tuple[tuple[float, float], ...]:
    """Expand a Sersic profile of unit flux and effective radius into gaussians (Emsellem et al. 1994, A&A 285, 723).

    Gaussians project analytically, in three dimensions and for any axis ratio, which the line-of-sight integral needs.

    Returns
    -------
    tuple of (flux, sigma)
        Fluxes sum to 1.
    """
    sigmas = np.geomspace(0.03, 4, 12)
    radius = np.geomspace(0.02, 6, 200)
    b = 2 * index - 1 / 3 + 0.009876 / index  # Prugniel & Simien 1997, A&A 321, 111
    profile = np.exp(-b * radius ** (1 / index))
    basis = np.exp(-0.5 * (radius[:, None] / sigmas) ** 2) / (2 * np.pi * sigmas**2)
    weight = radius / np.sqrt(profile)
    fluxes, _ = optimize.nnls(basis * weight[:, None], profile * weight)
    fluxes /= fluxes.sum()
    return tuple((float(f), float(s)) for f, s in zip(fluxes, sigmas, strict=True) if f > 1e-4)  # noqa: PLR2004 - none
