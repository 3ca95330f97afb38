"""HyperLEDA, by its own SQL service and by the catalogue of 2003 that VizieR serves.

The SQL service (http://atlas.obs-hp.fr/hyperleda/fullsql.html, Makarov et al. 2014, A&A 570, A13) is
``fG.cgi?n=meandata&sql=…`` with ``d`` the columns and ``a=csv[|]`` the format: comment lines start with ``#``, the
header names the columns, ``al2000`` is in hours. It is served without TLS only. What was its address for twenty years,
leda.univ-lyon1.fr, only redirects there.

VizieR VII/237 (Paturel et al. 2003, A&A 412, 45) holds the 983,261 galaxies of that year; its ``OType`` is G, M (a
multiple system) or GM (a galaxy in one). Its TAP service (https://tapvizier.cds.unistra.fr/TAPVizieR/tap) has no
mirror. See :func:`gateway.sky.resolvers.record.axes` for its columns.
"""

from __future__ import annotations

from urllib.parse import urlencode

from gateway.core.models import Galaxy
from gateway.sky.catalogues import designations
from gateway.sky.http.service import NonsenseError, Reply, refuse_html
from gateway.sky.resolvers import tap
from gateway.sky.resolvers.record import Found, Shape, axes, number, position

TABLE = '"VII/237/pgc"'
COLUMNS = "PGC, RAJ2000, DEJ2000, OType, logD25, logR25, PA"

# http://atlas.obs-hp.fr/hyperleda/leda/param/objtype.html, in the codes of SIMBAD. "g" is an extended source that is
# probably a galaxy, "GM" a galaxy in a multiple system.
_KINDS = {"": "", "G": "G", "g": "G", "GM": "G", "Q": "QSO", "S": "*", "M2": "PaG", "M3": "GTrpl", "MC": "ClG"}
_UNSAID = {"u", "U", "?", "R", "I", "X", "E"}
_MEANDATA = "pgc,objname,objtype,al2000,de2000,logd25,logr25,pa"


def kind(objtype: str) -> str:
    """Return HyperLEDA's type of an object in SIMBAD's codes; what begins with M is multiple."""
    code = objtype.strip()
    if code in _UNSAID:
        return "?"
    return _KINDS.get(code) or ("GGroup" if code.startswith("M") else code)


def sql_by_pgc(pgc: int) -> str:
    """Return the query to the SQL service for a PGC number."""
    return "?" + urlencode(
        {"n": "meandata", "c": "o", "of": "1,leda,simbad", "nra": "l", "nakd": "1"}
        | {"d": _MEANDATA, "sql": f"pgc={pgc}", "ob": "", "a": "csv[|]"}
    )


def parse_sql(reply: Reply) -> Found | None:
    """Return the object that the SQL service found, or None.

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
            return _found_by_sql(dict(zip(names, cells, strict=True)))
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


def parse_tap(reply: Reply) -> list[Found]:
    """Return the galaxies that VizieR found.

    Raises
    ------
    NonsenseError
    """
    found = []
    for row in tap.rows(reply):
        pgc = number(row.get("pgc"))
        if pgc is None:
            raise NonsenseError("with a galaxy that has no number")
        ra_deg, dec_deg = position(row.get("raj2000"), row.get("dej2000"))
        shape = axes(number(row.get("logd25")), number(row.get("logr25")), number(row.get("pa")))
        galaxy = _galaxy(ra_deg, dec_deg, f"PGC {int(pgc)}", int(pgc), shape)
        found.append(Found(galaxy, kind(str(row.get("otype") or "G"))))
    return found


def _found_by_sql(row: dict[str, str]) -> Found:
    hours, dec, pgc = number(row.get("al2000")), number(row.get("de2000")), number(row.get("pgc"))
    if hours is None or dec is None or pgc is None:
        raise NonsenseError("with an incomplete row")
    ra_deg, dec_deg = position(hours * 15, dec)
    shape = axes(number(row.get("logd25")), number(row.get("logr25")), number(row.get("pa")))
    name = row.get("objname") or f"PGC{int(pgc)}"
    galaxy = _galaxy(ra_deg, dec_deg, designations.displayed(name), int(pgc), shape)
    return Found(galaxy, kind(row.get("objtype", "")))


def _galaxy(ra_deg: float, dec_deg: float, name: str, pgc: int, shape: Shape) -> Galaxy:
    sized = "HyperLEDA" if shape["d25_arcmin"] else None
    return Galaxy(ra_deg, dec_deg, name=name, pgc=pgc, source="HyperLEDA", size_source=sized, **shape)
