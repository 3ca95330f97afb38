"""CDS Sesame, which asks SIMBAD, NED and VizieR in turn for a name.

Documentation: https://vizier.cds.unistra.fr/vizier/doc/sesame.htx. The query is ``<mirror>/-oxpI/SNV?<name>``: ``x``
XML (schema ``sesame_4x.xsd``), ``p`` sent as text/plain, ``I`` with all identifiers; ``SNV`` the databases, the first
that knows the name answers. The name of a ``Resolver`` begins with the letter of its database. VizieR's answers have no
type, positions that may be an arcminute off, and names in braces: they are never a galaxy by themselves. Mirrors: CDS
and CfA, the two that :mod:`astropy.coordinates.name_resolve` lists.
"""

from __future__ import annotations

from urllib.parse import quote_plus
from xml.etree import ElementTree as ET

from gateway.core.models import Galaxy
from gateway.sky.catalogues import designations
from gateway.sky.http.service import NonsenseError, Reply, refuse_html
from gateway.sky.resolvers.record import ResolverRecord, leda_number, position


def by_name(name: str) -> str:
    """Return path and query that resolve ``name``."""
    return f"/-oxpI/SNV?{quote_plus(name)}"


def parse(reply: Reply) -> ResolverRecord | None:
    """Return the object, or None when none of the databases knows the name.

    Raises
    ------
    NonsenseError
        The reply is no Sesame answer; or nothing was found and a database did not answer, so that nothing is known.
    """
    refuse_html(reply)
    try:
        # Expat limits the expansion of entities by itself from 2.4.1 on, and never fetches anything external.
        root = ET.fromstring(reply.content)  # noqa: S314 - see above
    except ET.ParseError:
        raise NonsenseError("with something that is no XML") from None
    if root.tag.rpartition("}")[2] != "Sesame":
        raise NonsenseError("with XML of another kind")
    answers = [
        _found(resolver, ra, dec)
        for resolver in root.iter("Resolver")
        if (ra := resolver.findtext("jradeg")) is not None and (dec := resolver.findtext("jdedeg")) is not None
    ]
    told = next((one for one in answers if one.confirmed), None)
    if told is None and root.find(".//ERROR") is not None:
        raise NonsenseError("without having reached its databases")
    return told or next(iter(answers), None)


def _found(resolver: ET.Element, ra: str, dec: str) -> ResolverRecord:
    ra_deg, dec_deg = position(ra, dec)
    name = designations.displayed(resolver.findtext("oname") or "")
    names = (name, *(designations.displayed(alias.text or "") for alias in resolver.iter("alias")))
    galaxy = Galaxy(
        ra_deg=ra_deg, dec_deg=dec_deg, name=name or None, pgc=leda_number("\n".join(names)), source="Sesame"
    )
    listed = resolver.get("name", "").upper().startswith("V")
    return ResolverRecord(galaxy, (resolver.findtext("otype") or "").strip(), confirmed=not listed, names=names)
