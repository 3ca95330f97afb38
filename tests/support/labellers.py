"""Simulated people who judge simulated galaxies by the statistical model of ``zoo``, and worse ones.

The numbers are those of the Galaxy Inclination Zoo: one person scatters by 3.9 deg (2.3 at 45 to 50, 5.6 at 60 to 70,
1.9 above 85), the same person again by 2.9, and 22 % of the galaxies are rejected, most as face-on or as poor images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from zoo.statistics import Flag, Measurements

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

AGAIN = 2.9 / 3.9
"""Share of a person's scatter that is new when the same person judges the same galaxy again."""

MEASURE, FACE_ON, UNSUITABLE = range(3)
_FLAGS = (
    (Flag.FACE_ON,),
    (Flag.POOR_IMAGE, Flag.POOR_IMAGE, Flag.AMBIGUOUS, Flag.DISTURBED, Flag.SEVERAL_GALAXIES, Flag.NOT_A_SPIRAL),
)
USUAL_CONFUSION = ((0.94, 0.03, 0.03), (0.15, 0.80, 0.05), (0.15, 0.05, 0.80))


def scatter_deg(inclination_deg: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return the standard deviation of one measurement; below 45 deg, where nobody was asked, 4 deg."""
    return np.asarray(
        np.interp(
            inclination_deg, [0, 40, 47.5, 55, 60, 70, 80, 87.5, 90], [4.0, 4.0, 2.3, 3.8, 5.6, 5.6, 3.8, 1.9, 1.9]
        ),
        np.float64,
    )


@dataclass(frozen=True, slots=True)
class JudgedGalaxy:
    """A galaxy; ``kind`` is its true kind: measurable, face-on or unsuitable."""

    number: int
    inclination_deg: float
    kind: int = MEASURE
    is_standard: bool = False


@dataclass(frozen=True, slots=True)
class Labeller:
    """A person. Careless people sometimes answer at random, a vandal always; neither knows the hidden standards."""

    number: int
    bias_deg: float = 0.0
    slope: float = 0.0
    scatter: float = 1.0
    carelessness: float = 0.0
    confusion: tuple[tuple[float, ...], ...] = USUAL_CONFUSION
    lowest_deg: float = 0.0
    seed: int = 1

    def judge(self, galaxy: JudgedGalaxy, time: int = 0) -> tuple[float, Flag]:
        """Return an inclination, or NaN and a flag; a repeat at another ``time`` correlates with the first."""
        lasting = np.random.default_rng([self.seed, self.number, galaxy.number])
        fresh = np.random.default_rng([self.seed, self.number, galaxy.number, time + 1])
        if fresh.random() < self.carelessness:
            return float(fresh.uniform(self.lowest_deg, 90)), Flag.NONE
        kind = MEASURE if galaxy.is_standard else int(lasting.choice(3, p=self.confusion[galaxy.kind]))
        if kind != MEASURE:
            return math.nan, Flag(int(lasting.choice(_FLAGS[kind - 1])))
        # a normal and a chi-square number give Student's t with 4 degrees of freedom and variance 2
        normal = math.sqrt(1 - AGAIN**2) * lasting.normal() + AGAIN * fresh.normal()
        noise = (
            self.scatter
            * scatter_deg(galaxy.inclination_deg)
            / math.sqrt(2)
            * normal
            / math.sqrt(lasting.chisquare(4) / 4)
        )
        said = galaxy.inclination_deg + self.bias_deg + self.slope * (galaxy.inclination_deg - 67.5) + noise
        return float(np.clip(said, 0, 90)), Flag.NONE


def crowd(count: int, seed: int, *, careless: int = 1, vandals: int = 1, lowest_deg: float = 0.0) -> list[Labeller]:
    """Return people numbered from 1; the last are vandals, those before are careless (15 % of answers are random)."""
    rng = np.random.default_rng(seed)
    people = []
    for number in range(1, count + 1):
        from_end = count - number
        carelessness = 1.0 if from_end < vandals else 0.15 if from_end < vandals + careless else 0.0
        bias, slope, scatter = rng.normal(0, 2), rng.normal(0, 0.08), math.exp(rng.normal(0, 0.2))
        people.append(Labeller(number, bias, slope, scatter, carelessness, lowest_deg=lowest_deg, seed=seed))
    return people


def targets(count: int, seed: int, *, rejected: float = 0.22) -> list[JudgedGalaxy]:
    """Return galaxies numbered from 1, at 45 to 90 deg if they can be measured; a share can't be."""
    rng = np.random.default_rng([seed, 1])
    kinds = rng.choice(3, count, p=[1 - rejected, rejected / 2, rejected / 2])
    low, high = np.array([45.0, 15.0, 30.0])[kinds], np.array([90.0, 45.0, 90.0])[kinds]
    inclinations = rng.uniform(low, high)
    return [JudgedGalaxy(n, float(i), int(k)) for n, (i, k) in enumerate(zip(inclinations, kinds, strict=True), 1)]


def standards(count: int, seed: int, *, first: int = 1_000_001, lowest_deg: float = 45.0) -> list[JudgedGalaxy]:
    """Return standards of known inclination."""
    inclinations = np.random.default_rng([seed, 2]).uniform(lowest_deg, 90, count)
    return [JudgedGalaxy(first + n, float(i), is_standard=True) for n, i in enumerate(inclinations)]


def judged(pairs: Iterable[tuple[Labeller, JudgedGalaxy]], *, time: int = 0) -> Measurements:
    """Return people's judgements of galaxies, in this order."""
    rows = [(g.number, p.number, *p.judge(g, time), g.is_standard, g.inclination_deg) for p, g in pairs]
    galaxy, person, said, flag, standard, truth = zip(*rows, strict=True)
    known = np.array(standard, np.bool_)
    return Measurements(
        np.array(galaxy, np.int64),
        np.array(person, np.int64),
        np.array(said, np.float64),
        np.array(flag, np.int64),
        known,
        np.where(known, np.array(truth, np.float64), np.nan),
    )


def campaign(
    people: Sequence[Labeller], galaxies: Sequence[JudgedGalaxy], seed: int, *, people_each: int = 3, known: int = 60
) -> Measurements:
    """Return judgements of ``known`` hidden standards by everyone, and of each target by ``people_each`` people."""
    rng = np.random.default_rng([seed, 3])
    pairs = [(person, one) for one in standards(known, seed) for person in people]
    for galaxy in galaxies:
        pairs += [(people[n], galaxy) for n in rng.choice(len(people), people_each, replace=False)]
    return judged(pairs)


def best_possible_deg(
    people: Sequence[Labeller], measurements: Measurements
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return galaxies and the best estimates of their inclinations, with full knowledge about each person.

    Bias, slope, scale and carelessness are known. The estimate is the posterior mean with a uniform prior over 0..90
    deg; no estimate has a smaller mean square error for truths drawn from that prior.
    """
    grid = np.linspace(0, 90, 361)
    known = {person.number: person for person in people}
    galaxies = np.unique(measurements.galaxy[~measurements.is_standard])
    estimates = np.full(len(galaxies), np.nan)
    for place, galaxy in enumerate(galaxies):
        rows = measurements.where((measurements.galaxy == galaxy) & np.isfinite(measurements.inclination_deg))
        logarithm = np.zeros(len(grid))
        for who, said in zip(rows.person, rows.inclination_deg, strict=True):
            person = known[int(who)]
            centre = grid + person.bias_deg + person.slope * (grid - 67.5)
            scale = person.scatter * scatter_deg(grid) / math.sqrt(2)
            # an answer at the end of the scale includes everything beyond
            likely = (
                stats.t.sf((90 - centre) / scale, 4) if said >= 90 else stats.t.pdf((said - centre) / scale, 4) / scale
            )
            anything = 0 if said >= 90 else person.carelessness / (90 - person.lowest_deg)
            logarithm += np.log((1 - person.carelessness) * likely + anything)
        if len(rows):
            weights = np.exp(logarithm - logarithm.max())
            estimates[place] = weights @ grid / weights.sum()
    return galaxies, estimates
