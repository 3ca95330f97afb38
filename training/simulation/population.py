"""The population of simulated galaxies: the distributions from which each galaxy is drawn.

All draws use the generator that is passed in, never a global one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from training.data.axis_ratios import ELLIPTICITY, ELLIPTICITY_SCATTER, MOST_ELLIPTICITY
from training.simulation.galaxy import Arms, Feature, SimulatedGalaxy

if TYPE_CHECKING:
    from training.simulation.galaxy import Reject

FACE_ON_BELOW_DEG = 45.0
"""Inclination below which people reject a galaxy by their judgement, degrees."""


def draw(rng: np.random.Generator, *, inclination_deg: float, reject: Reject = "") -> SimulatedGalaxy:
    """Draw a galaxy of a given inclination.

    Parameters
    ----------
    rng : numpy.random.Generator
    inclination_deg : float
        True inclination, 0..90.
    reject : str
        ``unsuitable`` draws a spheroid, or a disc hidden in the noise, instead of a measurable spiral.
    """
    early = rng.uniform()  # 0 a late, blue, bulgeless disc; 1 an early, red one with a bulge
    low_surface_brightness = rng.uniform() < 0.16 * (1.3 - early)
    mu0 = rng.uniform(21.5, 22.8) if low_surface_brightness else float(np.clip(rng.normal(20.4, 0.6), 19.0, 21.8))
    bulge = (
        float(np.clip(rng.beta(1.3, 5) * (0.25 + 1.5 * early), 0, 0.7)) if rng.uniform() < 0.35 + 0.6 * early else 0.0
    )
    height_q0 = float(np.clip(rng.normal(0.17 + 0.02 * early, 0.04), 0.08, 0.3))
    break_radius, outer_scale = _break(rng)
    bar, ring, outer_ring = _features(rng, early)
    spheroid = reject == "unsuitable" and rng.uniform() < 0.6  # 60 %; the others are too faint discs
    if spheroid:
        bulge, mu0 = 0.985, rng.normal(25.8, 0.5)
    elif reject == "unsuitable":
        mu0 = rng.uniform(23.8, 25.0)
    galaxy = SimulatedGalaxy(
        inclination_deg=float(inclination_deg),
        q0=height_q0,
        mu0=mu0,
        break_radius=break_radius,
        outer_scale=outer_scale,
        young_fraction=float(np.clip(rng.normal(0.6 - 0.45 * early, 0.12), 0.03, 0.85)),
        arms=_arms(rng, early),
        bar=bar,
        ring=ring,
        outer_ring=outer_ring,
        bulge_fraction=bulge,
        bulge_radius=float(rng.uniform(0.15, 0.4) * (0.7 + 1.5 * bulge**0.5)),
        bulge_index=float(rng.choice([1.0, 1.0, 1.5, 2.0, 3.0, 4.0])),
        bulge_q=float(rng.uniform(0.55, 0.95)),
        optical_depth=0.0 if spheroid else float(rng.gamma(1.5, 0.42)) * (0.3 if low_surface_brightness else 1.0),
        dust_scale=float(rng.uniform(0.9, 1.4)),
        dust_height=float(rng.uniform(0.2, 0.5)),
        lopsidedness=float(abs(rng.normal(0, 0.08))),
        ovalness=_ovalness(rng),
        warp=float(rng.normal(0, 0.05)) if rng.uniform() < 0.5 else 0.0,  # every other disc is warped
        warp_order=int(rng.choice([1, 1, 2])),
        colours=_colours(rng, early),
        reject=reject or ("face_on" if inclination_deg < FACE_ON_BELOW_DEG else ""),
    )
    return galaxy if reject == "unsuitable" else _misleading(rng, galaxy)


def _misleading(rng: np.random.Generator, galaxy: SimulatedGalaxy) -> SimulatedGalaxy:
    """Turn one galaxy in four into a kind whose brightest part suggests a wrong inclination.

    Networks erred by 10 to 20 deg on these kinds, which are too rare among real galaxies to train on: an edge-on disc
    in a large round bulge, recognisable by its dust lane; a grand design whose two open arms stretch the outline; a
    bright bar in a faint disc; and a patchy, lopsided dwarf.
    """
    kind = rng.uniform()
    if kind < (0.16 if galaxy.inclination_deg > 75 else 0.04):  # more often where it misleads most
        return replace(
            galaxy,
            bulge_fraction=float(rng.uniform(0.35, 0.8)),
            bulge_radius=float(rng.uniform(0.3, 1.1)),
            bulge_index=float(rng.choice([1.5, 2.0, 3.0, 4.0])),
            bulge_q=float(rng.uniform(0.45, 0.85)),
            optical_depth=float(0.4 + rng.gamma(2.0, 0.4)),
            dust_scale=float(rng.uniform(1.0, 2.0)),
            dust_height=float(rng.uniform(0.12, 0.35)),
        )
    kind = rng.uniform()
    if kind < 0.08:  # grand designs
        arms = replace(
            galaxy.arms,
            number=2,
            pitch_deg=float(rng.uniform(14, 36)),
            contrast=float(rng.uniform(0.85, 1.0)),
            sharpness=float(rng.uniform(1, 2.5)),
            flocculence=float(rng.uniform(0, 0.15)),
        )
        scale = float(rng.uniform(1.0, 1.7))
        return replace(
            galaxy, arms=arms, young_fraction=float(rng.uniform(0.4, 0.7)), break_radius=2.0, outer_scale=scale
        )
    if kind < 0.14:  # bars in faint discs
        bar = Feature(
            strength=float(rng.uniform(2, 7)),
            radius=float(rng.uniform(0.6, 1.6)),
            width=float(rng.uniform(0.2, 0.4)),
            angle=float(rng.uniform(0, np.pi)),
        )
        return replace(galaxy, bar=bar, mu0=float(rng.uniform(21.6, 22.8)))
    if kind < 0.24:  # dwarfs
        arms = replace(
            galaxy.arms,
            flocculence=float(rng.uniform(0.7, 1.0)),
            contrast=float(rng.uniform(0.4, 1.0)),
            clumps=int(rng.integers(60, 300)),
            clump_light=float(rng.uniform(0.05, 0.35)),
        )
        return replace(
            galaxy,
            arms=arms,
            mu0=float(rng.uniform(21.0, 22.8)),
            q0=float(rng.uniform(0.18, 0.38)),
            bulge_fraction=0.0,
            young_fraction=float(rng.uniform(0.5, 0.9)),
            lopsidedness=float(rng.uniform(0.05, 0.3)),
            ovalness=float(rng.uniform(0, 0.12)),
        )
    return galaxy


def _ovalness(rng: np.random.Generator) -> float:
    """Return half of the disc's ellipticity, the relative amount by which radii are stretched and shrunk."""
    return 0.5 * float(min(rng.lognormal(np.log(ELLIPTICITY), ELLIPTICITY_SCATTER), MOST_ELLIPTICITY))


def _break(rng: np.random.Generator) -> tuple[float, float]:
    kind = rng.uniform()
    if kind < 0.45:  # down-bending
        return float(rng.uniform(1.3, 3.5)), float(rng.uniform(0.25, 0.7))
    if kind < 0.65:  # up-bending: a faint extended disc around a bright one
        return float(rng.uniform(1.5, 3.0)), float(rng.uniform(1.3, 2.2))
    return 20.0, 1.0


def _arms(rng: np.random.Generator, early: float) -> Arms:
    number = int(rng.choice([2, 2, 2, 3, 4, 5]))
    return Arms(
        number=number,
        pitch_deg=float(np.clip(rng.normal(17 + 2 * number - 7 * early, 5), 10, 38)),
        hand=int(rng.choice([-1, 1])),
        phase=float(rng.uniform(0, 2 * np.pi)),
        sharpness=float(rng.uniform(0.8, 4)),
        contrast=float(rng.beta(2, 2)) * (1.0 - 0.4 * early),
        flocculence=float(rng.beta(1.2, 1)),
        clumps=int(rng.integers(40, 260) * (1.1 - early)),
        clump_light=float(rng.uniform(0.05, 0.3)) * (1.1 - early),
    )


def _features(rng: np.random.Generator, early: float) -> tuple[Feature, Feature, Feature]:
    """Return bar, inner ring and outer ring. A strong bar often has a faint outer ring that dominates the outline."""
    none = Feature(strength=0.0, radius=1.0, width=0.2)
    bar = ring = outer = none
    angle = float(rng.uniform(0, np.pi))
    if rng.uniform() < 0.45:  # the barred half
        length = float(rng.uniform(0.4, 1.3))
        bar = Feature(
            strength=float(rng.uniform(0.3, 2.5)), radius=length, width=float(rng.uniform(0.18, 0.45)), angle=angle
        )
        if rng.uniform() < 0.4:  # a ring at the bar's ends
            ring = Feature(strength=float(rng.uniform(0.1, 0.6)), radius=1.1 * length, width=0.15 * length)
    if rng.uniform() < (0.3 if bar.strength else 0.12) + 0.1 * early:
        outer = Feature(
            strength=float(10 ** rng.uniform(-2, -0.7)),
            radius=float(rng.uniform(2.0, 3.6)),
            width=float(rng.uniform(0.2, 0.5)),
        )
    return bar, ring, outer


def _colours(rng: np.random.Generator, early: float) -> tuple[float, float, float, float, float, float]:
    shift = rng.normal(0, 0.04)
    return (
        float(0.50 + 0.2 * early + shift),
        float(0.22 + 0.14 * early + shift / 2),
        float(rng.uniform(0.08, 0.3)),
        float(rng.uniform(-0.03, 0.1)),
        float(0.60 + 0.14 * early + shift),
        float(0.28 + 0.08 * early + shift / 2),
    )
