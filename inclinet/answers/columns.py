"""The columns of a table of answers: names, units, UCDs and descriptions, the same as in the API's own tables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class ResultColumn(NamedTuple):
    """A column: its name, the path of its value in an answer's JSON, ``float``, ``int`` or ``str``, its description."""

    name: str
    path: str
    kind: type
    description: str
    unit: str | None = None
    ucd: str | None = None


_READ = {"float": float, "int": int, "str": str}


def _columns(text: str) -> tuple[ResultColumn, ...]:
    """Return the columns that are written as a table: name, path, kind, unit, UCD, description."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    return tuple(
        ResultColumn(name, path, _READ[kind], about, unit or None, ucd) for name, path, kind, unit, ucd, about in lines
    )


COLUMNS = _columns("""
name | galaxy.name | str | | meta.id;meta.main | Name that the resolver prefers
pgc | galaxy.pgc | int | | meta.id | Principal Galaxies Catalogue number
ra_deg | galaxy.ra_deg | float | deg | pos.eq.ra;meta.main | Right ascension, J2000
dec_deg | galaxy.dec_deg | float | deg | pos.eq.dec;meta.main | Declination, J2000
d25_arcmin | galaxy.d25_arcmin | float | arcmin | phys.angSize.smajAxis | Major diameter at 25 mag/arcsec^2
axis_ratio | galaxy.axis_ratio | float | | phys.angSize;arith.ratio | Minor over major axis
position_angle_deg | galaxy.position_angle_deg | float | deg | pos.posAng | \
  Position angle of the major axis, east of north
galaxy_source | galaxy.source | str | | meta.ref | Catalogue or service that resolved the target
size_source | galaxy.size_source | str | | meta.ref | Catalogue or service that the diameter is from
image_source | image.source | str | | meta.id;instr | Survey, upload, or imaging
inclination_deg | inclination.median_deg | float | deg | src.orbital.inclination;meta.main | \
  Inclination: median of the ensemble
mean_deg | inclination.mean_deg | float | deg | src.orbital.inclination;stat.mean | Mean of the ensemble
stdev_deg | inclination.stdev_deg | float | deg | stat.stdev;src.orbital.inclination | \
  Standard deviation of the ensemble
interval68_low_deg | inclination.interval68_deg.low | float | deg | stat.error;stat.min | Lower end of the 68 % interval
interval68_high_deg | inclination.interval68_deg.high | float | deg | stat.error;stat.max | \
  Upper end of the 68 % interval
interval95_low_deg | inclination.interval95_deg.low | float | deg | stat.error;stat.min | Lower end of the 95 % interval
interval95_high_deg | inclination.interval95_deg.high | float | deg | stat.error;stat.max | \
  Upper end of the 95 % interval
below95_deg | inclination.below95_deg | float | deg | src.orbital.inclination;stat.max | \
  Upper bound for 95 %, where that interval reaches face-on
n_flavors | flavors | int | | meta.number | Networks that answered
rejection | rejection.median | float | | stat.probability | Likelihood that a person would reject the image
rejection_face_on | rejection.face_on | float | | stat.probability | Its part for being too face-on, below 45 deg
rejection_unsuitable | rejection.unsuitable | float | | stat.probability | \
  Its part for being disturbed, crowded, poor or not a spiral
ellipticity_axis_ratio | ellipticity.axis_ratio | float | | phys.angSize;arith.ratio | Axis ratio of the fitted isophote
ellipticity_inclination_deg | ellipticity.inclination_deg | float | deg | src.orbital.inclination | \
  Inclination from that axis ratio
release | release | str | | meta.version | Model release
warnings | warnings | str | | meta.note | Warnings in plain words
""")
KEY = ResultColumn("key", "key", str, "The row's own key", ucd="meta.id")
PROBLEMS = _columns("""
problem_type | | str | | meta.code.error | Kind of the problem, if there is no answer
problem | | str | | meta.note | Why there is no answer
""")
TABLE_COLUMNS = (KEY, *COLUMNS, *PROBLEMS)
"""The columns of a table of many results, in the API's order."""

_NEEDED = ("inclination.median_deg", "inclination.interval68_deg.low", "inclination.interval68_deg.high", "release")


def row(json: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer's JSON as a flat row: the values of :data:`COLUMNS`, None where one is missing.

    Raises
    ------
    ValueError, TypeError
        A required member is missing, or a number is invalid: a wrong answer is worse than none.
    """
    for path in _NEEDED:
        if _at(json, path) is None:
            raise ValueError(f"an answer without {path}")
    return {column.name: _cell(_at(json, column.path), column) for column in COLUMNS}


def _at(json: Any, path: str) -> Any:
    for name in path.split("."):
        json = json.get(name) if json is not None else None
    return json


def _cell(value: Any, column: ResultColumn) -> Any:
    if isinstance(value, (list, tuple)):
        return len(value) if column.kind is int else " ".join(value)
    if value is None:
        return None
    if column.kind is float and not math.isfinite(value):
        raise ValueError(f"{column.name} is {value}")
    return column.kind(value)
