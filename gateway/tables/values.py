"""Cells as values: what is empty, what is a number, a PGC number, an angle, a coordinate, a name."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from gateway import errors

if TYPE_CHECKING:
    from gateway.tables.units import Conversion

_EMPTY = {
    *("", "nan", "na", "n/a", "#n/a", "<na>", "nat", "null", "(null)", "none", "nil", "masked", "undef", "undefined"),
    *("indef", "unknown", "missing", "\\n", "inf", "-inf", "+inf", "infinity", "...", "\N{HORIZONTAL ELLIPSIS}", "?"),
}
_DASHES = re.compile(r"[-\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}.*_~ ]*")
_SENTINELS = {
    float(f"{sign}{nines}") for sign in ("", "-") for nines in ("99", "999", "9999", "99999", "99.9", "999.9")
}
_SENTINELS |= {-999.99, -99.99, -9999.9, 1e20, -1e20, -32768.0, 1e30, -1e30, -1e10, 1e10}
"""Numbers that stand for nothing where a number of their size is not to be expected."""
_UNLIKELY_PA = {-99.0, -99.9, -99.99}

_PLAIN = re.compile(r"[+-]?\d+(?:\.\d*)?|[+-]?\.\d+")
_FORTRAN = re.compile(r"([+-]?(?:\d+\.\d*|\.\d+))[dD]([+-]?\d+)|([+-]?\d+)[dD]([+-]\d+)")
_COMMA = re.compile(r"([+-]?\d+),(\d+(?:[eE][+-]?\d+)?)")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+")
_PGC = re.compile(r"(?:(?:PGC|LEDA)[\s_#-]*)?\+?0*(\d{1,12})(?:\.0*)?", re.IGNORECASE)
_EXPONENT = re.compile(r"\+?(\d)(?:\.(\d*))?[eEdD]\+?0*(\d+)")
_MOST_PGC = 10_000_000
"""HyperLEDA's numbers run to about six million."""
_WITH_UNIT = re.compile(
    r"(.*?[\d.])\s*(h|hr|hours?|d|degs?|degrees?|\N{DEGREE SIGN}|rad|arcmin|arcsec|['\"\N{PRIME}\N{DOUBLE PRIME}])"
)
_UNIT_DEGREES = {
    "h": 15.0,
    "d": 1.0,
    "\N{DEGREE SIGN}": 1.0,
    "r": math.degrees(1.0),
    "arcmin": 1 / 60,
    "'": 1 / 60,
    "\N{PRIME}": 1 / 60,
    "arcsec": 1 / 3600,
    '"': 1 / 3600,
    "\N{DOUBLE PRIME}": 1 / 3600,
}
_PARTS = re.compile(r"[+-]?\s*\d{1,3}\s*[:hd\N{DEGREE SIGN}\s]\s*\d{1,2}(?:\D.*)?", re.IGNORECASE)
_LETTERED = re.compile(r"[hd\N{DEGREE SIGN}]", re.IGNORECASE)
_COMPACT = re.compile(r"[+-]?\d{6}(?:\.\d*)?")
_TURN_DEG, _POLE_DEG = 360.0, 90.0
_SHOWN = 40
_LONGEST = 100
"""Characters of a number; the longest that a double needs has 24."""
_BOOLEANS = {"true", "false", "t", "f", "yes", "no", "y", "n"}
_DESIGNATION = re.compile(r"J\s*\d{6}")
_LIKE = str.maketrans(
    "\N{MINUS SIGN}\N{HYPHEN}\N{EN DASH}\N{NO-BREAK SPACE}"
    "\N{MODIFIER LETTER SMALL H}\N{MODIFIER LETTER SMALL M}\N{MODIFIER LETTER SMALL S}",
    "--- hms",
)


def text_of(value: object) -> str:
    """Return a cell as text without space around it; ``""`` where it is empty or stands for nothing."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = (value if isinstance(value, str) else str(value)).strip("\0 \t\r\n\v\f\N{NO-BREAK SPACE}")
    if len(text) > 10:  # noqa: PLR2004 - nothing in the list is longer
        return text
    return "" if text.lower() in _EMPTY or _DASHES.fullmatch(text) else text


def number(text: str) -> float | None:
    """Return a number as any program writes it, or None for anything else.

    ``1.0684708e+01``, ``5e-05``, Fortran's ``1.0684708D+01``, a typographic minus, a leading plus and a decimal comma.
    """
    if len(text) > _LONGEST:
        return None
    text = text.translate(_LIKE) if not text.isascii() else text
    try:
        value = float(text)
    except ValueError:
        fortran = _FORTRAN.fullmatch(text)
        if fortran:
            mantissa, exponent = (fortran[1], fortran[2]) if fortran[1] else (fortran[3], fortran[4])
            value = float(f"{mantissa}E{exponent}")
        elif _COMMA.fullmatch(text):
            value = float(text.replace(",", "."))
        else:
            return None
    return value if math.isfinite(value) and "_" not in text else None


def pgc(text: str) -> int | None:
    """Return a PGC number, or None where the cell stands for none (0 and below are no numbers of PGC).

    ``2557``, ``2557.0``, ``PGC0002557``, ``LEDA 2557``; ``2,557`` groups thousands, as a whole number has no decimals.

    Raises
    ------
    errors.BadTarget
        It is neither.
    """
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    found = _PGC.fullmatch(text) if len(text) <= _LONGEST else None
    if found:
        whole = int(found[1])
    else:
        value = number(text)
        if value is not None and value <= 0:
            return None
        if value is None or value != int(value):
            raise errors.BadTarget(f"The PGC number {text[:_SHOWN]!r} is not a whole number.")
        exponent = _EXPONENT.fullmatch(text)
        if exponent and len(exponent[2] or "") < int(exponent[3]):
            # %g writes 1234567 as 1.23457e+06, which is another galaxy
            raise errors.BadTarget(f"The PGC number {text[:_SHOWN]!r} is written with fewer digits than it has.")
        whole = int(value)
    if whole > _MOST_PGC:
        raise errors.BadTarget(f"The PGC number {text[:_SHOWN]!r} is larger than {_MOST_PGC}, which no PGC number is.")
    return whole or None


def name(text: str, prefix: str = "") -> str | None:
    """Return a name that can be asked for, or None: a number or a truth value names no galaxy.

    Parameters
    ----------
    text : str
    prefix : str
        Catalogue whose numbers the column has: ``224`` below ``NGC`` is ``NGC 224``.
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
    """Return a number in the unit that is asked for.

    Parameters
    ----------
    text : str
        A number, or one with its unit, as ``240"``.
    what : str
        For the error.
    conversion : Conversion
    own_degrees : float
        Degrees of the unit that is asked for.

    Raises
    ------
    errors.BadTarget
        It is no number.
    """
    value = number(text)
    if value is not None and not (_THOUSANDS.fullmatch(text)):
        return value * conversion.factor
    united = _united(text)
    if united is None:
        raise errors.BadTarget(f"The {what} {text[:_SHOWN]!r} is not a number.")
    return united / own_degrees


def field_of_view(text: str, conversion: Conversion) -> tuple[float | None, str]:
    """Return a field of view, arcmin, and what has to be said of one that is left out."""
    value = measure(text, "field of view", conversion, own_degrees=1 / 60)
    raw = number(text)
    if value <= 0 or raw in _SENTINELS - {99.0}:
        return None, f"The field of view {text[:_SHOWN]} is none and was left out."
    return value, ""


def position_angle(text: str, conversion: Conversion) -> tuple[float | None, str]:
    """Return a position angle, degrees, and what has to be said of one that is left out."""
    value = measure(text, "position angle", conversion, own_degrees=1.0)
    if not -_TURN_DEG <= value <= _TURN_DEG or number(text) in _UNLIKELY_PA:
        return None, f"The position angle {text[:_SHOWN]} is no angle and was left out."
    return value, ""


def position(
    ra: tuple[str, ...], dec: tuple[str, ...], of_ra: Conversion, of_dec: Conversion
) -> tuple[str, str] | None:
    """Return right ascension and declination as they are asked for, or None where the cells are empty.

    Parameters
    ----------
    ra, dec : tuple of str
        One cell each, or the parts of each: hours, minutes, seconds; sign, degrees, minutes, seconds.
    of_ra, of_dec : Conversion

    Returns
    -------
    (str, str)
        Decimal degrees, or sexagesimal text of which the first part of ``ra`` is hours unless it says degrees; ``dec``
        is empty where ``ra`` is a designation such as ``J004244.3+411607``.

    Raises
    ------
    errors.BadTarget
        It is half a position, out of range, or can be read in two ways.
    """
    if len(ra) > 1 or len(dec) > 1:
        joined = _joined(ra), _joined(dec)
        if not all(joined):
            return None
        return joined
    first, second = ra[0], dec[0] if dec else ""
    if not first and not second:
        return None
    if first and not second and _DESIGNATION.search(first.upper()):
        return first, ""
    if not first or not second:
        raise errors.BadTarget("Both right ascension and declination are needed.")
    if _COMPACT.fullmatch(first) and _COMPACT.fullmatch(second):
        # six digits before the point are no degrees, and are what a designation has
        return _spelt_out(first), _spelt_out(second)
    values = number(first), number(second)
    if None not in values and {value for value in values if value is not None} <= _SENTINELS - {99.0}:
        return None
    return _coordinate(first, "right ascension", of_ra), _coordinate(second, "declination", of_dec)


def _coordinate(text: str, what: str, conversion: Conversion) -> str:
    is_ra = what == "right ascension"
    value = number(text)
    if value is not None and not math.isnan(conversion.factor):
        degrees = value * conversion.factor
        if conversion.factor == 1:
            plain = text.translate(_LIKE) if not text.isascii() else text
            said = plain if _PLAIN.fullmatch(plain) else _decimal(value)
        else:
            said = _decimal(degrees)
    elif (united := _united(text)) is not None:
        degrees, said = united, _decimal(united)
    else:
        return _sexagesimal(text, what, conversion)
    low, high = (0.0, _TURN_DEG) if is_ra else (-_POLE_DEG, _POLE_DEG)
    if not low <= degrees <= high:
        raise errors.BadTarget(f"The {what} is {degrees:.10g} deg, not within {low:g} to {high:g}.")
    return said


def _sexagesimal(text: str, what: str, conversion: Conversion) -> str:
    spelt = text.translate(_LIKE) if not text.isascii() else text
    if len(spelt) > _LONGEST or not _PARTS.fullmatch(spelt):
        raise errors.BadTarget(f"The {what} {text[:_SHOWN]!r} can't be read.")
    if what == "right ascension" and not _LETTERED.search(spelt):
        if not conversion.sexagesimal:
            raise errors.BadTarget(
                f"The right ascension {text[:_SHOWN]!r} is sexagesimal in a column that is declared in "
                f"{conversion.declared or 'degrees'}: whether its first part is hours or degrees can't be told."
            )
        if conversion.sexagesimal == "d":
            parts = re.split(r"[:\s]+", spelt.strip())
            return "".join(part + letter for part, letter in zip(parts, "dms", strict=False))
    return spelt


def _united(text: str) -> float | None:
    """Return degrees of a number with its unit, such as ``0.71h``, or None."""
    found = _WITH_UNIT.fullmatch(text.strip().lower()) if len(text) <= _LONGEST else None
    value = number(found[1]) if found else None
    if found is None or value is None:
        return None
    unit = found[2]
    return value * (_UNIT_DEGREES.get(unit) or _UNIT_DEGREES[unit[0]])


def _joined(parts: tuple[str, ...]) -> str:
    if not parts[0] and len(parts) == 1:
        return ""
    sign = ""
    if parts[0] in {"+", "-", "\N{MINUS SIGN}", "\N{EN DASH}"} or not parts[0]:
        sign, parts = ("-" if parts[0] and parts[0] != "+" else ""), parts[1:]
    said = [part for part in parts if part]
    if not said:
        return ""
    if any(number(part) is None for part in said) or not all(parts[: len(said)]):
        raise errors.BadTarget(f"The parts {' '.join(parts)[:_SHOWN]!r} of the position can't be read.")
    whole = [_whole(part) for part in said[:-1]]
    return sign + ":".join([*whole, said[-1].translate(_LIKE)])


def _whole(part: str) -> str:
    value = number(part)
    if value is None or value != int(value):
        raise errors.BadTarget(f"The part {part[:_SHOWN]!r} of the position is not a whole number.")
    return part.removesuffix(".0")


def _spelt_out(text: str) -> str:
    sign = text[0] if text[0] in "+-" else ""
    digits = text.removeprefix(sign)
    return f"{sign}{digits[:2]}:{digits[2:4]}:{digits[4:]}"


def _decimal(value: float) -> str:
    return format(Decimal(repr(value)), "f")
