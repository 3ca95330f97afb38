"""The surroundings of a galaxy in its picture: frame, neighbours, stars, sky and noise, as arrays of fixed shape.

Tables of varying length are padded with entries without light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training.simulation.galaxy import ZEROPOINT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.simulation.galaxy import SimulatedGalaxy
    from training.simulation.observation import Edge, Observation
    from training.simulation.tone_curves import ToneCurve

    Drawn = dict[str, float | NDArray[np.floating]]

STARS, NEIGHBOURS, HALOES = 96, 16, 4
"""Largest numbers in a frame. 2 % of crowded frames have more stars and 3 % more neighbours, which are left out."""

_CORRELATION = 0.7
"""Length over which noise is correlated, where the pixels are smaller than the survey's, in survey pixels."""

_BRIGHT = 10 ** (0.4 * 8.5)
"""Light from which a star has a halo and spikes: 14 mag, nanomaggies."""

_RED_DWARF = 1.2
"""g-r above which stars are dwarfs with any r-i, mag."""


def around(galaxy: SimulatedGalaxy, seen: Observation, rng: np.random.Generator) -> Drawn:
    """Return all parameters of a picture except the galaxy's own."""
    return {
        **_frame(galaxy, seen),
        **tone_curve_parameters(seen.tone_curve),
        **_neighbours(seen, rng),
        **_stars(seen, rng),
        **_noise(seen, rng),
        **_edge(seen.edge),
    }


def _frame(galaxy: SimulatedGalaxy, seen: Observation) -> Drawn:
    """Return the galaxy's position in the frame, and the parameters of the picture."""
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
        "resampling": seen.resampling,
    }


def tone_curve_parameters(tone_curve: ToneCurve) -> Drawn:
    """Return the parameters of the conversion of light to counts."""
    return {
        "white": 10 ** (0.4 * (ZEROPOINT - tone_curve.white_mag)),
        "softening": tone_curve.softening,
        "gamma": tone_curve.gamma,
        "saturation": tone_curve.saturation,
        "pedestal": np.array(tone_curve.pedestal),
        "tint": np.array(tone_curve.tint),
        "chroma_blur": tone_curve.chroma_blur,
        "hue_kept": tone_curve.hue_kept,
    }


def _edge(edge: Edge | None) -> Drawn:
    """Return the position of the mosaic's edge, and the sky beyond it; without an edge it is far outside the frame."""
    if edge is None:
        return {"edge": np.array([1.0, 0.0, 9.0]), "edge_step": np.zeros(3), "edge_missing": False}
    angle = np.radians(edge.angle_deg)
    return {
        "edge": np.array([np.cos(angle), np.sin(angle), edge.distance]),
        "edge_step": np.array(edge.step),
        "edge_missing": edge.missing,
    }


def _colour(g_r: NDArray[np.floating], redder: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the light in g, r, i per unit of r; colours as red as dwarfs' are ``redder`` in r-i by any amount."""
    r_i = 0.4 * g_r + np.where(g_r > _RED_DWARF, redder, 0)
    return np.stack([10 ** (-0.4 * g_r), np.ones_like(g_r), 10 ** (0.4 * r_i)], axis=-1)


def _filled(table: NDArray[np.floating], length: int) -> NDArray[np.floating]:
    """Return a table padded with zeros."""
    return np.concatenate([table[:length], np.zeros((max(length - len(table), 0), *table.shape[1:]))])


def _neighbours(seen: Observation, rng: np.random.Generator) -> Drawn:
    """Return background galaxies: small exponential blobs, some of a disturbing size."""
    count = rng.poisson(seen.neighbours)
    size = seen.side * np.exp(rng.uniform(np.log(0.006), np.log(0.03), count))
    size *= np.where(rng.random(count) < 0.06, 3, 1)  # a large neighbour
    x, y = rng.uniform(0, seen.side, (2, count))
    angle, ratio = rng.uniform(0, np.pi, count), rng.uniform(0.25, 1, count)
    light = 10 ** (0.4 * (ZEROPOINT - rng.uniform(20, 23.5, count)))
    along, across = np.array([np.cos(angle), np.sin(angle)]) / size, np.array([-np.sin(angle), np.cos(angle)]) / size
    colour = _colour(rng.uniform(0.2, 1.3, count), rng.uniform(0, 0.9, count))
    table = np.stack([x, y, *along, *(across / ratio)], axis=-1)
    return {
        "neighbours": _filled(table, NEIGHBOURS),
        "neighbour_lights": _filled(light[:, None] * colour, NEIGHBOURS),
    }


def _stars(seen: Observation, rng: np.random.Generator) -> Drawn:
    """Return foreground stars, the brightest first."""
    count = rng.poisson(seen.stars)
    flux = np.sort(10 ** (0.4 * (ZEROPOINT - np.maximum(21 - rng.exponential(1.7, count), 12.0))))[::-1]
    places = np.floor(rng.uniform(0, seen.side, (count, 2)))
    colour = _colour(rng.uniform(0.1, 1.4, count), rng.uniform(0, 0.9, count))
    reach = 6 * (flux / 2500) ** 0.4 / seen.pixel_arcsec
    turn = rng.uniform(0, np.pi / 2, count)
    light = (flux > _BRIGHT) * flux / seen.pixel_arcsec * colour.T
    haloes = np.stack([*places.T, np.maximum(reach, 1e-3), np.cos(turn), np.sin(turn), *light], axis=-1)
    return {
        "stars": _filled(places, STARS),
        "star_lights": _filled(flux[:, None] / seen.pixel_arcsec**2 * colour, STARS),
        "haloes": _filled(haloes, HALOES),
    }


def _noise(seen: Observation, rng: np.random.Generator) -> Drawn:
    """Return sky noise, correlated below the native pixel and averaged down above it, and a gradient of the sky."""
    sigma = np.array(seen.noise) / max(seen.pixel_arcsec, seen.native_arcsec)
    return {
        "sky_sigma": sigma,
        "sky_slope": rng.normal(0, 0.15 * sigma[1]),
        "correlation": _CORRELATION if seen.pixel_arcsec < seen.native_arcsec else 0.05,
        "noise": rng.standard_normal((3, seen.side, seen.side), dtype=np.float32),
    }
