"""Combines several people's judgements of each galaxy to one label: median, rejection with its reason, and scatter.

The rules are those of the Galaxy Inclination Zoo (Kourkchi et al. 2020, ApJ 902, 145, section 2.3): the median of at
least three people, a rejection where at least half of them rejected. A person who judged a galaxy several times counts
once, with the median.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.images.ellipse import inclination_deg
from training.data.label_tables import ELSEWHERE, CatalogueFacts
from training.files import write_csv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from training.data.label_tables import Measurement, PublishedInclination

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
"""Axis ratio of edge-on discs in the catalogues (Kourkchi et al. 2020)."""

_SPLITS = 20


@dataclass(frozen=True, slots=True)
class Label:
    """The combined judgement of a galaxy.

    Attributes
    ----------
    pgc : int
        PGC number; the number of its name, below 0, where there is none.
    inclination_deg : float
        Median inclination; NaN where the galaxy is rejected.
    reject : str
        Reason of the rejection; empty where the galaxy is measured.
    people : int or None
        Number of people who measured it, or rejected it.
    scatter_deg : float
        Standard deviation of people's inclinations; NaN for fewer than two.
    """

    pgc: int
    inclination_deg: float
    reject: str
    people: int | None
    scatter_deg: float


@dataclass(frozen=True, slots=True)
class Scatter:
    """The difference between two groups of people.

    Attributes
    ----------
    rms_deg : float
        Root mean square of the difference between the groups' medians, averaged over random divisions of the people.
    spread_deg : float
        Standard deviation of that number over the divisions.
    galaxies : float
        Average number of galaxies compared.
    """

    rms_deg: float
    spread_deg: float
    galaxies: float


def _said(measurements: Iterable[Measurement]) -> dict[int, dict[str, tuple[float, str]]]:
    """Return by galaxy and person the median, or the reason of the rejection."""
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
    """Return the most frequent reason; among equals the alphabetically first, whatever the order of the rows."""
    return min(Counter(reasons).items(), key=lambda item: (-item[1], item[0]))[0]


def combine(measurements: Iterable[Measurement], *, least: int = LEAST_PEOPLE) -> tuple[tuple[Label, ...], int]:
    """Return the labels of all galaxies with enough judgements, ordered by number, and the number of other galaxies.

    Parameters
    ----------
    measurements : iterable of Measurement
    least : int
        Fewest people for a measured galaxy, or for the judgements of a rejected one.
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


def published(finals: Iterable[PublishedInclination], *, least: int = LEAST_PEOPLE) -> tuple[tuple[Label, ...], int]:
    """Return the labels in a published table of final inclinations, and the number of those by too few people.

    Galaxies without a number of people in the table are accepted; of a galaxy that is listed twice, the first line
    counts.
    """
    labels = []
    too_few = 0
    listed: dict[int, PublishedInclination] = {}
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
        Fewest people of each group who must have measured a galaxy.

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
    """Return the labels without galaxies that were rejected for reasons outside of their pictures."""
    return tuple(label for label in labels if label.reject != ELSEWHERE)


def write(
    path: Path,
    labels: Iterable[Label],
    facts: Mapping[int, CatalogueFacts],
    names: Mapping[int, str],
    file_of: Callable[[int], str],
) -> None:
    """Write the table for :func:`training.data.dataset.read_table` and ``download``.

    Parameters
    ----------
    path : Path
    labels : iterable of Label
    facts : mapping
        Catalogue facts by PGC number.
    names : mapping
        Names of galaxies by the same number.
    file_of : callable
        Returns the name of the picture for a PGC number.
    """
    write_csv(
        path,
        COLUMNS,
        (_row(label, facts.get(label.pgc, CatalogueFacts()), names, file_of(label.pgc)) for label in labels),
    )


def _row(label: Label, known: CatalogueFacts, names: Mapping[int, str], file: str) -> list[object]:
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
