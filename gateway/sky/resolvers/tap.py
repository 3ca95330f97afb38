"""The part of IVOA's Table Access Protocol that the gateway uses: one synchronous query, its answer as JSON.

TAP 1.1, https://www.ivoa.net/documents/TAP/20190927/. CDS's services write JSON as
``{"metadata": [{"name": …}, …], "data": [[…], …]}``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from gateway.sky.http.service import NonsenseError, Reply, refuse_html

if TYPE_CHECKING:
    from collections.abc import Mapping


def query(adql: str, *, most_rows: int | None = None) -> str:
    """Return the query string of a synchronous request, for GET, so that its answer can be cached.

    Parameters
    ----------
    adql : str
    most_rows : int, optional
        Value of ``MAXREC``; without it a service truncates the answer at its own limit.
    """
    limit = {} if most_rows is None else {"maxrec": most_rows}
    return "?" + urlencode({"request": "doQuery", "lang": "adql", "format": "json", **limit, "query": adql})


def point(ra_deg: float, dec_deg: float) -> str:
    """Return the ADQL of a position, degrees."""
    return f"POINT('ICRS', {ra_deg:.6f}, {dec_deg:.6f})"


def circle(ra_deg: float, dec_deg: float, radius_arcsec: float) -> str:
    """Return the ADQL of a circle about a position, degrees."""
    return f"CIRCLE('ICRS', {ra_deg:.6f}, {dec_deg:.6f}, {radius_arcsec / 3600:.6f})"


def rows(reply: Reply) -> list[Mapping[str, Any]]:
    """Return the rows of the answer, keyed by lower-case column name.

    Raises
    ------
    NonsenseError
        The reply is no such table.
    """
    refuse_html(reply)
    try:
        table = json.loads(reply.content)
        names = [str(column["name"]).lower() for column in table["metadata"]]
        return [dict(zip(names, row, strict=True)) for row in table["data"]]
    except (KeyError, TypeError, ValueError):
        raise NonsenseError("with a table that can't be read") from None
