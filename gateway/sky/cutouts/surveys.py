"""The surveys and their approximate coverage, known without a request.

Only :func:`surely_outside` prevents a request, and only where there is no doubt; elsewhere the survey's own answer
decides. :func:`covering` is advice for people.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SKYSERVER = "sdss"
"""Key of the survey that SkyServer serves; the others are served by hips2fits."""


@dataclass(frozen=True, slots=True)
class Survey:
    """An image survey that serves cutouts.

    Attributes
    ----------
    key : str
        Name of the survey in ``survey=``.
    label : str
        Name of the survey for people.
    hips : str
        Identifier of its HiPS; empty for SkyServer.
    pixel_arcsec : float
        Pixel scale of its images; finer cutouts show no more detail.
    south_deg : float
        Declination south of which the survey has no image.
    """

    key: str
    label: str
    hips: str
    pixel_arcsec: float
    south_deg: float = -90.0


SURVEYS = {
    survey.key: survey
    for survey in (
        # Imaging ends near -11 deg, single SEGUE stripes near -25 deg (Aihara et al. 2011, ApJS 193, 29).
        Survey(SKYSERVER, "SDSS", "", 0.396127, -28.0),
        Survey("sdss9", "SDSS DR9 (CDS)", "CDS/P/SDSS9/color", 0.396127, -28.0),
        # Chambers et al. 2016, arXiv:1612.05560: everything north of -30 deg.
        Survey("panstarrs", "PanSTARRS DR1", "CDS/P/PanSTARRS/DR1/color-i-r-g", 0.25, -32.0),
        Survey("legacy", "DESI Legacy DR10", "CDS/P/DESI-Legacy-Surveys/DR10/color", 0.262),
        Survey("dss2", "DSS2", "CDS/P/DSS2/color", 1.0),
    )
}

_NORTH_GALACTIC_POLE = (192.85948, 27.12825)
_PLANE_DEG = 18.0
_LEGACY_SOUTH_DEG, _LEGACY_NORTH_DEG = -70.0, 84.0


def surely_outside(survey: Survey, dec_deg: float) -> bool:
    """Return whether ``survey`` certainly has no picture at a declination."""
    return dec_deg < survey.south_deg


def covering(ra_deg: float, dec_deg: float, *, but: str) -> list[str]:
    """Return the keys of the surveys that probably cover a position, the sharpest first.

    Parameters
    ----------
    ra_deg, dec_deg : float
        Degrees.
    but : str
        Key of a survey without an image there; SDSS images under another key are left out too.
    """
    likely = []
    if abs(galactic_latitude_deg(ra_deg, dec_deg)) > _PLANE_DEG and _LEGACY_SOUTH_DEG < dec_deg < _LEGACY_NORTH_DEG:
        likely.append("legacy")
    if not surely_outside(SURVEYS["panstarrs"], dec_deg - 2):
        likely.append("panstarrs")
    return [key for key in (*likely, "dss2") if key != but]


def galactic_latitude_deg(ra_deg: float, dec_deg: float) -> float:
    """Return the galactic latitude, degrees (north galactic pole of the IAU system of 1958, in J2000)."""
    ra, dec, pole_ra, pole_dec = map(math.radians, (ra_deg, dec_deg, *_NORTH_GALACTIC_POLE))
    sine = math.sin(dec) * math.sin(pole_dec) + math.cos(dec) * math.cos(pole_dec) * math.cos(ra - pole_ra)
    return math.degrees(math.asin(max(-1.0, min(1.0, sine))))
