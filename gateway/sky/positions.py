"""Positions as people write them."""

from __future__ import annotations

import math
import re

from gateway.core import errors
from gateway.core.numbers import LIKE, number

_DESIGNATION = re.compile(
    r"J\s*(?P<h>\d{2})(?P<m>\d{2})(?P<s>\d{2}(?:\.\d+)?)\s*(?P<sign>[+-])(?P<dd>\d{2})(?P<dm>\d{2})(?P<ds>\d{2}(?:\.\d+)?)"
)
_MAX_LENGTH = 64
_POLE_DEG = 90.0
_TURN_DEG = 360.0


def parse_position(ra: str, dec: str = "") -> tuple[float, float]:
    """Return a position in degrees.

    Parameters
    ----------
    ra : str
        Decimal degrees, with an exponent or without (:func:`gateway.core.numbers.number`); or hours as ``00 42 44.3``,
        ``00:42:44.3``, ``0h42m44.3s``; or a designation with both coordinates, such as ``J004244.3+411607``, with
        ``dec`` empty; sexagesimal degrees as ``10d41m4s``.
    dec : str
        Decimal degrees, or sexagesimal as ``+41 16 09``, ``41:16:09``, ``41d16m09s``.

    Returns
    -------
    ra_deg, dec_deg : float
        0 <= ra_deg < 360, -90 <= dec_deg <= 90; of the equinox they were given in, which is taken for J2000 (ICRS).

    Raises
    ------
    gateway.core.errors.BadTarget
        It can't be read or is out of range.

    Notes
    -----
    A plain number is always degrees, ``12 30`` and ``12:30`` of a right ascension are always hours: the conventions of
    SIMBAD and NED. Sexagesimal text is parsed by :class:`astropy.coordinates.Angle`, whose import takes about a second
    once; whoever must not block asks in a thread.
    """
    ra, dec = ra.translate(LIKE).strip(), dec.translate(LIKE).strip()
    if len(ra) > _MAX_LENGTH or len(dec) > _MAX_LENGTH:
        raise errors.BadTarget(f"Coordinates have at most {_MAX_LENGTH} characters.")
    if not dec:
        ra, dec = _split_designation(ra)
    ra_deg, dec_deg = number(ra), number(dec)
    if ra_deg is None:
        ra_deg = _sexagesimal(ra, "right ascension", hours=True)
    if dec_deg is None:
        dec_deg = _sexagesimal(dec, "declination", hours=False)
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


def _sexagesimal(text: str, coordinate: str, *, hours: bool) -> float:
    # Imported when first needed: 35 MB and a second that most requests never need.
    from astropy import units  # noqa: PLC0415 - see above
    from astropy.coordinates import Angle  # noqa: PLC0415 - see above

    unit = units.hourangle if hours else units.deg
    try:
        degrees = float(Angle(text, unit=unit).degree)
    # astropy raises ValueError, UnitsError, IllegalMinuteError and others of no common kind.
    except Exception as error:
        raise errors.BadTarget(f"The {coordinate} {text!r} can't be read.") from error
    if not math.isfinite(degrees):
        raise errors.BadTarget(f"The {coordinate} {text!r} can't be read.")
    return degrees
