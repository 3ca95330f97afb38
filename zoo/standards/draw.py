"""Draws standards with the training's simulation, larger and undisturbed, from one seed."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from training.simulation import camera, observation, population, render_parameters
from zoo.standards.archive import HIDDEN, LATTICE, PRACTICE, Standard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from training.simulation.galaxy import SimulatedGalaxy
    from training.simulation.render_parameters import Arrays

SIDE = 384
"""Side of a picture, pixels."""

LATTICE_A_DEGREE, PRACTICES, HIDDENS = 3, 24, 80
_BATCH = 6
_QUALITY = 75
_ZOOM = 1.25
_DIAMETER_ARCMIN = 2.4


def standards(
    seed: int, *, progress: Callable[[int, int], None] = lambda _done, _of: None
) -> Iterator[tuple[Standard, bytes]]:
    """Yield all standards of a seed, each with its picture as WebP.

    The lattice has a galaxy every third of a degree from 0 to 90, so that there are three choices of standards a degree
    apart; their major axes lie along the rows. Practice and hidden standards are spread over 0..90.

    Parameters
    ----------
    seed : int
    progress : callable
        Called with the numbers of finished and of all standards.
    """
    rng = np.random.default_rng(seed)
    wanted = [(LATTICE, number / LATTICE_A_DEGREE) for number in range(90 * LATTICE_A_DEGREE + 1)]
    for role, count in ((PRACTICE, PRACTICES), (HIDDEN, HIDDENS)):
        wanted += [(role, 90 * (place + rng.uniform()) / count) for place in rng.permutation(count)]
    for first in range(0, len(wanted), _BATCH):
        batch = wanted[first : first + _BATCH]
        drawn = [_drawn(seed, first + number, role, float(truth)) for number, (role, truth) in enumerate(batch)]
        filled = [*drawn, *[drawn[-1]] * (_BATCH - len(drawn))]
        pictures = np.asarray(camera.render({name: np.stack([one[name] for one in filled]) for name in drawn[0]}))
        for number, ((role, truth), picture) in enumerate(zip(batch, pictures, strict=False)):
            encoded = io.BytesIO()
            Image.fromarray(picture).save(encoded, "WEBP", quality=_QUALITY, method=6)
            yield Standard(f"{seed}-{first + number:03d}.webp", role, round(float(truth), 4)), encoded.getvalue()
        progress(first + len(batch), len(wanted))


def _drawn(seed: int, number: int, role: str, truth_deg: float) -> Arrays:
    rng = np.random.default_rng([seed, number])
    galaxy = population.draw(rng, inclination_deg=truth_deg)
    while not _suits(galaxy):
        galaxy = population.draw(rng, inclination_deg=truth_deg)
    turned = role != LATTICE
    seen = replace(
        observation.draw(rng, survey="sdss"),
        side=SIDE,
        zoom=_ZOOM,
        position_angle_deg=float(rng.uniform(0, 360)) if turned else 0.0,
        offset=(0.0, 0.0),
        pixel_arcsec=60 * _ZOOM * _DIAMETER_ARCMIN / SIDE,
        resampling=0.7,
        edge=None,
        stars=3.0,
        neighbours=1.0,
        jpeg_quality=0,
    )
    return render_parameters.arrays(galaxy, seen, rng)


def _suits(galaxy: SimulatedGalaxy) -> bool:
    """Return False for galaxies that even experts misread: faint discs, large bulges, bars across edge-on discs."""
    steep = 75.0
    return (
        galaxy.mu0 < 21.3  # mag/arcsec^2, bright enough to be visible
        and galaxy.bulge_fraction < 0.35  # a third of the light
        and galaxy.ovalness < 0.03  # an ellipticity of 0.06: looks 20 deg inclined at most
        and (galaxy.inclination_deg < steep or galaxy.bar.strength < 0.3)  # a faint bar
    )
