"""Reads cells as values: empty cells, numbers, PGC numbers, angles, coordinates and names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.core import errors
from gateway.core.angles import united
from gateway.core.field_of_view import FIELD_IN
from gateway.core.numbers import LONGEST, number
from gateway.tables.header.units import OWN_UNIT

if TYPE_CHECKING:
    from gateway.tables.header.units import Conversion

_EMPTY = {
    *("", "nan", "na", "n/a", "#n/a", "<na>", "nat", "null", "(null)", "none", "nil", "masked", "undef", "undefined"),
    *("indef", "unknown", "missing", "\\n", "inf", "-inf", "+inf", "infinity", "...", "\N{HORIZONTAL ELLIPSIS}", "?"),
}
_DASHES = re.compile(r"[-\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}.*_~ ]*")
SENTINELS = {float(f"{sign}{nines}") for sign in ("", "-") for nines in ("99", "999", "9999", "99999", "99.9", "999.9")}
SENTINELS |= {-999.99, -99.99, -9999.9, 1e20, -1e20, -32768.0, 1e30, -1e30, -1e10, 1e10}
"""Numbers that mean "no value" in columns without values of that size."""
_UNLIKELY_PA = {-99.0, -99.9, -99.99}

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+")
_PGC = re.compile(r"(?:(?:PGC|LEDA)[\s_#-]*)?\+?0*(\d{1,12})(?:\.0*)?", re.IGNORECASE)
_EXPONENT = re.compile(r"\+?(\d)(?:\.(\d*))?[eEdD]\+?0*(\d+)")
_MOST_PGC = 10_000_000
"""Largest PGC number; HyperLEDA's numbers run to about six million."""
_TURN_DEG = 360.0
_WIDEST_ARCMIN = 180.0 * 60
"""Widest field of view, arcmin: half of the sky."""
_SIZE_WORDS = {
    "d25": "diameter",
    "radius": "radius",
    "petrosian": "Petrosian radius",
    "half_light": "half-light radius",
}
SHOWN = 40
_BOOLEANS = {"true", "false", "t", "f", "yes", "no", "y", "n"}


def text_of(value: object) -> str:
    """Return a cell as text without space around it; ``""`` where it is empty or a mark for "no value"."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = (value if isinstance(value, str) else str(value)).strip("\0 \t\r\n\v\f\N{NO-BREAK SPACE}")
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1].strip()  # spreadsheets mark a text so that it is not taken for a number
    if len(text) > 10:  # all marks in the list are shorter
        return text
    return "" if text.lower() in _EMPTY or _DASHES.fullmatch(text) else text


def pgc(text: str) -> int | None:
    """Return a PGC number, or None where the cell has none (PGC has no numbers from 0 down).

    Accepts ``2557``, ``2557.0``, ``PGC0002557``, ``LEDA 2557``; ``2,557`` groups thousands, since PGC numbers are
    integers.

    Raises
    ------
    errors.BadTarget
        The text is no PGC number.
    """
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    found = _PGC.fullmatch(text) if len(text) <= LONGEST else None
    if found:
        whole = int(found[1])
    else:
        value = number(text)
        if value is not None and value <= 0:
            return None
        if value is None or value != int(value):
            raise errors.BadTarget(f"The PGC number {text[:SHOWN]!r} is not a whole number.")
        exponent = _EXPONENT.fullmatch(text)
        if exponent and len(exponent[2] or "") < int(exponent[3]):
            # the format %g writes 1234567 as 1.23457e+06, which is another galaxy
            raise errors.BadTarget(f"The PGC number {text[:SHOWN]!r} is written with fewer digits than it has.")
        whole = int(value)
    if whole > _MOST_PGC:
        raise errors.BadTarget(f"The PGC number {text[:SHOWN]!r} is larger than {_MOST_PGC}, which no PGC number is.")
    return whole or None


def name(text: str, prefix: str = "") -> str | None:
    """Return a name for a query, or None: a number or a truth value names no galaxy.

    Parameters
    ----------
    text : str
        Content of the cell.
    prefix : str
        Catalogue of the numbers in the column: ``224`` below ``NGC`` is ``NGC 224``.
    """
    if prefix:
        digits = re.fullmatch(r"0*(\d+)(?:\.0)?([A-Za-z]?)", text)
        if digits:
            return f"{prefix} {digits[1]}{digits[2]}" if int(digits[1]) else None
        if text[:1].isdecimal():
            return f"{prefix} {text}"
    elif number(text) is not None or text.lower() in _BOOLEANS:
        return None
    return text if any(letter.isalnum() for letter in text) else None


def measure(text: str, what: str, conversion: Conversion, *, own_degrees: float) -> float:
    """Return a number in the unit of the query.

    Parameters
    ----------
    text : str
        Number, with or without its unit, as ``240"``.
    what : str
        Name of the quantity, for the error.
    conversion : Conversion
    own_degrees : float
        Size of the query's unit, degrees.

    Raises
    ------
    errors.BadTarget
        The text is no number.
    """
    value = number(text)
    if value is not None and not (_THOUSANDS.fullmatch(text)):
        return value * conversion.factor
    degrees = united(text)
    if degrees is None:
        raise errors.BadTarget(f"The {what} {text[:SHOWN]!r} is not a number.")
    return degrees / own_degrees


def field_of_view(text: str, conversion: Conversion) -> tuple[float | None, str]:
    """Return a field of view, arcmin, and a warning about one that is left out."""
    value = measure(text, "field of view", conversion, own_degrees=1 / 60)
    raw = number(text)
    if not 0 < value <= _WIDEST_ARCMIN or raw in SENTINELS - {99.0}:
        return None, f"The field of view {text[:SHOWN]} is none and was left out."
    return value, ""


def field_of_size(text: str, role: str, conversion: Conversion) -> tuple[float | None, str]:
    """Return the field of view, arcmin, for a galaxy's size; and a warning about a size that is left out.

    Parameters
    ----------
    text : str
        Content of the cell.
    role : str
        Kind of size: a key of :data:`gateway.core.field_of_view.FIELD_IN`.
    conversion : Conversion
    """
    degrees = 1 / 60 if OWN_UNIT[role] == "arcmin" else 1 / 3600
    value = measure(text, _SIZE_WORDS[role], conversion, own_degrees=degrees) * degrees * 60 * FIELD_IN[role]
    if not 0 < value <= _WIDEST_ARCMIN or number(text) in SENTINELS:
        return None, f"The {_SIZE_WORDS[role]} {text[:SHOWN]} is none and was left out."
    return value, ""


def position_angle(text: str, conversion: Conversion) -> tuple[float | None, str]:
    """Return a position angle, degrees, and a warning about one that is left out."""
    value = measure(text, "position angle", conversion, own_degrees=1.0)
    if not -_TURN_DEG <= value <= _TURN_DEG or number(text) in _UNLIKELY_PA:
        return None, f"The position angle {text[:SHOWN]} is no angle and was left out."
    return value, ""
