"""Reads angles as people and catalogues write them."""

from __future__ import annotations

import math
import re

from gateway.core.numbers import LIKE, LONGEST, number

_HOUR, _DEGREE = r"h|hrs?|hours?", r"d|degs?|degrees?|\N{DEGREE SIGN}"
# The letters or signs for h, m and s follow the numbers, or colons or blanks separate the numbers. A unit may also
# follow the last number.
_SEXAGESIMAL = re.compile(
    r"(?P<sign>[+-]?)\s*(?P<whole>[0-9]+(?:\.[0-9]*)?)"
    rf"(?:\s*(?P<unit>{_HOUR}|{_DEGREE})\s*|\s*:\s*|\s+)"
    r"(?:(?P<minutes>[0-9]+(?:\.[0-9]*)?)(?:\s*(?:m|min|arcmin|')\s*|\s*:\s*(?=[0-9])|\s+|$)"
    r"(?:(?P<seconds>[0-9]+(?:\.[0-9]*)?)\s*(?:s|sec|arcsec|\"|'')?)?)?"
    rf"\s*(?P<of_all>{_HOUR}|{_DEGREE})?\s*(?P<side>[NS]?)"
)
_LETTERS = re.compile(r"[a-z'\"]")
_UNIT_BEFORE_FRACTION = re.compile(r"(?<=[0-9])([hms\N{DEGREE SIGN}'\"]|'')(\.[0-9]+)$")
_COMMA = re.compile(r"(?<=[0-9]),(?=[0-9])")
_SIXTY = 60
_WITH_UNIT = re.compile(rf"(.*?[0-9.])\s*({_HOUR}|{_DEGREE}|rad|arcmin|arcsec|''|['\"])")
_UNIT_DEGREES = {
    "h": 15.0,
    "d": 1.0,
    "\N{DEGREE SIGN}": 1.0,
    "r": math.degrees(1.0),
    "arcmin": 1 / 60,
    "'": 1 / 60,
    "arcsec": 1 / 3600,
    '"': 1 / 3600,
    "''": 1 / 3600,
}


def spelt(text: str) -> str:
    """Return an angle in the characters of a keyboard, without blanks around it."""
    return (text if text.isascii() else text.translate(LIKE)).strip()


def united(text: str, *, hours: bool = False) -> float | None:
    """Return degrees of a number with its unit, such as ``240"`` and, for a right ascension, ``0.71h``; or None."""
    found = _WITH_UNIT.fullmatch(spelt(text).lower()) if len(text) <= LONGEST else None
    value = number(found[1]) if found else None
    if found is None or value is None or (found[2][0] == "h" and not hours):
        return None
    unit = found[2]
    return value * (_UNIT_DEGREES.get(unit) or _UNIT_DEGREES[unit[0]])


def sexagesimal(text: str, *, hours: bool) -> float | None:
    """Return degrees of a sexagesimal right ascension (``hours``) or declination; None for other text.

    Accepts ``00 42 44.3``, ``00:42:44.3``, ``0h42m44.3s``, ``00h42m44s.3``, ``10d41m4s``, ``41°16'09"``,
    ``41 16 09 N``, ``0:42:44.3 hours``; without seconds, or with a fraction of minutes. A decimal comma is a point.

    Without a unit, the first number of a right ascension is in hours, and that of a declination in degrees. A
    declination is never in hours.
    """
    text = spelt(text)
    if hours:
        text = text.lower()  # S means seconds, since a right ascension has no south
    if len(_COMMA.findall(text)) == 1 and "." not in text:
        text = _COMMA.sub(".", text)
    found = _SEXAGESIMAL.fullmatch(_UNIT_BEFORE_FRACTION.sub(r"\2\1", text)) if len(text) <= LONGEST else None
    if found is None or (found["unit"] and found["of_all"]):
        return None
    whole, minutes, seconds, unit = found["whole"], found["minutes"], found["seconds"], found["unit"] or found["of_all"]
    # Only the last number may have a fraction, and a letter after a later number requires one after the first.
    if ("." in whole and minutes) or (minutes and "." in minutes and seconds):
        return None
    if unit is None and (minutes is None or _LETTERS.search(text)):
        return None
    in_hours = unit[0] == "h" if unit else hours
    if (found["side"] and (hours or found["sign"])) or (in_hours and not hours):
        return None
    if float(minutes or 0) > _SIXTY or float(seconds or 0) > _SIXTY:
        return None
    degrees = float(whole) + float(minutes or 0) / _SIXTY + float(seconds or 0) / _SIXTY**2
    if in_hours:
        degrees *= 15
    return -degrees if found["sign"] == "-" or found["side"] == "S" else degrees
