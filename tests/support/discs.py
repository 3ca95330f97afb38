"""Simulated galaxies so simple that a closed form describes them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from training.simulation import population, render_parameters

if TYPE_CHECKING:
    from training.simulation.galaxy import SimulatedGalaxy


def plain_disc(*, inclination_deg: float, q0: float = 0.12) -> SimulatedGalaxy:
    """Return a smooth exponential disc: no arms, bar, ring, bulge, dust, warp, nor young stars."""
    drawn = population.draw(np.random.default_rng(5), inclination_deg=inclination_deg)
    nothing = dataclasses.replace(drawn.bar, strength=0.0)
    return dataclasses.replace(
        drawn,
        q0=q0,
        mu0=20.0,
        break_radius=50.0,
        outer_scale=1.0,
        young_fraction=0.0,
        arms=dataclasses.replace(drawn.arms, contrast=0.0, flocculence=0.0, clumps=0, clump_light=0.0),
        bar=nothing,
        ring=nothing,
        outer_ring=nothing,
        bulge_fraction=0.0,
        optical_depth=0.0,
        lopsidedness=0.0,
        ovalness=0.0,
        warp=0.0,
    )


def in_space(galaxy: SimulatedGalaxy) -> render_parameters.Arrays:
    """Return the parameters of the galaxy itself, as a batch of one."""
    drawn = render_parameters.in_space(galaxy, np.random.default_rng(0))
    return {name: np.asarray(value, np.float32)[None] for name, value in drawn.items()}
