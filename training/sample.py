"""A sample of simulated galaxies: each made from ``(seed, index)`` alone, so order and workers do not matter."""

from __future__ import annotations

import csv
import multiprocessing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.contract import INPUT_SHAPE
from gateway.preprocess import model_input
from training import observation, population

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from training.galaxy import Reject

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
    "look",
    "reject",
)

_WORDS = ("look", "reject")

Truth = dict[str, float | int | str]

_UNSUITABLE = 0.08
_FACE_ON = 0.12


@dataclass(frozen=True, slots=True)
class Sample:
    """Simulated model inputs, uint8 ``[N, 128, 128, 3]``, and a row of truth for each."""

    images: NDArray[np.uint8]
    truth: tuple[Truth, ...]

    def column(self, name: str) -> NDArray[np.float32]:
        """One numeric column of the truth table, float32 ``[N]``."""
        return np.array([row[name] for row in self.truth], np.float32)


def _what(rng: np.random.Generator) -> tuple[float, Reject]:
    """Draw inclination and suitability: mostly measurable discs, uniform above 43 deg as the networks are trained."""
    kind = rng.uniform()
    if kind < _UNSUITABLE:
        return float(rng.uniform(0, 90)), "unsuitable"
    if kind < _UNSUITABLE + _FACE_ON:
        return float(np.degrees(np.arccos(rng.uniform(np.cos(np.radians(45)), 1)))), "face_on"
    return float(rng.uniform(43, 90)), ""


def make(*, seed: int, index: int) -> tuple[NDArray[np.uint8], Truth]:
    """Simulate the galaxy number ``index`` of the sample of ``seed``.

    Returns
    -------
    uint8 [128, 128, 3]
        The model input.
    dict
        Its row of the truth table (:data:`COLUMNS`).
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, index]))
    inclination, reject = _what(rng)
    galaxy = population.draw(rng, inclination_deg=inclination, reject=reject)
    seen = observation.draw(rng, disturbed=reject == "unsuitable" and rng.uniform() < 0.4)  # noqa: PLR2004 - two in five
    picture = model_input(observation.observe(galaxy, seen, rng))
    return picture, {
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
        "look": seen.look.maker,
        "reject": galaxy.reject,
    }


def _make(seed_and_index: tuple[int, int]) -> tuple[NDArray[np.uint8], Truth]:
    return make(seed=seed_and_index[0], index=seed_and_index[1])


def simulate(*, seed: int, count: int, workers: int = 1, progress: Callable[[int], None] = lambda _: None) -> Sample:
    """Simulate ``count`` galaxies; the same for any number of ``workers``."""
    images = np.empty((count, *INPUT_SHAPE), np.uint8)
    truth: list[Truth] = []
    jobs = [(seed, index) for index in range(count)]
    if workers == 1:
        made = map(_make, jobs)
        for position, (picture, row) in enumerate(made):
            images[position] = picture
            truth.append(row)
            progress(position + 1)
        return Sample(images, tuple(truth))
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for position, (picture, row) in enumerate(pool.imap(_make, jobs, chunksize=32)):
            images[position] = picture
            truth.append(row)
            progress(position + 1)
    return Sample(images, tuple(truth))


def save(sample: Sample, folder: Path) -> None:
    """Write ``images.npy`` and ``truth.csv``; the table last, so that its presence means that the sample is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "images.npy", sample.images)
    partial = folder / "truth.partial"
    with partial.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(sample.truth)
    partial.replace(folder / "truth.csv")


def exists(folder: Path) -> bool:
    """Return whether a whole sample lies in a folder."""
    return (folder / "truth.csv").exists()


def load(folder: Path) -> Sample:
    """Read what :func:`save` wrote; the images stay on disk (memory-mapped)."""
    with (folder / "truth.csv").open(newline="", encoding="utf-8") as file:
        truth = tuple(
            {k: v if k in _WORDS else int(v) if k == "index" else float(v) for k, v in row.items()}
            for row in csv.DictReader(file)
        )
    return Sample(np.load(folder / "images.npy", mmap_mode="r"), truth)
