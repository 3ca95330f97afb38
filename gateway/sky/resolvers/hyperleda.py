"""HyperLEDA, by its own SQL service and by the catalogue of 2003 that VizieR serves.

The SQL service (http://atlas.obs-hp.fr/hyperleda/fullsql.html, Makarov et al. 2014, A&A 570, A13) is
``fG.cgi?n=meandata&sql=…`` with ``d`` the columns and ``a=csv[|]`` the format: comment lines start with ``#``, the
header names the columns, ``al2000`` is in hours. It is served without TLS only. Its former address,
leda.univ-lyon1.fr, only redirects there.

VizieR VII/237 (Paturel et al. 2003, A&A 412, 45) holds the 983,261 galaxies of that year; its ``OType`` is G, M (a
multiple system) or GM (a galaxy in one). Its TAP service (https://tapvizier.cds.unistra.fr/TAPVizieR/tap) has no
mirror. See :func:`axes` for its columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from gateway.core.models import Galaxy
from gateway.sky.catalogues import designations, object_types
from gateway.sky.http.service import NonsenseError, Reply, refuse_html
from gateway.sky.resolvers import tap
from gateway.sky.resolvers.record import ResolverRecord, numeric, position

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE = '"VII/237/pgc"'
COLUMNS = "PGC, RAJ2000, DEJ2000, OType, logD25, logR25, PA"

_MEANDATA = "pgc,objname,objtype,al2000,de2000,logd25,logr25,pa"


def axes(
    log_d25: float | None, log_r25: float | None, angle: float | None
) -> tuple[float | None, float | None, float | None]:
    """Return D25 (arcmin), axis ratio and position angle (deg) from HyperLEDA's columns; None where unknown.

    Parameters
    ----------
    log_d25 : float, optional
        Log10 of the diameter in 0.1 arcmin; VII/237 writes 9.99 for "unknown".
    log_r25 : float, optional
        Log10 of major over minor axis; 9.99 means "unknown" too.
    angle : float, optional
        Degrees east of north; 999 means "unknown". So does exactly 0, which HyperLEDA's exports have for a tenth of all
        galaxies, twelve times as often as any other value. VII/237 refers it to the equinox 1950, which matters near
        the poles only.
    """
    unknown = 9.0
    return (
        None if log_d25 is None or log_d25 > unknown else round(10**log_d25 / 10, 3),
        None if log_r25 is None or log_r25 > unknown else round(min(1.0, 10**-log_r25), 4),
        None if angle is None or not 0 < angle <= 360 else angle % 180,
    )


def sql_by_pgc(pgc: int) -> str:
    """Return the query to the SQL service for a PGC number."""
    return "?" + urlencode(
        {"n": "meandata", "c": "o", "of": "1,leda,simbad", "nra": "l", "nakd": "1"}
        | {"d": _MEANDATA, "sql": f"pgc={pgc}", "ob": "", "a": "csv[|]"}
    )


def parse_sql(reply: Reply) -> ResolverRecord | None:
    """Return the object in the SQL service's reply, or None.

    Raises
    ------
    NonsenseError
    """
    refuse_html(reply)
    lines = [line.strip() for line in reply.text.splitlines() if line.strip() and not line.startswith("#")]
    head = next((i for i, line in enumerate(lines) if "al2000" in line), None)
    if head is None:
        raise NonsenseError("with something that is no table")
    separator = next((mark for mark in "|\t," if mark in lines[head]), None)
    names = [name.strip(' "$').lower() for name in lines[head].split(separator)]
    for line in lines[head + 1 :]:
        cells = [cell.strip() for cell in line.split(separator)]
        if len(cells) == len(names):
            row: dict[str, object] = dict(zip(names, cells, strict=True))
            hours = numeric(row["al2000"])
            row["al2000"] = None if hours is None else 15 * hours
            return _record(row, ra="al2000", dec="de2000", unsaid="")
    return None


def tap_by_pgc(pgc: int) -> str:
    """Return the query to VizieR for a PGC number."""
    return tap.query(f"SELECT {COLUMNS} FROM {TABLE} WHERE PGC = {pgc}")  # noqa: S608 - a number


def tap_around(ra_deg: float, dec_deg: float, radius_arcsec: float) -> str:
    """Return the query to VizieR for the galaxies within ``radius_arcsec`` of a position, degrees."""
    circle = tap.circle(ra_deg, dec_deg, radius_arcsec)
    return tap.query(
        f"SELECT TOP 50 {COLUMNS} FROM {TABLE} WHERE CONTAINS(POINT('ICRS', RAJ2000, DEJ2000), {circle}) = 1"  # noqa: S608 - numbers
    )


def parse_tap(reply: Reply) -> list[ResolverRecord]:
    """Return the galaxies in VizieR's reply.

    Raises
    ------
    NonsenseError
    """
    return [_record(row, ra="raj2000", dec="dej2000", unsaid="G") for row in tap.rows(reply)]


def _record(row: Mapping[str, object], *, ra: str, dec: str, unsaid: str) -> ResolverRecord:
    """Return the record of a row; ``unsaid`` is the type of an object whose row has none."""
    pgc = numeric(row.get("pgc"))
    if pgc is None:
        raise NonsenseError("with a galaxy that has no number")
    ra_deg, dec_deg = position(row.get(ra), row.get(dec))
    d25, ratio, angle = axes(numeric(row.get("logd25")), numeric(row.get("logr25")), numeric(row.get("pa")))
    galaxy = Galaxy(
        ra_deg,
        dec_deg,
        name=designations.displayed(str(row.get("objname") or f"PGC{int(pgc)}")),
        pgc=int(pgc),
        d25_arcmin=d25,
        axis_ratio=ratio,
        position_angle_deg=angle,
        source="HyperLEDA",
        size_source="HyperLEDA" if d25 else None,
    )
    return ResolverRecord(galaxy, object_types.of_hyperleda(str(row.get("objtype") or row.get("otype") or unsaid)))
