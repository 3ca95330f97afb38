"""Units of columns: the factors that convert their numbers to the units of a query."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from gateway.core import errors
from gateway.tables import untrusted

OWN_UNIT = {"ra": "deg", "dec": "deg", "fov": "arcmin", "pa": "deg"}
OWN_UNIT |= {"d25": "arcmin", "radius": "arcsec", "petrosian": "arcsec", "half_light": "arcsec"}
"""Default unit of each kind of column."""

_COMMON = {
    "deg": 1.0,
    "degree": 1.0,
    "degrees": 1.0,
    "degs": 1.0,
    "\N{DEGREE SIGN}": 1.0,
    "h": 15.0,
    "hr": 15.0,
    "hrs": 15.0,
    "hour": 15.0,
    "hours": 15.0,
    "hourangle": 15.0,
    "arcmin": 1 / 60,
    "'": 1 / 60,
    "arcsec": 1 / 3600,
    '"': 1 / 3600,
}
"""Size of the usual units, degrees. Astropy's units take half a second to import."""
_HOURS = {"h", "hr", "hrs", "hour", "hours", "hourangle"}
_NONE = {"", "-", "--", "---", "none", "null", "unitless", "dimensionless", "n/a"}
_NEVER = math.nan
"""Factor for cells that are no plain numbers by the table's unit."""
_HMS = re.compile(r"h+(?:ours?)?\W*m+(?:in)?\W*s+(?:ec)?.*|hms|hh:mm:ss.*", re.IGNORECASE)
_DMS = re.compile(r"d+(?:eg)?\W*(?:arc)?m+(?:in)?\W*(?:arc)?s+(?:ec)?.*|dms|dd:mm:ss.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Conversion:
    """Conversion of a column's cells to numbers in the unit of the query.

    Attributes
    ----------
    factor : float
        Factor for a plain number; NaN where the unit excludes plain numbers.
    declared : str
        Unit that the table names, or ``""``.
    sexagesimal : str
        Unit of the first part of ``12 34 56``: ``h`` or ``d``; ``""`` where the unit excludes such cells.
    """

    factor: float = 1.0
    declared: str = ""
    sexagesimal: str = "d"


def conversion(kind: str, unit: str | None, column: str) -> Conversion:
    """Return the conversion of a column's numbers.

    Parameters
    ----------
    kind : str
        Kind of column: a key of :data:`OWN_UNIT`.
    unit : str, optional
        Unit as the table writes it: ``deg``, ``h``, ``hourangle``, ``rad``, ``arcsec``, ``"h:m:s"``, or any other that
        :class:`astropy.units.Unit` reads. Of units of time, only hours count as angles.
    column : str
        Name of the column, for the error.

    Raises
    ------
    errors.BadTable
        The unit is none of an angle.
    """
    text = (unit or "").strip().strip("[]()").strip()
    if len(text) > 1:
        text = text.strip("\"'").strip()
    plain = text.lower()
    parts = "h" if kind == "ra" else "d"
    if plain in _NONE:
        return Conversion(sexagesimal=parts)
    if _HMS.fullmatch(text) and kind == "ra":
        return Conversion(_NEVER, text, "h")
    if _DMS.fullmatch(text) and kind in {"ra", "dec"}:
        return Conversion(_NEVER, text, "d")
    degrees = _COMMON.get(plain)
    if degrees is None or (plain in _HOURS and kind != "ra"):
        degrees = _by_astropy(text, column)
    own = _COMMON[OWN_UNIT[kind]]
    if kind == "ra":
        parts = "h" if degrees == _COMMON["h"] else ""
    return Conversion(degrees / own if degrees != own else 1.0, text, parts)


def _by_astropy(text: str, column: str) -> float:
    from astropy import units  # takes 0.5 s, for uncommon units only

    untrusted.guard_units()
    try:
        return float(units.Unit(text).to(units.deg))
    # units.Unit raises ValueError and TypeError, to() UnitConversionError
    except Exception:  # noqa: BLE001 - see above
        raise errors.BadTable(
            f"The column {column[:60]} has the unit {text[:40]!r}, which is not read as an angle; "
            "convert it, or name another column.",
        ) from None
