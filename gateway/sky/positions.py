"""Reads positions as people and catalogues write them, and computes the angle between two of them."""

from __future__ import annotations

import math
import re

from gateway.core import errors
from gateway.core.angles import sexagesimal, spelt, united
from gateway.core.numbers import number

_DESIGNATION = re.compile(
    r"J\s*(?P<h>[0-9]{2})(?P<m>[0-9]{2})(?P<s>[0-9]{2}(?:\.[0-9]+)?)\s*(?P<sign>[+-])(?P<dd>[0-9]{2})(?P<dm>[0-9]{2})(?P<ds>[0-9]{2}(?:\.[0-9]+)?)"
)
_MAX_LENGTH = 64
_POLE_DEG = 90.0
_TURN_DEG = 360.0


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
        Right ascension: decimal degrees, with or without an exponent (:func:`gateway.core.numbers.number`); sexagesimal
        (:func:`gateway.core.angles.sexagesimal`); a number with its unit (:func:`gateway.core.angles.united`); or a
        designation with both coordinates, such as ``J004244.3+411607``, with ``dec`` empty.
    dec : str
        Declination, in the same forms.

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
    ra, dec = spelt(ra), spelt(dec)
    if len(ra) > _MAX_LENGTH or len(dec) > _MAX_LENGTH:
        raise errors.BadTarget(f"Coordinates have at most {_MAX_LENGTH} characters.")
    if not dec:
        ra, dec = _split_designation(ra)
    ra_deg, dec_deg = _degrees(ra, hours=True), _degrees(dec, hours=False)
    if ra_deg is None or dec_deg is None:
        what, text = ("right ascension", ra) if ra_deg is None else ("declination", dec)
        raise errors.BadTarget(f"The {what} {text!r} can't be read.")
    if not 0 <= ra_deg <= _TURN_DEG:
        raise errors.BadTarget(f"The right ascension is {ra_deg:.10g} deg, not within 0 to 360.")
    if not -_POLE_DEG <= dec_deg <= _POLE_DEG:
        raise errors.BadTarget(f"The declination is {dec_deg:.10g} deg, not within -90 to 90.")
    return ra_deg % _TURN_DEG, dec_deg


def _degrees(text: str, *, hours: bool) -> float | None:
    for found in (number(text), united(text, hours=hours), sexagesimal(text, hours=hours)):
        if found is not None:
            return found
    return None


def _split_designation(text: str) -> tuple[str, str]:
    found = _DESIGNATION.search(text.upper())
    if found is None:
        raise errors.BadTarget("Both right ascension and declination are needed.")
    return (
        f"{found['h']}:{found['m']}:{found['s']}",
        f"{found['sign']}{found['dd']}:{found['dm']}:{found['ds']}",
    )
