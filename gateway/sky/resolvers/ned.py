"""NED's ObjectLookup service.

Documentation: https://ned.ipac.caltech.edu/Documents/Guides/Interface/ObjectLookup. The query is ``?name=<name>``; the
answer is JSON whose ``ResultCode`` says 0 (not a name that can be read), 1 (ambiguous), 2 (a proper name, not in NED)
or 3 (found, described under ``Preferred``). NED gives no diameters this way.
"""

from __future__ import annotations

import json
from urllib.parse import urlencode

from gateway.core import errors
from gateway.core.models import Galaxy
from gateway.sky.catalogues import designations
from gateway.sky.http.service import NonsenseError, Reply, refuse_html
from gateway.sky.resolvers.record import ResolverRecord, position

_UNREADABLE, _AMBIGUOUS, _UNKNOWN, _FOUND = range(4)


def by_name(name: str) -> str:
    """Return the query that resolves ``name``."""
    return "?" + urlencode({"name": name})


def parse(reply: Reply) -> ResolverRecord | None:
    """Return the object, or None when NED does not know the name.

    Raises
    ------
    gateway.core.errors.UnknownTarget
        The name is ambiguous.
    NonsenseError
    """
    refuse_html(reply)
    try:
        answer = json.loads(reply.content)
        code = int(answer["ResultCode"])
    except (KeyError, TypeError, ValueError):
        raise NonsenseError("with something that is no lookup result") from None
    if code in {_UNREADABLE, _UNKNOWN}:
        return None
    if code == _AMBIGUOUS:
        raise errors.UnknownTarget("NED finds the name ambiguous.", suggestions=[])
    if code != _FOUND:
        raise NonsenseError(f"with the unknown result code {code}")
    try:
        preferred = answer["Preferred"]
        ra_deg, dec_deg = position(preferred["Position"]["RA"], preferred["Position"]["Dec"])
        name, kind = designations.displayed(str(preferred["Name"])), (preferred.get("ObjType") or {}).get("Value")
    except (KeyError, TypeError, AttributeError):
        raise NonsenseError("with an incomplete lookup result") from None
    galaxy = Galaxy(ra_deg=ra_deg, dec_deg=dec_deg, name=name, source="NED")
    return ResolverRecord(galaxy, str(kind or "").strip(), names=(name,))
