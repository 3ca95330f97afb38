"""Calibrated single exposures of the Sloan Digital Sky Survey: found by SQL, fetched from the Science Archive Server.

*Finding.* SkyServer's ``SqlSearch`` (``…/dr<N>/SkyServerWS/SearchTools/SqlSearch?cmd=<SQL>&format=json``) answers a
list of tables, each ``{"TableName": …, "Rows": [{column: value}]}``. Its table ``Field`` has a row for each exposure of
each camera column, with ``run``, ``rerun``, ``camcol``, ``field`` and its centre ``ra``, ``dec`` (degrees). SkyServer
lets a client send sixty queries a minute.

*Fetching.* ``…/photoObj/frames/<rerun>/<run>/<camcol>/frame-<band>-<run6>-<camcol>-<field4>.fits.bz2``: 2048 x 1489
pixels of 0.396 arcsec, sky-subtracted, in nanomaggies a pixel, with a tangent-plane WCS
(https://data.sdss.org/datamodel/files/BOSS_PHOTOOBJ/frames/RERUN/RUN/CAMCOL/frame.html).
"""

from __future__ import annotations

import bz2
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from gateway.sky.http.service import NonsenseError, Reply, Service, refuse_html
from gateway.sky.positions import separation_arcsec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from gateway.core.models import Deadline
    from gateway.sky.http.client import HttpClient

BANDS = ("g", "r", "i")
PIXEL_ARCSEC = 0.396
_WIDTH_ARCMIN, _HEIGHT_ARCMIN = 2048 * PIXEL_ARCSEC / 60, 1489 * PIXEL_ARCSEC / 60
_REACH_ARCMIN = math.hypot(_WIDTH_ARCMIN, _HEIGHT_ARCMIN) / 2
"""Largest distance from its centre at which an exposure shows something, arcmin."""

_MOST_ROWS = 2000


@dataclass(frozen=True, slots=True, order=True)
class Exposure:
    """One exposure of one camera column, in all bands; its centre in degrees, J2000."""

    run: int
    rerun: int
    camcol: int
    field: int
    ra_deg: float
    dec_deg: float

    def path(self, band: str) -> str:
        """Return the path of a band's frame in the archive."""
        return f"/{self.rerun}/{self.run}/{self.camcol}/{self.name(band)}"

    def name(self, band: str) -> str:
        """Return the name of a band's file."""
        return f"frame-{band}-{self.run:06d}-{self.camcol}-{self.field:04d}.fits.bz2"

    def apart_arcmin(self, ra_deg: float, dec_deg: float) -> float:
        """Return the distance of the centre from a position, arcmin."""
        return separation_arcsec(ra_deg, dec_deg, self.ra_deg, self.dec_deg) / 60


class Archive:
    """Finds and fetches exposures.

    Parameters
    ----------
    upstream : HttpClient
    search : Service
        SkyServer's SQL service; its URLs end in ``SqlSearch``.
    frames : Service
        Science Archive Server; its URLs end in ``frames``.
    executor : Executor
        Runs the check of the frames: decompressing one takes a second.
    """

    def __init__(self, upstream: HttpClient, search: Service, frames: Service, executor: Executor) -> None:
        self._upstream = upstream
        self._search = search
        self._frames = frames
        self._executor = executor

    async def exposures(
        self, ra_deg: float, dec_deg: float, fov_arcmin: float, *, deadline: Deadline
    ) -> tuple[Exposure, ...]:
        """Return the exposures that may show a part of a square field, the nearest first.

        Raises
        ------
        gateway.core.errors.UpstreamError
        """
        reach = fov_arcmin / math.sqrt(2) + _REACH_ARCMIN
        tail = "?" + urlencode({"cmd": _query(ra_deg, dec_deg, reach / 60), "format": "json"})
        found = await self._upstream.get(self._search, tail, _exposures, deadline=deadline)
        near = [one for one in found if one.apart_arcmin(ra_deg, dec_deg) <= reach]
        return tuple(sorted(near, key=lambda one: (one.apart_arcmin(ra_deg, dec_deg), one)))

    async def frame(self, exposure: Exposure, band: str, *, deadline: Deadline) -> bytes:
        """Return a frame as the archive stores it, a whole ``.fits.bz2``.

        Raises
        ------
        gateway.core.errors.UpstreamError
        """
        return await self._upstream.get(
            self._frames, exposure.path(band), _frame, deadline=deadline, executor=self._executor
        )


def chosen(exposures: Sequence[Exposure], *, runs: int) -> tuple[Exposure, ...]:
    """Return the exposures of the nearest runs: a run covers a position once, so that more runs go deeper.

    Parameters
    ----------
    exposures : sequence of Exposure
        Exposures, the nearest first.
    runs : int
        Most runs; the equator was observed a hundred times.
    """
    kept: list[int] = []
    for one in exposures:
        if one.run not in kept and len(kept) < runs:
            kept.append(one.run)
    return tuple(one for one in exposures if one.run in kept)


def _query(ra_deg: float, dec_deg: float, reach_deg: float) -> str:
    low, high = dec_deg - reach_deg, dec_deg + reach_deg
    where = [f"dec BETWEEN {low:.5f} AND {high:.5f}"]
    furthest = max(abs(low), abs(high))
    wide = reach_deg / math.cos(math.radians(furthest)) if furthest < 89 else 180.0  # close to a pole
    if wide < 180:
        west, east = (ra_deg - wide) % 360, (ra_deg + wide) % 360
        if west < east:
            where.append(f"ra BETWEEN {west:.5f} AND {east:.5f}")
        else:
            where.append(f"(ra >= {west:.5f} OR ra <= {east:.5f})")
    condition = " AND ".join(where)
    return f"SELECT TOP {_MOST_ROWS} run, rerun, camcol, field, ra, dec FROM Field WHERE {condition}"  # noqa: S608 - numbers


def _exposures(reply: Reply) -> list[Exposure]:
    refuse_html(reply)
    try:
        tables = json.loads(reply.content)
        rows: list[dict[str, Any]] = next(table["Rows"] for table in tables if "Rows" in table)
        return sorted(
            {
                Exposure(
                    int(row["run"]),
                    int(row["rerun"]),
                    int(row["camcol"]),
                    int(row["field"]),
                    float(row["ra"]),
                    float(row["dec"]),
                )
                for row in rows
            }
        )
    except (ValueError, KeyError, TypeError, StopIteration, UnicodeDecodeError):
        raise NonsenseError("with something that is no table of exposures") from None


def _frame(reply: Reply) -> bytes:
    refuse_html(reply)
    try:
        begins = bz2.decompress(reply.content)[:6]
    except (OSError, ValueError, EOFError):
        raise NonsenseError("with a file that is damaged or truncated") from None
    if begins != b"SIMPLE":
        raise NonsenseError("with a file that is no FITS image")
    return reply.content
