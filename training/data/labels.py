"""From what several people said of each galaxy to one label: median, rejection with its reason, and how people scatter.

As the Galaxy Inclination Zoo made its labels (Kourkchi et al. 2020, ApJ 902, 145, section 2.3): the median of at least
three people, a rejection where at least half of them rejected. A person who judged a galaxy several times counts once,
with the median of what they said.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.images.ellipse import inclination_deg
from training.data.label_tables import ELSEWHERE, Facts
from training.files import write_csv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from training.data.label_tables import Final, Measurement

LEAST_PEOPLE = 3
COLUMNS = (
    "pgc",
    "galaxy",
    "file",
    "ra",
    "dec",
    "inclination",
    "label",
    "reject",
    "people",
    "scatter",
    "ttype",
    "axis_ratio_inclination",
    "d25",
    "pa",
)
AXIS_RATIO_EDGE_ON = 0.2
"""Of the catalogues' discs (Kourkchi et al. 2020)."""

_SPLITS = 20


@dataclass(frozen=True, slots=True)
class Label:
    """What people say of a galaxy, all together.

    Attributes
    ----------
    pgc : int
        Below 0 where there is none: the number of its name.
    inclination_deg : float
        NaN where it is rejected.
    reject : str
        Why; empty where it is measured.
    people : int or None
        How many measured it, or rejected it.
    scatter_deg : float
        Standard deviation of what they said; NaN for fewer than two.
    """

    pgc: int
    inclination_deg: float
    reject: str
    people: int | None
    scatter_deg: float


@dataclass(frozen=True, slots=True)
class Scatter:
    """How two groups of people differ.

    Attributes
    ----------
    rms_deg : float
        Root mean square of the difference between the groups' medians, averaged over random ways to divide the people.
    spread_deg : float
        Standard deviation of that number over the ways to divide them.
    galaxies : float
        Compared, on average.
    """

    rms_deg: float
    spread_deg: float
    galaxies: float


def _said(measurements: Iterable[Measurement]) -> dict[int, dict[str, tuple[float, str]]]:
    """Return by galaxy and person their median, or the reason for which they rejected it."""
    rows: dict[tuple[int, str], list[Measurement]] = defaultdict(list)
    for one in measurements:
        rows[one.pgc, one.person].append(one)
    found: dict[int, dict[str, tuple[float, str]]] = defaultdict(dict)
    for (pgc, person), ones in rows.items():
        reasons = [one.reject for one in ones if one.reject]
        if 2 * len(reasons) >= len(ones):
            found[pgc][person] = (math.nan, _commonest(reasons))
        else:
            median = float(np.median([one.inclination_deg for one in ones if not one.reject]))
            found[pgc][person] = (median, "")
    return found


def _commonest(reasons: Sequence[str]) -> str:
    """Return the reason given most often; among equals the first of the alphabet, whatever the order of the rows."""
    return min(Counter(reasons).items(), key=lambda item: (-item[1], item[0]))[0]


def combine(measurements: Iterable[Measurement], *, least: int = LEAST_PEOPLE) -> tuple[tuple[Label, ...], int]:
    """Return the labels of all galaxies that enough people judged, in order of their numbers, and how many were not.

    Parameters
    ----------
    measurements : iterable of Measurement
    least : int
        How many people must agree to measure a galaxy, or have judged one that is rejected.
    """
    labels = []
    too_few = 0
    for pgc, people in sorted(_said(measurements).items()):
        measured = [inclination for inclination, reason in people.values() if not reason]
        reasons = [reason for _, reason in people.values() if reason]
        rejected = 2 * len(reasons) >= len(people)
        if (len(people) if rejected else len(measured)) < least:
            too_few += 1
        elif rejected:
            labels.append(Label(pgc, math.nan, _commonest(reasons), len(reasons), math.nan))
        else:
            scatter = float(np.std(measured, ddof=1)) if len(measured) > 1 else math.nan
            labels.append(Label(pgc, float(np.median(measured)), "", len(measured), scatter))
    return tuple(labels), too_few


def published(finals: Iterable[Final], *, least: int = LEAST_PEOPLE) -> tuple[tuple[Label, ...], int]:
    """Return the labels that a published table of final inclinations holds, and how many are by too few people.

    Galaxies of which the table does not say how many people measured them are taken at its word; of a galaxy that is
    listed twice, the first line counts.
    """
    labels = []
    too_few = 0
    listed: dict[int, Final] = {}
    for one in finals:
        listed.setdefault(one.pgc, one)
    for _, one in sorted(listed.items()):
        if one.people is not None and one.people < least:
            too_few += 1
        else:
            labels.append(Label(one.pgc, one.inclination_deg, one.reject, one.people, one.scatter_deg))
    return tuple(labels), too_few


def two_groups(measurements: Sequence[Measurement], *, seed: int = 1, least: int = 2) -> Scatter | None:
    """Divide the people at random into two halves and compare the groups' medians, galaxy by galaxy.

    Parameters
    ----------
    measurements : sequence of Measurement
    seed : int
    least : int
        How many of each group must have measured a galaxy.

    Returns
    -------
    Scatter or None
        None when no galaxy was measured by enough people.
    """
    said = _said(measurements)
    people = sorted({person for ones in said.values() for person in ones})
    rng = np.random.default_rng(seed)
    rms, counts = [], []
    for _ in range(_SPLITS):
        first = {people[n] for n in rng.permutation(len(people))[: len(people) // 2]}
        differences = []
        for ones in said.values():
            groups: tuple[list[float], list[float]] = ([], [])
            for person, (inclination, reason) in ones.items():
                if not reason:
                    groups[person in first].append(inclination)
            if min(len(group) for group in groups) >= least:
                differences.append(float(np.median(groups[0]) - np.median(groups[1])))
        if differences:
            rms.append(float(np.sqrt(np.mean(np.square(differences)))))
            counts.append(len(differences))
    if not rms:
        return None
    return Scatter(float(np.mean(rms)), float(np.std(rms)), float(np.mean(counts)))


def about_pictures(labels: Iterable[Label]) -> tuple[Label, ...]:
    """Return the labels without the galaxies that were rejected for something that their pictures do not show."""
    return tuple(label for label in labels if label.reject != ELSEWHERE)


def write(
    path: Path,
    labels: Iterable[Label],
    facts: Mapping[int, Facts],
    names: Mapping[int, str],
    file_of: Callable[[int], str],
) -> None:
    """Write the table that :func:`training.data.dataset.read_table` reads and ``download`` takes.

    Parameters
    ----------
    path : Path
    labels : iterable of Label
    facts : mapping
        What catalogues know, by PGC number.
    names : mapping
        Of galaxies, by the same number.
    file_of : callable
        From a PGC number to the name of the picture.
    """
    write_csv(
        path, COLUMNS, (_row(label, facts.get(label.pgc, Facts()), names, file_of(label.pgc)) for label in labels)
    )


def _row(label: Label, known: Facts, names: Mapping[int, str], file: str) -> list[object]:
    ratio = known.axis_ratio
    return [
        label.pgc if label.pgc > 0 else "",
        names.get(label.pgc, ""),
        file,
        _cell(known.ra_deg, 6),
        _cell(known.dec_deg, 6),
        _cell(label.inclination_deg, 2),
        "" if label.reject else _kind(label.people),
        label.reject,
        "" if label.people is None else label.people,
        _cell(label.scatter_deg, 2),
        _cell(known.stage, 1),
        _cell(math.nan if math.isnan(ratio) else inclination_deg(ratio, AXIS_RATIO_EDGE_ON), 1),
        _cell(known.d25_arcmin, 3),
        _cell(known.position_angle_deg, 1),
    ]


def _kind(people: int | None) -> str:
    return "giz_single" if people is not None and people < LEAST_PEOPLE else "giz_avg"


def _cell(value: float, digits: int) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}f}"
