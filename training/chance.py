"""What a batch of pictures is computed from: a galaxy, how it is seen, and all that is left to chance, as arrays.

Every array has the same shape for every galaxy, so that galaxies can be stacked; tables of things that come in varying
numbers are filled up with things without light. NumPy alone is at work here, so that processes that only draw need
load nothing else.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from training import sersic
from training.observation import PIXEL_ARCSEC

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.galaxy import Feature, SimulatedGalaxy
    from training.observation import Observation

    Arrays = dict[str, NDArray[np.float32]]

ZEROPOINT = 22.5
"""Surface brightness of one unit of intensity, mag/arcsec^2 (one nanomaggy per square arcsec)."""

PATCHES = (96, 40)
"""Cells of the patches' noise, in azimuth and in the logarithm of the radius."""

CLUMPS, PLACES = 300, 4
"""Most clumps, and the places of which each takes one."""

STARS, NEIGHBOURS, HALOES = 96, 16, 4
"""Most of them in a frame; what one frame in a thousand has beyond that is left out."""

_GAUSSIANS = 12
_CORRELATION = 0.7
"""Pixels over which noise is correlated where pixels are smaller than the survey's."""


def arrays(galaxy: SimulatedGalaxy, seen: Observation, rng: np.random.Generator) -> Arrays:
    """Return all that a picture is computed from.

    Parameters
    ----------
    galaxy : SimulatedGalaxy
    seen : Observation
    rng : numpy.random.Generator
        Places patches, clumps, neighbours and stars, and draws the noise.

    Returns
    -------
    dict of float32 arrays
        Single numbers, short tables, and ``noise`` ``[3, side, side]``. For :mod:`training.structure`,
        :mod:`training.simulator` and :mod:`training.camera`, stacked.
    """
    drawn = {
        **in_space(galaxy, rng),
        **_frame(galaxy, seen),
        **_neighbours(seen, rng),
        **_stars(seen, rng),
        **_noise(seen, rng),
    }
    return {name: np.asarray(value, np.float32) for name, value in drawn.items()}


def in_space(galaxy: SimulatedGalaxy, rng: np.random.Generator) -> dict[str, float | NDArray[np.floating]]:
    """Return what the galaxy itself is computed from, whoever looks at it."""
    inclination = np.radians(galaxy.inclination_deg)
    pitch, side, bar_turn = np.radians(galaxy.arms.pitch_deg), *rng.uniform(0, 2 * np.pi, 2)
    arms = galaxy.arms
    return {
        "cos": np.cos(inclination),
        "sin": np.sin(inclination),
        "height": galaxy.height,
        "break_radius": galaxy.break_radius,
        "outer_scale": galaxy.outer_scale,
        "young_fraction": galaxy.young_fraction,
        "ovalness": galaxy.ovalness,
        "lopsidedness": galaxy.lopsidedness,
        "oval_angle": side,
        "arm_number": arms.number,
        "arm_hand": arms.hand,
        "arm_phase": arms.phase,
        "arm_winding": 1 / np.tan(pitch),
        "arm_sharpness": arms.sharpness,
        "arm_mean": _mean_of_ridge(arms.sharpness),
        "contrast": arms.contrast,
        "flocculence": arms.flocculence,
        "patches": _patches(rng),
        "bar": _feature(galaxy.bar),
        "bar_turn": galaxy.bar.angle + bar_turn,
        "ring": _feature(galaxy.ring),
        "outer_ring": _feature(galaxy.outer_ring),
        "dust_depth": galaxy.optical_depth,
        "dust_scale": galaxy.dust_scale,
        "dust_height": galaxy.height * galaxy.dust_height,
        "colours": _colours(galaxy),
        "brightness": 10 ** (0.4 * (ZEROPOINT - galaxy.mu0)),
        **_bulge(galaxy),
        **_clumps(galaxy, rng),
    }


def _mean_of_ridge(sharpness: float) -> float:
    return float(np.mean(np.exp(sharpness * (np.cos(np.linspace(0, 2 * np.pi, 64)) - 1))))


def _feature(feature: Feature) -> NDArray[np.floating]:
    return np.array([feature.strength, feature.radius, feature.width])


def _colours(galaxy: SimulatedGalaxy) -> NDArray[np.floating]:
    """Light in g, r, i of the old disc, the young disc and the bulge per unit of r: ``[3, 3]``."""
    g_r, r_i = np.reshape(galaxy.colours, (3, 2)).T
    return np.stack([10 ** (-0.4 * g_r), np.ones(3), 10 ** (0.4 * r_i)], axis=1)


def _bulge(galaxy: SimulatedGalaxy) -> dict[str, float | NDArray[np.floating]]:
    """Gaussians of the bulge; flux in central surface brightnesses by scale lengths squared (a disc's is 2 pi)."""
    found = np.array(sersic.gaussians(galaxy.bulge_index))
    table = np.tile([0.0, 1.0], (_GAUSSIANS, 1))
    table[: len(found)] = found
    flux = 2 * np.pi * galaxy.bulge_fraction / (1 - galaxy.bulge_fraction)
    return {
        "bulge_q": galaxy.bulge_q,
        "bulge_flux": flux * table[:, 0],
        "bulge_sigma": galaxy.bulge_radius * table[:, 1],
    }


@lru_cache(maxsize=2)
def _smoothing(cells: int, sigma: float) -> NDArray[np.float32]:
    """Return the matrix that smooths what goes round in so many cells by a gaussian."""
    apart = np.subtract.outer(np.arange(cells), np.arange(cells))
    apart = (apart + cells / 2) % cells - cells / 2
    weights = np.exp(-0.5 * (apart / sigma) ** 2)
    return np.asarray(weights / weights.sum(axis=1), np.float32)


def _patches(rng: np.random.Generator) -> NDArray[np.float32]:
    """Unit-variance noise that is smooth in log radius and sheared azimuth: flocculent arms."""
    noise = rng.standard_normal(PATCHES, dtype=np.float32)
    smooth = _smoothing(PATCHES[0], 1.6) @ noise @ _smoothing(PATCHES[1], 1.6)
    return np.asarray(smooth / smooth.std(), np.float32)


def _clumps(galaxy: SimulatedGalaxy, rng: np.random.Generator) -> dict[str, float | NDArray[np.floating]]:
    """Places in the young disc without its arms, four for each clump; the arms choose among them."""
    count = min(galaxy.arms.clumps, CLUMPS)
    grid = np.linspace(0, 12, 241)
    beyond = np.maximum(grid - galaxy.break_radius, 0)
    within = np.cumsum(grid * np.exp(-0.8 * (np.minimum(grid, galaxy.break_radius) + beyond / galaxy.outer_scale)))
    radius = np.interp(rng.random((CLUMPS, PLACES)), within / within[-1], grid)
    angle = rng.uniform(0, 2 * np.pi, (CLUMPS, PLACES))
    lights = rng.exponential(1, CLUMPS) * (np.arange(CLUMPS) < count)
    return {
        "clump_x": radius * np.cos(angle),
        "clump_y": radius * np.sin(angle),
        "clump_choice": rng.random((CLUMPS, 1)),
        "clump_lights": lights,
        "clump_light": galaxy.arms.clump_light if count else 0.0,
    }


def _frame(galaxy: SimulatedGalaxy, seen: Observation) -> dict[str, float | NDArray[np.floating]]:
    """Where the galaxy lies in the frame, and how the picture is made."""
    angle = np.radians(seen.position_angle_deg)
    return {
        "half_frame": seen.zoom * galaxy.isophotal_radius,
        "isophotal_radius": galaxy.isophotal_radius,
        "bulge_reach": 10 * galaxy.bulge_radius if galaxy.bulge_fraction > 0 else 0.0,
        "turn": np.array([np.cos(angle), np.sin(angle)]),
        "offset": np.array(seen.offset),
        "warp": galaxy.warp * np.sin(np.radians(galaxy.inclination_deg)),
        "warp_is_odd": galaxy.warp_order == 1,
        "blur": max(seen.seeing_arcsec / 2.355 / seen.pixel_arcsec, 0.35),
        "softening": seen.softening,
        "level": seen.level,
        "pedestal": seen.pedestal,
        "gamma": seen.gamma,
        "tint": np.array(seen.tint),
    }


def _colour(g_r: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.stack([10 ** (-0.4 * g_r), np.ones_like(g_r), 10 ** (0.16 * g_r)], axis=-1)


def _filled(table: NDArray[np.floating], length: int) -> NDArray[np.floating]:
    """Fill a table up with zeros."""
    return np.concatenate([table[:length], np.zeros((max(length - len(table), 0), *table.shape[1:]))])


def _neighbours(seen: Observation, rng: np.random.Generator) -> dict[str, NDArray[np.floating]]:
    """Background galaxies: small exponential blobs, now and then one of a size that disturbs."""
    count = rng.poisson(seen.neighbours)
    size = seen.side * np.exp(rng.uniform(np.log(0.006), np.log(0.03), count))
    size *= np.where(rng.random(count) < 0.06, 3, 1)  # noqa: PLR2004 - a large neighbour
    x, y = rng.uniform(0, seen.side, (2, count))
    angle, ratio = rng.uniform(0, np.pi, count), rng.uniform(0.25, 1, count)
    light = 10 ** (0.4 * (ZEROPOINT - rng.uniform(20, 23.5, count)))
    along, across = np.array([np.cos(angle), np.sin(angle)]) / size, np.array([-np.sin(angle), np.cos(angle)]) / size
    table = np.stack([x, y, *along, *(across / ratio)], axis=-1)
    return {
        "neighbours": _filled(table, NEIGHBOURS),
        "neighbour_lights": _filled(light[:, None] * _colour(rng.uniform(0.2, 1.3, count)), NEIGHBOURS),
    }


def _stars(seen: Observation, rng: np.random.Generator) -> dict[str, NDArray[np.floating]]:
    """Foreground stars, the brightest first."""
    count = rng.poisson(seen.stars)
    flux = np.sort(10 ** (0.4 * (ZEROPOINT - np.maximum(21 - rng.exponential(1.7, count), 12.0))))[::-1]
    places = np.floor(rng.uniform(0, seen.side, (count, 2)))
    colour = _colour(rng.uniform(0.1, 1.4, count))
    reach = 6 * (flux / 2500) ** 0.4 / seen.pixel_arcsec
    bright = flux > 10 ** (0.4 * 8.5)  # brighter than 14 mag
    haloes = np.stack([*places.T, np.maximum(reach, 1e-3), *(bright * flux / seen.pixel_arcsec * colour.T)], axis=-1)
    return {
        "stars": _filled(places, STARS),
        "star_lights": _filled(flux[:, None] / seen.pixel_arcsec**2 * colour, STARS),
        "haloes": _filled(haloes, HALOES),
    }


def _noise(seen: Observation, rng: np.random.Generator) -> dict[str, float | NDArray[np.floating]]:
    """Sky noise, correlated below the native pixel and averaged down above it, and a slope of the sky."""
    native = 10 ** (0.4 * (ZEROPOINT - seen.sky_mag))
    sigma = native * PIXEL_ARCSEC / max(seen.pixel_arcsec, PIXEL_ARCSEC)
    return {
        "sky_sigma": sigma * np.array([0.8, 1.0, 1.9]),
        "sky_slope": rng.normal(0, 0.15 * sigma),
        "correlation": _CORRELATION if seen.pixel_arcsec < PIXEL_ARCSEC else 0.05,
        "noise": rng.standard_normal((3, seen.side, seen.side), dtype=np.float32),
    }
