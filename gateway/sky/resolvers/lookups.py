"""Queries to the services, each with further services to ask when one fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gateway.core import errors
from gateway.core.models import Deadline
from gateway.sky.catalogues.match import WIDEST_ARCSEC
from gateway.sky.http.service import UNANSWERED, Reply, Service
from gateway.sky.resolvers import hyperleda, ned, sesame, simbad
from gateway.sky.resolvers.record import ResolverRecord, nearest

if TYPE_CHECKING:
    from gateway.sky.http.client import HttpClient

Query = tuple[Service, str, Callable[[Reply], ResolverRecord | None]]
"""A service, the part of the address after its URL, and the parser of its reply."""

LookupResult = tuple[ResolverRecord | None, errors.GatewayError | None]
"""The record, or None, and the first error on the way: a service that did not answer may have known more."""


@dataclass(frozen=True, slots=True)
class NameServices:
    """The services that know galaxies."""

    sesame: Service
    simbad: Service
    ned: Service
    hyperleda: Service
    vizier: Service


class Lookups:
    """Sends queries for objects to the services.

    A method that returns None found no object in any service; if an error leaves this open, it is raised.

    Parameters
    ----------
    client : HttpClient
    services : NameServices
    """

    def __init__(self, client: HttpClient, services: NameServices) -> None:
        self._client = client
        self._services = services

    async def in_sesame(self, name: str, deadline: Deadline) -> LookupResult:
        """Query Sesame for a name."""
        return await self._first([(self._services.sesame, sesame.by_name(name), sesame.parse)], deadline)

    async def in_simbad(self, name: str, deadline: Deadline) -> ResolverRecord | None:
        """Query SIMBAD for a name."""
        return _settled(*await self._first([self._of_simbad(name)], deadline))

    async def in_simbad_or_ned(self, name: str, deadline: Deadline) -> LookupResult:
        """Query SIMBAD for a name, then NED."""
        return await self._first([self._of_simbad(name), (self._services.ned, ned.by_name(name), ned.parse)], deadline)

    async def numbered(self, pgc: int, deadline: Deadline) -> ResolverRecord | None:
        """Query HyperLEDA for a PGC number; when it can't be reached its copy at VizieR; then SIMBAD.

        Neither the old copy nor SIMBAD lists every number, so that an empty answer of theirs proves nothing.
        """
        found, trouble = await self._first(
            [(self._services.hyperleda, hyperleda.sql_by_pgc(pgc), hyperleda.parse_sql)], deadline
        )
        if found is None:
            copy = (self._services.vizier, hyperleda.tap_by_pgc(pgc), partial(_one_of, hyperleda.parse_tap))
            found, _ = await self._first([*([copy] if trouble else []), self._of_simbad(f"LEDA {pgc}")], deadline)
        return _settled(found, trouble)

    async def at(self, ra_deg: float, dec_deg: float, deadline: Deadline) -> ResolverRecord | None:
        """Query VizieR's copy of HyperLEDA, then SIMBAD, for the galaxy that a position (deg) means."""

        def nearest_in(parse: Callable[[Reply], list[ResolverRecord]], reply: Reply) -> ResolverRecord | None:
            return nearest(parse(reply), ra_deg, dec_deg)

        place = (ra_deg, dec_deg, WIDEST_ARCSEC)
        vizier = (self._services.vizier, hyperleda.tap_around(*place), partial(nearest_in, hyperleda.parse_tap))
        of_simbad = (self._services.simbad, simbad.around(*place), partial(nearest_in, simbad.parse))
        return _settled(*await self._first([vizier, of_simbad], deadline))

    def _of_simbad(self, name: str) -> Query:
        return self._services.simbad, simbad.by_name(name), partial(_one_of, simbad.parse)

    async def _first(self, queries: list[Query], deadline: Deadline) -> LookupResult:
        trouble: errors.GatewayError | None = None
        for service, tail, parse in queries:
            # Half of the remaining time, so that a service that hangs leaves time for another.
            share = Deadline.after(deadline.remaining_s() / 2)
            try:
                found = await self._client.get(service, tail, parse, deadline=share)
            except UNANSWERED as error:
                trouble = trouble or error
                continue
            if found is not None:
                return found, trouble
        return None, trouble


def _settled(found: ResolverRecord | None, trouble: errors.GatewayError | None) -> ResolverRecord | None:
    if found is None and trouble is not None:
        raise trouble
    return found


def _one_of(parse: Callable[[Reply], list[ResolverRecord]], reply: Reply) -> ResolverRecord | None:
    return next(iter(parse(reply)), None)
