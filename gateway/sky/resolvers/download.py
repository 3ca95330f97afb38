"""Downloads HyperLEDA's catalogue of 2003 (VizieR VII/237) to a file for :mod:`..catalogues.operator_file`."""

from __future__ import annotations

import asyncio
import csv
import math
from functools import partial
from typing import TYPE_CHECKING

from gateway.core.files import written_whole
from gateway.core.models import Deadline
from gateway.sky.catalogues import object_types
from gateway.sky.http.client import HttpClient
from gateway.sky.http.service import NonsenseError, Reply, Service
from gateway.sky.resolvers import hyperleda, tap
from gateway.sky.resolvers.record import numeric, position

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_HEAD = ("pgc", "ra", "dec", "diameter", "minorDiameter", "anglePA")
_PAGE_S = 300.0

Row = tuple[object, ...]


async def download(
    path: Path,
    *,
    urls: tuple[str, ...],
    min_d25_arcmin: float = 0.3,
    contact: str = "",
    page_rows: int = 50_000,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write the galaxies of VII/237 to ``path`` as CSV, replacing it when all have arrived.

    Parameters
    ----------
    path : Path
        Path of the file; ends in ``.csv``.
    urls : tuple of str
        Mirrors of VizieR's TAP service (:attr:`gateway.sky.SkySettings.vizier_urls`).
    min_d25_arcmin : float
        Least diameter; smaller galaxies are too small for a network. The whole catalogue has 983,261 galaxies.
    contact : str
        Mail address or URL, for ``User-Agent``.
    page_rows : int
        Rows per request.
    progress : callable, optional
        Called with the number of galaxies so far, after every page.

    Returns
    -------
    int
        Number of galaxies written.

    Raises
    ------
    ValueError
        ``path`` does not end in ``.csv``.
    gateway.core.errors.UpstreamError
    """
    if path.suffix.lower() != ".csv":
        raise ValueError("The catalogue is written as CSV: the file's name must end in .csv.")
    service = Service("VizieR", urls, concurrency=1, timeout_s=_PAGE_S, max_bytes=64_000_000)
    client = HttpClient(contact=contact)
    written, last = 0, 0
    try:
        with written_whole(path) as being_written, being_written.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(_HEAD)
            while True:
                tail = _page(last, min_d25_arcmin, page_rows)
                rows = await client.get(service, tail, partial(_rows, last), deadline=Deadline.after(2 * _PAGE_S))
                # A service may shorten a page, so only an empty page is the end.
                if not rows:
                    break
                single = [row for row in rows if len(row) == len(_HEAD)]
                await asyncio.to_thread(table.writerows, single)
                written += len(single)
                if progress is not None:
                    progress(written)
                last = int(str(rows[-1][0]))
    finally:
        await client.aclose()
    return written


def _page(last: int, min_d25_arcmin: float, rows: int) -> str:
    least = math.log10(max(min_d25_arcmin, 1e-3) * 10)
    return tap.query(
        f"SELECT TOP {rows} {hyperleda.COLUMNS} FROM {hyperleda.TABLE}"  # noqa: S608 - numbers and constants
        f" WHERE PGC > {last} AND logD25 >= {least:.4f} AND logD25 < 9 ORDER BY PGC",
        most_rows=rows,
    )


def _rows(last: int, reply: Reply) -> list[Row]:
    """Return one page, only the number of multiple systems; numbers must rise, or paging would loop or skip."""
    rows: list[Row] = []
    for row in tap.rows(reply):
        pgc = numeric(row.get("pgc"))
        if pgc is None or pgc <= last:
            raise NonsenseError("with galaxies out of order")
        last = int(pgc)
        if object_types.of_hyperleda(str(row.get("otype") or "G")) != "G":
            rows.append((last,))
            continue
        ra_deg, dec_deg = position(row.get("raj2000"), row.get("dej2000"))
        logs = numeric(row.get("logd25")), numeric(row.get("logr25"))
        d25, ratio, angle = hyperleda.axes(*logs, numeric(row.get("pa")))
        minor = round(d25 * ratio, 3) if d25 and ratio else ""
        rows.append((last, f"{ra_deg:.6f}", f"{dec_deg:.6f}", d25 or "", minor, "" if angle is None else angle))
    return rows
