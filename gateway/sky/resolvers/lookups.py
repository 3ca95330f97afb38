"""The questions that the services of names are asked, each service as the next step when the one before fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.core import errors
from gateway.core.models import Deadline
from gateway.sky.catalogues.catalogue import tolerance_arcsec
from gateway.sky.resolvers import hyperleda, ned, sesame, simbad
from gateway.sky.resolvers.record import nearest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.sky.http.client import HttpClient
    from gateway.sky.http.service import Service
    from gateway.sky.resolvers.record import Found

    Step = Callable[[Deadline], Awaitable[Found | None]]
    Told = tuple[Found | None, errors.InclinetError | None]

_WIDEST_ARCSEC = tolerance_arcsec(1e6)


@dataclass(frozen=True, slots=True)
class NameServices:
    """The services that know galaxies."""

    sesame: Service
    simbad: Service
    ned: Service
    hyperleda: Service
    vizier: Service


class Lookups:
    """Asks the services for objects.

    Every method returns what was found, or None, and the first trouble met on the way: a service that could not be
    reached may have known more.

    Parameters
    ----------
    upstream : HttpClient
    services : NameServices
    """

    def __init__(self, upstream: HttpClient, services: NameServices) -> None:
        self._upstream = upstream
        self._services = services

    async def in_sesame(self, name: str, deadline: Deadline) -> Told:
        """Ask Sesame for a name."""

        def ask(share: Deadline) -> Awaitable[Found | None]:
            return self._upstream.get(self._services.sesame, sesame.by_name(name), sesame.parse, deadline=share)

        return await _first([ask], deadline)

    async def in_simbad(self, name: str, deadline: Deadline) -> Told:
        """Ask SIMBAD for a name."""
        return await _first([self._simbad_step(name)], deadline)

    async def in_simbad_or_ned(self, name: str, deadline: Deadline) -> Told:
        """Ask SIMBAD for a name, then NED."""

        def ask_ned(share: Deadline) -> Awaitable[Found | None]:
            return self._upstream.get(self._services.ned, ned.by_name(name), ned.parse, deadline=share)

        return await _first([self._simbad_step(name), ask_ned], deadline)

    async def numbered(self, pgc: int, deadline: Deadline) -> Told:
        """Ask HyperLEDA for a PGC number; when it can't be reached its copy at VizieR; then SIMBAD.

        Neither the old copy nor SIMBAD lists every number, so that their silence proves nothing.
        """

        def by_sql(share: Deadline) -> Awaitable[Found | None]:
            tail = hyperleda.sql_by_pgc(pgc)
            return self._upstream.get(self._services.hyperleda, tail, hyperleda.parse_sql, deadline=share)

        async def by_vizier(share: Deadline) -> Found | None:
            tail = hyperleda.tap_by_pgc(pgc)
            rows = await self._upstream.get(self._services.vizier, tail, hyperleda.parse_tap, deadline=share)
            return rows[0] if rows else None

        found, trouble = await _first([by_sql], deadline)
        if found is None:
            copies = [by_vizier] if trouble else []
            found, _ = await _first([*copies, self._simbad_step(f"LEDA {pgc}")], deadline)
        return found, trouble

    async def at(self, ra_deg: float, dec_deg: float, deadline: Deadline) -> Told:
        """Ask VizieR's copy of HyperLEDA, then SIMBAD, for the galaxy that a position (deg) means."""

        async def vizier(share: Deadline) -> Found | None:
            tail = hyperleda.tap_around(ra_deg, dec_deg, _WIDEST_ARCSEC)
            found = await self._upstream.get(self._services.vizier, tail, hyperleda.parse_tap, deadline=share)
            return nearest(found, ra_deg, dec_deg)

        async def simbad_(share: Deadline) -> Found | None:
            tail = simbad.around(ra_deg, dec_deg, _WIDEST_ARCSEC)
            found = await self._upstream.get(self._services.simbad, tail, simbad.parse, deadline=share)
            return nearest(found, ra_deg, dec_deg)

        return await _first([vizier, simbad_], deadline)

    def _simbad_step(self, name: str) -> Step:
        async def ask(share: Deadline) -> Found | None:
            rows = await self._upstream.get(self._services.simbad, simbad.by_name(name), simbad.parse, deadline=share)
            return rows[0] if rows else None

        return ask


async def _first(steps: list[Step], deadline: Deadline) -> Told:
    """Return what the first step that knows says, and the first trouble met on the way."""
    trouble: errors.InclinetError | None = None
    for step in steps:
        # Half of what is left, so that a service that hangs leaves time to ask another.
        share = Deadline.after(deadline.remaining_s() / 2)
        try:
            found = await step(share)
        except (errors.UpstreamError, errors.Busy, errors.DeadlineExceeded) as error:
            trouble = trouble or error
            continue
        if found is not None:
            return found, trouble
    return None, trouble
