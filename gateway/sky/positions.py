"""Reads positions as people and catalogues write them, and computes the angle between two of them."""

from __future__ import annotations

import math
import re

from gateway.core import errors
from gateway.core.numbers import LIKE, number

_DESIGNATION = re.compile(
    r"J\s*(?P<h>[0-9]{2})(?P<m>[0-9]{2})(?P<s>[0-9]{2}(?:\.[0-9]+)?)\s*(?P<sign>[+-])(?P<dd>[0-9]{2})(?P<dm>[0-9]{2})(?P<ds>[0-9]{2}(?:\.[0-9]+)?)"
)
# The letters or signs for h, m and s follow the numbers, or colons or blanks separate the numbers.
_SEXAGESIMAL = re.compile(
    r"(?P<sign>[+-]?)\s*(?P<whole>[0-9]+(?:\.[0-9]*)?)"
    r"(?:\s*(?P<unit>h|hr|hours?|d|deg|degrees?|°)\s*|\s*:\s*|\s+)"
    r"(?:(?P<minutes>[0-9]+(?:\.[0-9]*)?)(?:\s*(?:m|min|arcmin|['\u2032])\s*|\s*:\s*(?=[0-9])|\s+|$)"
    r"(?:(?P<seconds>[0-9]+(?:\.[0-9]*)?)\s*(?:s|sec|arcsec|[\"\u2033])?)?)?\s*(?P<side>[NS]?)"
)
_LETTERS = re.compile(r"[a-z'\"\u2032\u2033]")
_MAX_LENGTH = 64
_POLE_DEG = 90.0
_TURN_DEG = 360.0
_SIXTY = 60


def separation_arcsec(ra1_deg: float, dec1_deg: float, ra2_deg: float, dec2_deg: float) -> float:
    """Return the angle between two positions, arcsec (haversine formula, exact for small angles)."""
    ra1, dec1, ra2, dec2 = map(math.radians, (ra1_deg, dec1_deg, ra2_deg, dec2_deg))
    a = math.sin((dec2 - dec1) / 2) ** 2 + math.cos(dec1) * math.cos(dec2) * math.sin((ra2 - ra1) / 2) ** 2
    return math.degrees(2 * math.asin(min(1.0, math.sqrt(a)))) * 3600


def parse_position(ra: str, dec: str = "") -> tuple[float, float]:
    """Return a position in degrees.

    Parameters
    ----------
    ra : str
        Right ascension: decimal degrees, with or without an exponent (:func:`gateway.core.numbers.number`); or hours as
        ``00 42 44.3``, ``00:42:44.3``, ``0h42m44.3s``; or a designation with both coordinates, such as
        ``J004244.3+411607``, with ``dec`` empty; sexagesimal degrees as ``10d41m4s``.
    dec : str
        Declination: decimal degrees, or sexagesimal as ``+41 16 09``, ``41:16:09``, ``41d16m09s``.

    Returns
    -------
    ra_deg, dec_deg : float
        0 <= ra_deg < 360, -90 <= dec_deg <= 90; the given equinox is taken for J2000 (ICRS).

    Raises
    ------
    gateway.core.errors.BadTarget
        The position can't be read or is out of range.

    Notes
    -----
    A plain number is always in degrees; ``12 30`` and ``12:30`` of a right ascension are always in hours: the
    conventions of SIMBAD and NED.
    """
    ra, dec = ra.translate(LIKE).strip(), dec.translate(LIKE).strip()
    if len(ra) > _MAX_LENGTH or len(dec) > _MAX_LENGTH:
        raise errors.BadTarget(f"Coordinates have at most {_MAX_LENGTH} characters.")
    if not dec:
        ra, dec = _split_designation(ra)
    ra_deg, dec_deg = number(ra), number(dec)
    ra_deg = _sexagesimal(ra, hours=True) if ra_deg is None else ra_deg
    dec_deg = _sexagesimal(dec, hours=False) if dec_deg is None else dec_deg
    if ra_deg is None or dec_deg is None:
        what, text = ("right ascension", ra) if ra_deg is None else ("declination", dec)
        raise errors.BadTarget(f"The {what} {text!r} can't be read.")
    if not 0 <= ra_deg <= _TURN_DEG:
        raise errors.BadTarget(f"The right ascension is {ra_deg:g} deg, not within 0 to 360.")
    if not -_POLE_DEG <= dec_deg <= _POLE_DEG:
        raise errors.BadTarget(f"The declination is {dec_deg:g} deg, not within -90 to 90.")
    return ra_deg % _TURN_DEG, dec_deg


def _split_designation(text: str) -> tuple[str, str]:
    found = _DESIGNATION.search(text.upper().replace("\N{MINUS SIGN}", "-"))
    if found is None:
        raise errors.BadTarget("Both right ascension and declination are needed.")
    return (
        f"{found['h']}:{found['m']}:{found['s']}",
        f"{found['sign']}{found['dd']}:{found['dm']}:{found['ds']}",
    )


def _sexagesimal(text: str, *, hours: bool) -> float | None:
    """Return degrees; without a unit the first number is in hours if ``hours``, else degrees. None for other text."""
    found = _SEXAGESIMAL.fullmatch(text)
    if found is None:
        return None
    whole, minutes, seconds, unit = found["whole"], found["minutes"], found["seconds"], found["unit"]
    # Only the last number may have a fraction, and a letter after a later number requires one after the first.
    if ("." in whole and minutes) or (minutes and "." in minutes and seconds):
        return None
    if unit is None and (minutes is None or _LETTERS.search(text)):
        return None
    if found["side"] and (hours or found["sign"]):
        return None
    if float(minutes or 0) > _SIXTY or float(seconds or 0) > _SIXTY:
        return None
    degrees = float(whole) + float(minutes or 0) / _SIXTY + float(seconds or 0) / _SIXTY**2
    if unit[0] == "h" if unit else hours:
        degrees *= 15
    return -degrees if found["sign"] == "-" or found["side"] == "S" else degrees
