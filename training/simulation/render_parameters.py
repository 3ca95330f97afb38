"""The parameters of a batch of pictures as arrays: the galaxy, its observation, and all random numbers.

Every array has the same shape for every galaxy, so that galaxies can be stacked; tables of varying length are padded
with entries without light. This module uses only NumPy and SciPy, so that processes that only draw load nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage, special

from training.simulation import sersic, surroundings
from training.simulation.galaxy import ZEROPOINT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.simulation.galaxy import Feature, SimulatedGalaxy
    from training.simulation.observation import Observation
    from training.simulation.surroundings import Drawn

    Arrays = dict[str, NDArray[np.float32]]
    """Arrays by name; every galaxy has the same names and, for pictures of one size, the same shapes."""

PATCHES = (96, 40)
"""Cells of the patches' noise, in azimuth and in the logarithm of the radius."""

CLUMPS, PLACES = 300, 4
"""Largest number of clumps, and number of possible positions of each."""

_GAUSSIANS = 12


def arrays(galaxy: SimulatedGalaxy, seen: Observation, rng: np.random.Generator) -> Arrays:
    """Return all parameters of a picture.

    Parameters
    ----------
    galaxy : SimulatedGalaxy
    seen : Observation
    rng : numpy.random.Generator
        Generator that places patches, clumps, neighbours and stars, and draws the noise.

    Returns
    -------
    dict of float32 arrays
        Single numbers, short tables, and ``noise`` ``[3, side, side]``. Stacked, they are the input of
        :mod:`training.simulation.face_on`, :mod:`training.simulation.radiative_transfer` and
        :mod:`training.simulation.camera`.
    """
    drawn = {**in_space(galaxy, rng, seen.redness), **surroundings.around(galaxy, seen, rng)}
    return {name: np.asarray(value, np.float32) for name, value in drawn.items()}


def in_space(galaxy: SimulatedGalaxy, rng: np.random.Generator, redness: tuple[float, float] = (1.0, 1.0)) -> Drawn:
    """Return the parameters of the galaxy itself, independent of the observation except for the bands' ``redness``."""
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
        "arm_mean": special.i0e(arms.sharpness),  # mean of exp(sharpness (cos phase - 1))
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
        "colours": _colours(galaxy, redness),
        "brightness": 10 ** (0.4 * (ZEROPOINT - galaxy.mu0)),
        **_bulge(galaxy),
        **_clumps(galaxy, rng),
    }


def _feature(feature: Feature) -> NDArray[np.floating]:
    return np.array([feature.strength, feature.radius, feature.width])


def _colours(galaxy: SimulatedGalaxy, redness: tuple[float, float]) -> NDArray[np.floating]:
    """Return the light in g, r, i of the old disc, the young disc and the bulge per unit of r: ``[3, 3]``."""
    g_r, r_i = np.reshape(galaxy.colours, (3, 2)).T * np.array(redness)[:, None]
    return np.stack([10 ** (-0.4 * g_r), np.ones(3), 10 ** (0.4 * r_i)], axis=1)


def _bulge(galaxy: SimulatedGalaxy) -> Drawn:
    """Return the bulge's gaussians; flux in central surface brightness times scale length squared (disc: 2 pi)."""
    found = np.array(sersic.gaussians(galaxy.bulge_index))
    table = np.tile([0.0, 1.0], (_GAUSSIANS, 1))
    table[: len(found)] = found
    flux = 2 * np.pi * galaxy.bulge_fraction / (1 - galaxy.bulge_fraction)
    return {
        "bulge_q": galaxy.bulge_q,
        "bulge_flux": flux * table[:, 0],
        "bulge_sigma": galaxy.bulge_radius * table[:, 1],
    }


def _patches(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return unit-variance noise, smooth in log radius and sheared azimuth, on two scales: flocculent arms."""
    drawn = rng.standard_normal(PATCHES, dtype=np.float32)
    fine, coarse = (ndimage.gaussian_filter(drawn, size, mode="wrap") for size in (1.4, 3.5))
    noise = fine / fine.std() + coarse / coarse.std()
    return np.asarray(noise / noise.std(), np.float32)


def _clumps(galaxy: SimulatedGalaxy, rng: np.random.Generator) -> Drawn:
    """Return positions in the young disc without its arms, four for each clump, from which the arms choose."""
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
