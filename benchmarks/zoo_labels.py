"""Compares labels by simulated people with the best possible estimate from the same answers.

Run as ``python -m benchmarks.zoo_labels``; the table of ``docs/explanation/zoo-statistics.md`` is its output.
"""

from __future__ import annotations

import numpy as np

from tests.support import labellers
from zoo.statistics import agreement, calibrate, labels

CROWDS, GALAXIES, STANDARDS, PEOPLE = 12, 400, 60, 12


def crowd(seed: int, people_each: int) -> tuple[list[float], float, bool]:
    """Return mean square errors of five labels, the noise by two groups of three, and if only the vandal is out."""
    people = labellers.crowd(PEOPLE, seed)
    galaxies = labellers.targets(GALAXIES, seed, rejected=0.0)
    judged = labellers.campaign(people, galaxies, seed, people_each=people_each, known=STANDARDS)
    calibration = calibrate(judged)
    counted = judged.where(calibration.counted(judged))
    best = dict(zip(*(a.tolist() for a in labellers.best_possible_deg(people, counted)), strict=True))
    targets = counted.where(~counted.is_standard & np.isfinite(counted.inclination_deg))
    said = {n: np.median(targets.inclination_deg[targets.galaxy == n]) for n in np.unique(targets.galaxy).tolist()}
    errors = [
        np.array([said[label.galaxy], label.median_deg, label.huber_deg, label.inclination_deg, best[label.galaxy]])
        - galaxies[label.galaxy - 1].inclination_deg
        for label in labels(judged, calibration)
        if np.isfinite(label.inclination_deg)
    ]
    noise = agreement(counted, calibration, people_a_side=3).noise_deg
    found = calibration.person[calibration.quarantined].tolist() == [PEOPLE]
    return np.mean(np.square(errors), 0).tolist(), noise, found


def main() -> None:
    """Print a row for each number of people per galaxy."""
    print(
        f"rms about the truth, deg; {CROWDS} crowds of {PEOPLE} people (one careless, one vandal), {GALAXIES} galaxies"
    )
    print("people  median as said  median corrected  Huber mean  label  best possible  label / best  vandals found")
    for people_each in (3, 4, 5, 7):
        squares, noise, found = zip(*(crowd(seed, people_each) for seed in range(100, 100 + CROWDS)), strict=True)
        rms = np.sqrt(np.mean(squares, 0))
        values = "  ".join(f"{value:.2f}" for value in rms)
        print(f"{people_each}  {values}  {rms[3] / rms[4]:.3f}  {sum(found)} of {CROWDS}", flush=True)
    by_groups = np.sqrt(np.mean(np.square(noise)))
    print(f"noise of a median of three, from two groups of three among these seven: {by_groups:.2f}")


if __name__ == "__main__":
    main()
