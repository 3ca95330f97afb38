"""Decides when a position means a galaxy, and when two descriptions mean the same one."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.sky.positions import separation_arcsec

if TYPE_CHECKING:
    from gateway.core.models import Galaxy

MATCH_ARCSEC = 5.0
"""Least distance from its catalogued position at which a galaxy is still meant, arcsec."""

WIDEST_ARCSEC = 60.0
"""The same distance for the largest galaxy, arcsec."""

_MATCH_PART = 0.02
_APART_ARCSEC = 15.0
_APART_PART = 0.05


def tolerance_arcsec(d25_arcmin: float | None) -> float:
    """Return how far from its centre a position still means a galaxy of this size, arcsec.

    It is 5 arcsec, or 2 % of the diameter of a galaxy so large that its centre is less well defined, at most 60 arcsec.
    """
    if d25_arcmin is None or math.isnan(d25_arcmin):
        return MATCH_ARCSEC
    return max(MATCH_ARCSEC, min(_MATCH_PART * d25_arcmin * 60, WIDEST_ARCSEC))


def apart_arcsec(one: Galaxy, other: Galaxy) -> float | None:
    """Return the distance between two descriptions of a galaxy, arcsec, where it is too large for one; else None.

    Of 6,344 galaxies that HyperLEDA (D25 >= 1 arcmin) and OpenNGC have in common, 40 differ by more than 15 arcsec
    and 5 % of their diameters.
    """
    apart = separation_arcsec(one.ra_deg, one.dec_deg, other.ra_deg, other.dec_deg)
    allowed = max(_APART_ARCSEC, _APART_PART * 60 * (one.d25_arcmin or other.d25_arcmin or 0.0))
    return apart if apart > allowed else None


def joined(one: Galaxy, other: Galaxy) -> Galaxy:
    """Return ``one`` completed by ``other``, another catalogue's description of the same galaxy.

    Where their positions disagree, they may describe two galaxies: then ``one`` stays as it is, with a warning.
    """
    apart = apart_arcsec(one, other)
    if apart is None:
        return one.completed(other)
    warning = f"{other.source} has it {apart:.0f} arcsec away from {one.source}: check that it is the right galaxy."
    return replace(one, warnings=(*one.warnings, warning))
