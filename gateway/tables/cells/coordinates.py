"""Reads cells as positions: right ascension and declination in any usual notation."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from gateway.core import errors
from gateway.core.angles import sexagesimal, spelt, united
from gateway.core.numbers import number
from gateway.tables.cells.values import SENTINELS, SHOWN

if TYPE_CHECKING:
    from gateway.tables.header.units import Conversion

_PLAIN = re.compile(r"[+-]?\d+(?:\.\d*)?|[+-]?\.\d+")
_LETTERED = re.compile(r"[hd\N{DEGREE SIGN}]", re.IGNORECASE)
_COMPACT = re.compile(r"[+-]?\d{6}(?:\.\d*)?")
_DESIGNATION = re.compile(r"J\s*\d{6}")
_TINY_DEG = 1e-15
_MINUS = {"-", "\N{MINUS SIGN}", "\N{EN DASH}"}
_NOWHERE = SENTINELS - {99.0, 99.9}
_TURN_DEG, _POLE_DEG = 360.0, 90.0


def position(
    ra: tuple[str, ...],
    dec: tuple[str, ...],
    of_ra: Conversion,
    of_dec: Conversion,
    *,
    signed: bool = False,
) -> tuple[str, str] | None:
    """Return right ascension and declination in the form of a query, or None where the cells are empty.

    Parameters
    ----------
    ra, dec : tuple of str
        One cell each, or the parts of each: hours, minutes, seconds; sign, degrees, minutes, seconds.
    of_ra, of_dec : Conversion
        Conversions of their numbers to degrees.
    signed : bool
        Whether the first part of ``dec`` is its sign.

    Returns
    -------
    (str, str)
        Decimal degrees, or sexagesimal text; the first part of ``ra`` is in hours unless it names degrees. ``dec`` is
        empty where ``ra`` is a designation such as ``J004244.3+411607``.

    Raises
    ------
    errors.BadTarget
        The position is incomplete, out of range, or can be read in two ways.
    """
    if len(ra) > 1 or len(dec) > 1:
        first, second = _joined(ra, signed=False), _joined(dec, signed=signed)
    else:
        first, second = ra[0], dec[0] if dec else ""
    if _is_missing(first) and _is_missing(second):
        return None
    if first and not second and _DESIGNATION.search(first.upper()):
        return first, ""
    if not first or not second:
        raise errors.BadTarget("Both right ascension and declination are needed.")
    if len(ra) > 1 or len(dec) > 1:
        return first, second
    if _COMPACT.fullmatch(first) and _COMPACT.fullmatch(second):
        # six digits before the point can't be degrees, but are usual in a designation
        return _spelt_out(first), _spelt_out(second)
    return _coordinate(first, "right ascension", of_ra), _coordinate(second, "declination", of_dec)


def is_zero(found: tuple[str, str]) -> bool:
    """Return whether a position is 0, 0, which is more probably a placeholder than a place."""
    return found[0][:1] in "0+-." and found[1][:1] in "0+-." and number(found[0]) == number(found[1]) == 0


def _is_missing(text: str) -> bool:
    return not text or number(text) in _NOWHERE


def _coordinate(text: str, what: str, conversion: Conversion) -> str:
    is_ra = what == "right ascension"
    value = number(text)
    if value is not None and not math.isnan(conversion.factor):
        degrees = value * conversion.factor
        if conversion.factor == 1:
            plain = spelt(text)
            said = plain if _PLAIN.fullmatch(plain) else _decimal(value)
        else:
            said = _decimal(degrees)
    elif (other := united(text, hours=is_ra)) is not None:
        degrees, said = other, _decimal(other)
    elif (parts := sexagesimal(text, hours=is_ra)) is not None:
        degrees, said = parts, _parts(text, what, conversion)
    else:
        raise errors.BadTarget(f"The {what} {text[:SHOWN]!r} can't be read.")
    low, high = (0.0, _TURN_DEG) if is_ra else (-_POLE_DEG, _POLE_DEG)
    if not low <= degrees <= high:
        raise errors.BadTarget(f"The {what} is {degrees:.10g} deg, not within {low:g} to {high:g}.")
    return said


def _parts(text: str, what: str, conversion: Conversion) -> str:
    """Return a sexagesimal text; the first part of a right ascension is in hours unless it names degrees."""
    said = spelt(text)
    if what == "right ascension" and not _LETTERED.search(said):
        if not conversion.sexagesimal:
            raise errors.BadTarget(
                f"The right ascension {text[:SHOWN]!r} is sexagesimal in a column that is declared in "
                f"{conversion.declared or 'degrees'}: whether its first part is hours or degrees can't be told."
            )
        if conversion.sexagesimal == "d":
            return f"{said} deg"
    return said


def _joined(parts: tuple[str, ...], *, signed: bool) -> str:
    """Return the parts of a coordinate as one text; the seconds may be missing."""
    sign = "-" if signed and parts[0] in _MINUS else ""
    if signed:
        if parts[0] not in {"", "+", *_MINUS}:
            raise errors.BadTarget(f"The sign {parts[0][:SHOWN]!r} of the declination can't be read.")
        parts = parts[1:]
    said = [part for part in parts if part]
    if not said:
        return ""
    if any(number(part) is None for part in said) or not all(parts[: len(said)]):
        raise errors.BadTarget(f"The parts {' '.join(parts)[:SHOWN]!r} of the position can't be read.")
    return sign + ":".join([*map(_whole, said[:-1]), spelt(said[-1])])


def _whole(part: str) -> str:
    value = number(part)
    if value is None or value != int(value):
        raise errors.BadTarget(f"The part {part[:SHOWN]!r} of the position is not a whole number.")
    return part.removesuffix(".0")


def _spelt_out(text: str) -> str:
    sign = text[0] if text[0] in "+-" else ""
    digits = text.removeprefix(sign)
    return f"{sign}{digits[:2]}:{digits[2:4]}:{digits[4:]}"


def _decimal(value: float) -> str:
    if abs(value) < _TINY_DEG:
        return "0"
    return format(Decimal(repr(value)), "f")
