"""SIMBAD by its TAP service.

Documentation: https://simbad.cds.unistra.fr/simbad/sim-tap and its table descriptions: ``basic`` (one row an object,
with ``galdim_*``: axes in arcmin, angle in degrees east of north, and a letter for the waveband they were measured in)
and ``ident`` (one row an identifier, which SIMBAD compares whatever its spacing). Mirrors: CDS and Harvard. SIMBAD asks
for at most 5 to 6 queries a second.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.core.models import Galaxy
from gateway.sky.catalogues import designations
from gateway.sky.catalogues.object_types import GALAXY_CODES
from gateway.sky.resolvers import tap
from gateway.sky.resolvers.record import ResolverRecord, leda_number, numeric, position

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.sky.http.service import Reply

INFRARED_TO_D25 = 2.0
"""Factor from an infrared diameter to D25, large enough that the field holds the galaxy.

SIMBAD's infrared sizes are those of 2MASS (Skrutskie et al. 2006), at 20 mag/arcsec^2 in K. A disc with the central
brightness of Freeman's law, 21.65 mag/arcsec^2 in B, is 1.5 times as wide at 25 in B for B - K = 4 and 2.5 times for
B - K = 3. M 82's sizes are 5.07 and 10.99 arcmin.
"""

_COLUMNS = (
    "b.main_id, b.ra, b.dec, b.otype, b.galdim_majaxis, b.galdim_minaxis, b.galdim_angle, b.galdim_wavelength,"
    " l.id AS leda"
)
_LEDA = "LEFT JOIN ident AS l ON l.oidref = b.oid AND l.id LIKE 'LEDA %'"
_GALAXIES = ", ".join(f"'{code}'" for code in GALAXY_CODES)
_OPTICAL, _INFRARED = ("O", "V"), ("I", "N")


def by_name(name: str) -> str:
    """Return the query for the object with the identifier ``name``."""
    literal = name.replace("'", "''")
    return tap.query(
        f"SELECT TOP 1 {_COLUMNS} FROM ident AS i JOIN basic AS b ON b.oid = i.oidref {_LEDA} WHERE i.id = '{literal}'"  # noqa: S608 - quotes are doubled above
    )


def around(ra_deg: float, dec_deg: float, radius_arcsec: float) -> str:
    """Return the query for the galaxies within ``radius_arcsec`` of a position, degrees, the nearest first."""
    circle, point = tap.circle(ra_deg, dec_deg, radius_arcsec), tap.point(ra_deg, dec_deg)
    return tap.query(
        f"SELECT TOP 50 {_COLUMNS}, DISTANCE(POINT('ICRS', b.ra, b.dec), {point}) AS apart"  # noqa: S608 - numbers and constants
        f" FROM basic AS b {_LEDA} WHERE CONTAINS(POINT('ICRS', b.ra, b.dec), {circle}) = 1"
        f" AND b.otype IN ({_GALAXIES}) ORDER BY apart"
    )


def parse(reply: Reply) -> list[ResolverRecord]:
    """Return the objects in the reply.

    Raises
    ------
    NonsenseError
    """
    found = []
    for row in tap.rows(reply):
        ra_deg, dec_deg = position(row.get("ra"), row.get("dec"))
        galaxy = Galaxy(
            ra_deg=ra_deg,
            dec_deg=dec_deg,
            name=designations.displayed(str(row.get("main_id") or "")) or None,
            pgc=leda_number(str(row.get("leda") or "")),
            source="SIMBAD",
        )
        found.append(ResolverRecord(_sized(galaxy, row), str(row.get("otype") or "").strip()))
    return found


def _sized(galaxy: Galaxy, row: Mapping[str, object]) -> Galaxy:
    """Return the galaxy with its size, if the waveband of that size relates to D25."""
    major, minor = numeric(row.get("galdim_majaxis")), numeric(row.get("galdim_minaxis"))
    angle, band = numeric(row.get("galdim_angle")), str(row.get("galdim_wavelength") or "").strip(" ~").upper()
    infrared = band.startswith(_INFRARED)
    # Sizes in other wavebands, such as those of radio sources, do not relate to D25.
    if not major or major < 0 or not (infrared or not band or band.startswith(_OPTICAL)):
        return galaxy
    sized = replace(
        galaxy,
        d25_arcmin=round(major * INFRARED_TO_D25, 3) if infrared else major,
        size_source="SIMBAD",
        axis_ratio=round(min(1.0, minor / major), 4) if minor and minor > 0 else None,
        # SIMBAD fills an unknown angle with its largest 16-bit number.
        position_angle_deg=angle % 180 if angle is not None and 0 <= angle <= 360 else None,
    )
    if infrared:
        source = f"SIMBAD (infrared size x {INFRARED_TO_D25:g})"
        warning = (
            f"Only an infrared size is known, {major:g} arcmin from SIMBAD: "
            f"the field is chosen as if D25 were {INFRARED_TO_D25:g} times it."
        )
    elif not band:
        source = "SIMBAD (waveband not said)"
        warning = f"Only a size of no said waveband is known, {major:g} arcmin from SIMBAD: it is taken for D25."
    else:
        return sized
    return replace(sized, size_source=source, warnings=(warning,))
