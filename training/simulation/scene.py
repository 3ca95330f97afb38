"""The content of a simulated picture, drawn from ``(seed, index)`` alone: the truth, and the picture's parameters.

It imports no library of networks, so that worker processes start fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from training.simulation import observation, population, render_parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.simulation.galaxy import Reject

COLUMNS = (
    "index",
    "inclination_deg",
    "human_deg",
    "position_angle_deg",
    "zoom",
    "q0",
    "mu0",
    "bulge_fraction",
    "optical_depth",
    "pixel_arcsec",
    "tone_curve",
    "reject",
)

Truth = dict[str, float | int | str]

_UNSUITABLE = 0.08


@dataclass(frozen=True, slots=True)
class Scene:
    """One galaxy of a sample.

    Attributes
    ----------
    index : int
    drawn : structured array ``[]`` of float32 fields
        Parameters of its picture (:func:`training.simulation.render_parameters.arrays`), in one record that can be sent
        between processes.
    side, jpeg_quality : int
        Side of the picture, pixels, and quality of its compression.
    truth : dict
        Row of the truth table.
    """

    index: int
    drawn: NDArray[np.void]
    side: int
    jpeg_quality: int
    truth: Truth


def draw(seed: int, index: int, survey: str | None = None) -> Scene:
    """Draw the galaxy number ``index`` of the sample of ``seed``; it is the same for every ``survey``."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, index]))
    reject: Reject = "unsuitable" if rng.uniform() < _UNSUITABLE else ""
    galaxy = population.draw(rng, inclination_deg=float(rng.uniform(0, 90)), reject=reject)
    disturbed = reject == "unsuitable" and rng.uniform() < 0.4  # two in five
    seen = observation.draw(rng, disturbed=disturbed, survey=survey)
    truth: Truth = {
        "index": index,
        "inclination_deg": galaxy.inclination_deg,
        "human_deg": galaxy.human_deg,
        "position_angle_deg": seen.position_angle_deg,
        "zoom": seen.zoom,
        "q0": galaxy.q0,
        "mu0": galaxy.mu0,
        "bulge_fraction": galaxy.bulge_fraction,
        "optical_depth": galaxy.optical_depth,
        "pixel_arcsec": seen.pixel_arcsec,
        "tone_curve": seen.tone_curve.maker,
        "reject": galaxy.reject,
    }
    return Scene(index, _in_one(render_parameters.arrays(galaxy, seen, rng)), seen.side, seen.jpeg_quality, truth)


def _in_one(arrays: render_parameters.Arrays) -> NDArray[np.void]:
    record = np.empty((), _fields(tuple((name, values.shape) for name, values in arrays.items())))
    for name, values in arrays.items():
        record[name] = values
    return record


@lru_cache
def _fields(shapes: tuple[tuple[str, tuple[int, ...]], ...]) -> np.dtype[np.void]:
    return np.dtype([(name, np.float32, shape) for name, shape in shapes])


def draw_some(seed: int, indices: range) -> list[Scene]:
    """Draw several galaxies of a sample."""
    return [draw(seed, index) for index in indices]
