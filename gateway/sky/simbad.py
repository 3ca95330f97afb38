"""SIMBAD by its TAP service.

Documentation: https://simbad.cds.unistra.fr/simbad/sim-tap and its table descriptions: ``basic`` (one row an object,
with ``galdim_*``: axes in arcmin, angle in degrees east of north) and ``ident`` (one row an identifier, which SIMBAD
compares whatever its spacing). Mirrors: CDS and Harvard. SIMBAD asks for at most 5 to 6 queries a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.domain import Galaxy
from gateway.sky import tap
from gateway.sky.found import Found, leda_number, number, position

if TYPE_CHECKING:
    from gateway.sky.service import Reply

_COLUMNS = "b.main_id, b.ra, b.dec, b.otype, b.galdim_majaxis, b.galdim_minaxis, b.galdim_angle, l.id AS leda"
_LEDA = "LEFT JOIN ident AS l ON l.oidref = b.oid AND l.id LIKE 'LEDA %'"


def by_name(name: str) -> str:
    """Return the query for the object with the identifier ``name``."""
    literal = name.replace("'", "''")
    return tap.query(
        f"SELECT TOP 1 {_COLUMNS} FROM ident AS i JOIN basic AS b ON b.oid = i.oidref {_LEDA} WHERE i.id = '{literal}'"  # noqa: S608 - quotes are doubled above
    )


def around(ra_deg: float, dec_deg: float, radius_arcsec: float) -> str:
    """Return the query for the objects within ``radius_arcsec`` of a position, degrees."""
    circle = tap.circle(ra_deg, dec_deg, radius_arcsec)
    return tap.query(
        f"SELECT TOP 50 {_COLUMNS} FROM basic AS b {_LEDA} WHERE CONTAINS(POINT('ICRS', b.ra, b.dec), {circle}) = 1"  # noqa: S608 - numbers
    )


def parse(reply: Reply) -> list[Found]:
    """Return the objects found.

    Raises
    ------
    NonsenseError
    """
    found = []
    for row in tap.rows(reply):
        ra_deg, dec_deg = position(row.get("ra"), row.get("dec"))
        major, minor = number(row.get("galdim_majaxis")), number(row.get("galdim_minaxis"))
        angle = number(row.get("galdim_angle"))
        galaxy = Galaxy(
            ra_deg=ra_deg,
            dec_deg=dec_deg,
            name=" ".join(str(row.get("main_id") or "").removeprefix("NAME ").split()) or None,
            pgc=leda_number(str(row.get("leda") or "")),
            d25_arcmin=major,
            axis_ratio=round(min(1.0, minor / major), 4) if major and minor else None,
            position_angle_deg=None if angle is None else angle % 180,
            source="SIMBAD",
        )
        found.append(Found(galaxy, str(row.get("otype") or "").strip()))
    return found
