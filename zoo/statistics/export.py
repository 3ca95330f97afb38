"""The exported rows of a project: its labels, and all measurements behind them, for ``training labels``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.tables.results import Column
from zoo.statistics.measurements import Flag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zoo.statistics.calibration import PeopleCalibration
    from zoo.statistics.labels import GalaxyLabel
    from zoo.statistics.measurements import Measurements


@dataclass(frozen=True, slots=True)
class ExportedGalaxy:
    """Facts about a galaxy in an exported table, besides people's answers; NaN where unknown, 0 for no PGC number."""

    name: str
    file: str
    pgc: int = 0
    ra_deg: float = math.nan
    dec_deg: float = math.nan
    d25_arcmin: float = math.nan
    axis_ratio: float = math.nan
    position_angle_deg: float = math.nan
    hubble_stage: float = math.nan


_GALAXY_COLUMNS = (
    Column("galaxy", "str", "Name of the galaxy in its project", ucd="meta.id;meta.main"),
    Column("pgc", "int", "Principal Galaxies Catalogue number", ucd="meta.id"),
    Column("file", "str", "Its picture", ucd="meta.file"),
    Column("ra", "float", "Right ascension, J2000", "deg", "pos.eq.ra;meta.main"),
    Column("dec", "float", "Declination, J2000", "deg", "pos.eq.dec;meta.main"),
    Column("d25", "float", "Major diameter at 25 mag/arcsec^2", "arcmin", "phys.angSize.smajAxis"),
    Column("b_a", "float", "Minor over major axis", None, "phys.angSize;arith.ratio"),
    Column("pa", "float", "Position angle of the major axis, east of north", "deg", "pos.posAng"),
    Column("ty", "float", "Hubble stage", None, "src.morph.type"),
    Column("least_inc", "float", "Least inclination that the standards showed", "deg", "stat.min"),
)
LABEL_COLUMNS: tuple[Column, ...] = (
    *_GALAXY_COLUMNS,
    Column(
        "inc",
        "float",
        "Inclination: mean of what is probable after all that people said",
        "deg",
        "src.orbital.inclination",
    ),
    Column("inc_e", "float", "Its standard deviation", "deg", "stat.error;src.orbital.inclination"),
    Column("inc_median", "float", "Median of the corrected values", "deg", "stat.median;src.orbital.inclination"),
    Column("inc_huber", "float", "Huber mean of the corrected values", "deg", "stat.mean;src.orbital.inclination"),
    Column("inc_huber_e", "float", "Its standard error", "deg", "stat.error"),
    Column("inc_scatter", "float", "Standard deviation of the corrected values", "deg", "stat.stdev"),
    Column("inc_n", "int", "People who measured it; who judged it, where it is rejected", ucd="meta.number"),
    Column("inc_flg", "int", "1 where at least half of the people rejected it", ucd="meta.code"),
    Column("inc_note", "str", "Why it was rejected", ucd="meta.note"),
    Column("p_measure", "float", "Probability that it can be measured (Dawid & Skene)", None, "stat.probability"),
    Column("p_face_on", "float", "Probability that it is face-on", None, "stat.probability"),
    Column("p_unsuitable", "float", "Probability that its picture is unsuitable", None, "stat.probability"),
)
_CONCERNS = {
    Flag.FACE_ON: "face_on",
    Flag.POOR_IMAGE: "better_image",
    Flag.AMBIGUOUS: "ambiguous",
    Flag.DISTURBED: "disturbed",
    Flag.SEVERAL_GALAXIES: "multiple",
    Flag.NOT_A_SPIRAL: "not_spiral",
    Flag.NOT_SURE: "not_sure",
}
MEASUREMENT_COLUMNS: tuple[Column, ...] = (
    *_GALAXY_COLUMNS,
    Column("person", "str", "Tells people apart", ucd="meta.id"),
    Column("inc", "float", "Inclination, corrected by the person's calibration", "deg", "src.orbital.inclination"),
    Column("inc_said", "float", "Inclination as the person gave it", "deg", "src.orbital.inclination"),
    Column("flag", "int", "1 where the person rejected it", ucd="meta.code"),
    *(Column(name, "int", "1 where the person noted it", ucd="meta.code") for name in _CONCERNS.values()),
    Column("counted", "int", "1 where the person is calibrated and not quarantined", ucd="meta.code"),
)


def label_rows(
    labels: Sequence[GalaxyLabel], galaxies: Mapping[int, ExportedGalaxy], *, least_deg: float
) -> list[dict[str, object]]:
    """Return a row for each galaxy with a label or a rejection, keyed by ``LABEL_COLUMNS``.

    Parameters
    ----------
    labels : sequence of GalaxyLabel
    galaxies : mapping
        Facts by the galaxy's number.
    least_deg : float
        Smallest inclination of the standards. A smaller mean of corrected values is exported as this.
    """
    return [
        {
            **_galaxy(galaxies[label.galaxy], least_deg),
            "inc": None if label.reject else _cell(max(label.inclination_deg, least_deg)),
            "inc_e": None if label.reject else _cell(label.error_deg),
            "inc_median": None if label.reject else _cell(max(label.median_deg, least_deg)),
            "inc_huber": None if label.reject else _cell(max(label.huber_deg, least_deg)),
            "inc_huber_e": None if label.reject else _cell(label.huber_error_deg),
            "inc_scatter": None if label.reject else _cell(label.scatter_deg),
            "inc_n": label.people if label.reject else label.measured,
            "inc_flg": int(label.reject != ""),
            "inc_note": f"[{label.reject}]" if label.reject else None,
            "p_measure": _cell(label.measure),
            "p_face_on": _cell(label.face_on),
            "p_unsuitable": _cell(label.unsuitable),
        }
        for label in labels
        if label.reject or math.isfinite(label.inclination_deg)
    ]


def measurement_rows(
    measurements: Measurements,
    calibration: PeopleCalibration,
    galaxies: Mapping[int, ExportedGalaxy],
    people: Mapping[int, str],
    *,
    least_deg: float,
) -> list[dict[str, object]]:
    """Return a row for each measurement of a target, keyed by ``MEASUREMENT_COLUMNS``.

    Parameters
    ----------
    measurements : Measurements
    calibration : PeopleCalibration
    galaxies : mapping
        Facts by the galaxy's number.
    people : mapping
        Pseudonyms by the person's number.
    least_deg : float
        Smallest inclination of the standards. A smaller corrected value is exported as this.
    """
    of_targets = measurements.where(~measurements.is_standard)
    corrected = np.clip(calibration.corrected_deg(of_targets), least_deg, 90)
    columns = (
        of_targets.galaxy,
        of_targets.person,
        corrected,
        of_targets.inclination_deg,
        of_targets.flag,
        calibration.counted(of_targets),
    )
    return [
        {
            **_galaxy(galaxies[galaxy], least_deg),
            "person": people[person],
            "inc": _cell(inclination),
            "inc_said": _cell(said),
            "flag": int(math.isnan(said)),
            **{name: int(flag == noted) for noted, name in _CONCERNS.items()},
            "counted": int(counted),
        }
        for galaxy, person, inclination, said, flag, counted in zip(*(c.tolist() for c in columns), strict=True)
    ]


def _galaxy(galaxy: ExportedGalaxy, least_deg: float) -> dict[str, object]:
    return {
        "galaxy": galaxy.name,
        "pgc": galaxy.pgc or None,
        "file": galaxy.file,
        "ra": _cell(galaxy.ra_deg, 6),
        "dec": _cell(galaxy.dec_deg, 6),
        "d25": _cell(galaxy.d25_arcmin),
        "b_a": _cell(galaxy.axis_ratio),
        "pa": _cell(galaxy.position_angle_deg),
        "ty": _cell(galaxy.hubble_stage),
        "least_inc": _cell(least_deg),
    }


def _cell(value: float, digits: int = 4) -> float | None:
    return round(value, digits) if math.isfinite(value) else None
