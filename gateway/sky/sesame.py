"""CDS Sesame, which asks SIMBAD, NED and VizieR in turn for a name.

Documentation: https://vizier.cds.unistra.fr/vizier/doc/sesame.htx. The query is ``<mirror>/-oxpI/SNV?<name>``: ``x``
XML (schema ``sesame_4x.xsd``), ``p`` sent as text/plain, ``I`` with all identifiers; ``SNV`` the databases, the first
that knows the name answers. Mirrors: CDS and CfA, the two that :mod:`astropy.coordinates.name_resolve` lists.
"""

from __future__ import annotations

from urllib.parse import quote_plus
from xml.etree import ElementTree as ET

from gateway.domain import Galaxy
from gateway.sky.found import Found, leda_number, position
from gateway.sky.service import NonsenseError, Reply, refuse_html


def by_name(name: str) -> str:
    """Return path and query that resolve ``name``."""
    return f"/-oxpI/SNV?{quote_plus(name)}"


def parse(reply: Reply) -> Found | None:
    """Return the object, or None when none of the databases knows the name.

    Raises
    ------
    NonsenseError
        It is no Sesame answer; or nothing was found but a database could not be asked, so that nothing is known.
    """
    refuse_html(reply)
    try:
        # Expat, from 2.4.1 on, bounds the expansion of entities by itself, and nothing external is ever fetched.
        root = ET.fromstring(reply.content)  # noqa: S314 - see above
    except ET.ParseError:
        raise NonsenseError("with something that is no XML") from None
    if root.tag.rpartition("}")[2] != "Sesame":
        raise NonsenseError("with XML of another kind")
    for resolver in root.iter("Resolver"):
        ra, dec = resolver.findtext("jradeg"), resolver.findtext("jdedeg")
        if ra is not None and dec is not None:
            return _found(resolver, ra, dec)
    if root.find(".//ERROR") is not None:
        raise NonsenseError("without having reached its databases")
    return None


def _found(resolver: ET.Element, ra: str, dec: str) -> Found:
    ra_deg, dec_deg = position(ra, dec)
    name = " ".join((resolver.findtext("oname") or "").split())
    aliases = "\n".join([name, *(alias.text or "" for alias in resolver.iter("alias"))])
    galaxy = Galaxy(ra_deg=ra_deg, dec_deg=dec_deg, name=name or None, pgc=leda_number(aliases), source="Sesame")
    return Found(galaxy, (resolver.findtext("otype") or "").strip())
