"""The columns of a table of answers: the names, units, UCDs and descriptions that the API's own tables have."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from astropy.table import QTable

HYPERLEDA = "http://atlas.obs-hp.fr/hyperleda/ledacat.cgi?o=pgc${pgc}"
"""The galaxy's page, by the rule of VOTable's LINK: the column's value in braces."""


class ResultColumn(NamedTuple):
    """A column: its name, where its value is in an answer's JSON, ``float``, ``int`` or ``str``, and what it means."""

    name: str
    path: str
    kind: type
    description: str
    unit: str | None = None
    ucd: str | None = None


_INCLINATION = "src.orbital.inclination"
COLUMNS = (
    ResultColumn("name", "galaxy.name", str, "Name that the resolver prefers", ucd="meta.id;meta.main"),
    ResultColumn("pgc", "galaxy.pgc", int, "Principal Galaxies Catalogue number", ucd="meta.id"),
    ResultColumn("ra_deg", "galaxy.ra_deg", float, "Right ascension, J2000", "deg", "pos.eq.ra;meta.main"),
    ResultColumn("dec_deg", "galaxy.dec_deg", float, "Declination, J2000", "deg", "pos.eq.dec;meta.main"),
    ResultColumn(
        "d25_arcmin",
        "galaxy.d25_arcmin",
        float,
        "Major diameter at 25 mag/arcsec^2",
        "arcmin",
        "phys.angSize.smajAxis",
    ),
    ResultColumn("axis_ratio", "galaxy.axis_ratio", float, "Minor over major axis", None, "phys.angSize;arith.ratio"),
    ResultColumn(
        "position_angle_deg",
        "galaxy.position_angle_deg",
        float,
        "Position angle of the major axis, east of north",
        "deg",
        "pos.posAng",
    ),
    ResultColumn(
        "galaxy_source", "galaxy.source", str, "Catalogue or service that resolved the target", ucd="meta.ref"
    ),
    ResultColumn(
        "size_source", "galaxy.size_source", str, "Catalogue or service that the diameter is from", ucd="meta.ref"
    ),
    ResultColumn("image_source", "image.source", str, "Survey, or upload", ucd="meta.id;instr"),
    ResultColumn(
        "inclination_deg",
        "inclination.median_deg",
        float,
        "Inclination: median of the ensemble",
        "deg",
        f"{_INCLINATION};meta.main",
    ),
    ResultColumn(
        "mean_deg", "inclination.mean_deg", float, "Mean of the ensemble", "deg", f"{_INCLINATION};stat.mean"
    ),
    ResultColumn(
        "stdev_deg",
        "inclination.stdev_deg",
        float,
        "Standard deviation of the ensemble",
        "deg",
        f"stat.stdev;{_INCLINATION}",
    ),
    *(
        ResultColumn(
            f"interval{share}_{end}_deg",
            f"inclination.interval{share}_deg.{end}",
            float,
            f"{words} end of the {share} % interval",
            "deg",
            f"stat.error;{limit}",
        )
        for share in (68, 95)
        for end, words, limit in (("low", "Lower", "stat.min"), ("high", "Upper", "stat.max"))
    ),
    ResultColumn("n_flavors", "flavors", int, "Networks that answered", ucd="meta.number"),
    ResultColumn(
        "rejection",
        "rejection.median",
        float,
        "Likelihood that a person would reject the image",
        None,
        "stat.probability",
    ),
    ResultColumn(
        "ellipticity_axis_ratio",
        "ellipticity.axis_ratio",
        float,
        "Axis ratio of the fitted isophote",
        None,
        "phys.angSize;arith.ratio",
    ),
    ResultColumn(
        "ellipticity_inclination_deg",
        "ellipticity.inclination_deg",
        float,
        "Inclination from that axis ratio",
        "deg",
        _INCLINATION,
    ),
    ResultColumn("release", "release", str, "Model release", ucd="meta.version"),
    ResultColumn("warnings", "warnings", str, "Warnings in plain words", ucd="meta.note"),
)
KEY = ResultColumn("key", "key", str, "The row's own key", ucd="meta.id")
PROBLEMS = (
    ResultColumn("problem_type", "", str, "Kind of the problem, if there is no answer", ucd="meta.code.error"),
    ResultColumn("problem", "", str, "Why there is no answer", ucd="meta.note"),
)
TABLE_COLUMNS = (KEY, *COLUMNS, *PROBLEMS)
"""The columns of a table of many results, as the API writes it."""

_NEEDED = ("inclination.median_deg", "inclination.interval68_deg.low", "inclination.interval68_deg.high", "release")


def row(json: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten an answer's JSON: the values of :data:`COLUMNS`, None where it has none.

    Raises
    ------
    ValueError, TypeError
        It lacks what every answer has, or a number is none: a wrong answer is worse than none.
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


def table_of(rows: Sequence[Mapping[str, Any]], columns: Sequence[ResultColumn], meta: Mapping[str, Any]) -> QTable:
    """Make a table of flat rows, with units, descriptions and UCDs; what a number's cell lacks is masked.

    Parameters
    ----------
    rows : sequence of mapping
        Values by the names of columns; a text that is missing is empty.
    columns : sequence of ResultColumn
    meta : mapping
        Of the table; the moment is added.
    """
    import numpy as np  # noqa: PLC0415 - asking needs none of what tables do
    from astropy.table import MaskedColumn, QTable  # noqa: PLC0415 - as above
    from astropy.units import Quantity  # noqa: PLC0415 - as above
    from astropy.utils.masked import Masked  # noqa: PLC0415 - as above

    table = QTable(meta={**meta, "created": datetime.now(UTC).isoformat(timespec="seconds")})
    for column in columns:
        values = [one.get(column.name) for one in rows]
        missing = np.array([value is None for value in values], bool)
        if column.kind is str:
            made: Any = np.array(["" if value is None else value for value in values], str)
        else:
            empty = math.nan if column.kind is float else 0
            made = np.array([empty if value is None else value for value in values], column.kind)
            if column.unit:
                made = Quantity(made, column.unit)
            if missing.any():
                made = Masked(made, mask=missing) if column.unit else MaskedColumn(made, mask=missing)
        table[column.name] = made
        info = table[column.name].info
        info.description = column.description
        info.meta = {"ucd": column.ucd}
        if column.name == "pgc":
            info.meta["links"] = [{"href": HYPERLEDA, "content-role": "doc", "title": "HyperLEDA"}]
    return table
