"""Units of columns: what a number has to be multiplied by to be in the unit that is asked for."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from gateway.core import errors

OWN_UNIT = {"ra": "deg", "dec": "deg", "fov": "arcmin", "pa": "deg"}
OWN_UNIT |= {"d25": "arcmin", "radius": "arcsec", "petrosian": "arcsec", "half_light": "arcsec"}
"""Unit that the numbers of a kind of column are in unless something says otherwise."""

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
"""Degrees of the units that nearly all tables have: astropy takes half a second to load."""
_HOURS = {"h", "hr", "hrs", "hour", "hours", "hourangle"}
_NONE = {"", "-", "--", "---", "none", "null", "unitless", "dimensionless", "n/a"}
_NEVER = math.nan
"""Factor where the table says that its cells are no plain numbers."""
_HMS = re.compile(r"h+(?:ours?)?\W*m+(?:in)?\W*s+(?:ec)?.*|hms|hh:mm:ss.*", re.IGNORECASE)
_DMS = re.compile(r"d+(?:eg)?\W*(?:arc)?m+(?:in)?\W*(?:arc)?s+(?:ec)?.*|dms|dd:mm:ss.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Conversion:
    """How the cells of a column become numbers in the unit that is asked for.

    Attributes
    ----------
    factor : float
        Of a plain number; NaN where the table says that there is none.
    declared : str
        The unit that the table names, or ``""``.
    sexagesimal : str
        ``h`` or ``d``: what the first part of ``12 34 56`` is; ``""`` where the table says that there is none.
    """

    factor: float = 1.0
    declared: str = ""
    sexagesimal: str = "d"


def conversion(kind: str, unit: str | None, column: str) -> Conversion:
    """Return how the numbers of a column are converted.

    Parameters
    ----------
    kind : str
        A key of :data:`OWN_UNIT`.
    unit : str, optional
        As the table writes it: ``deg``, ``h``, ``hourangle``, ``rad``, ``arcsec``, ``"h:m:s"``, or anything else that
        :class:`astropy.units.Unit` reads. Of time, only hours are taken for angles.
    column : str
        Named in the error.

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
    from astropy import units  # 0.5 s that only an uncommon unit is worth

    try:
        return float(units.Unit(text).to(units.deg))
    # units.Unit raises ValueError and TypeError, to() UnitConversionError
    except Exception:  # noqa: BLE001 - see above
        raise errors.BadTable(
            f"The column {column[:60]} has the unit {text[:40]!r}, which is not read as an angle; "
            "convert it, or name another column.",
        ) from None
