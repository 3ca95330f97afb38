"""When a position means a galaxy, and when two descriptions mean the same one."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.sky.positions import separation_arcsec

if TYPE_CHECKING:
    from gateway.core.models import Galaxy

MATCH_ARCSEC = 5.0
"""How far from its catalogued position a galaxy may be asked for."""

WIDEST_ARCSEC = 60.0
"""How far from its catalogued position the largest galaxy may be asked for."""

_MATCH_PART = 0.02
_APART_ARCSEC = 15.0
_APART_PART = 0.05


def tolerance_arcsec(d25_arcmin: float | None) -> float:
    """Return how far from its centre a galaxy of this size is still meant by a position, arcsec.

    5 arcsec, or 2 % of the diameter of a galaxy so large that its centre is less well defined, at most 60 arcsec.
    """
    if d25_arcmin is None or math.isnan(d25_arcmin):
        return MATCH_ARCSEC
    return max(MATCH_ARCSEC, min(_MATCH_PART * d25_arcmin * 60, WIDEST_ARCSEC))


def apart_arcsec(one: Galaxy, other: Galaxy) -> float | None:
    """Return how far two descriptions of a galaxy lie apart, arcsec, where that is too far to be believed.

    Of 6,344 galaxies that HyperLEDA (D25 >= 1 arcmin) and OpenNGC have in common, 40 lie further apart than 15 arcsec
    and 5 % of their diameters.
    """
    apart = separation_arcsec(one.ra_deg, one.dec_deg, other.ra_deg, other.dec_deg)
    allowed = max(_APART_ARCSEC, _APART_PART * 60 * (one.d25_arcmin or other.d25_arcmin or 0.0))
    return apart if apart > allowed else None


def joined(one: Galaxy, other: Galaxy) -> Galaxy:
    """Return ``one`` completed by ``other``, another catalogue's description of it.

    Where they disagree about the place, they may describe two galaxies: then nothing is taken over, and a warning says
    so.
    """
    apart = apart_arcsec(one, other)
    if apart is None:
        return one.completed(other)
    warning = f"{other.source} has it {apart:.0f} arcsec away from {one.source}: check that it is the right galaxy."
    return replace(one, warnings=(*one.warnings, warning))
