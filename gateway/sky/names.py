"""From what people call a galaxy, or where they say it is, to the galaxy.

Asked in order, and no further than needed:

- a name: the offline catalogues; Sesame; if Sesame can't be reached SIMBAD, then NED.
- a PGC number: the offline catalogues; HyperLEDA; if that can't be reached VizieR's copy of 2003; SIMBAD.
- a position: the offline catalogues; VizieR's copy of HyperLEDA; SIMBAD.

Sesame and NED give no sizes, so a galaxy they found is looked up once more, by its PGC number where it has one.
"Unknown" is said only when whoever must know was reached; otherwise the trouble is told.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway import errors
from gateway.domain import Deadline
from gateway.sky import designations, hyperleda, ned, sesame, simbad
from gateway.sky.catalogue import tolerance_arcsec
from gateway.sky.found import nearest
from gateway.sky.offline import Offline
from gateway.sky.positions import parse_position

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from gateway.domain import Galaxy
    from gateway.sky.found import Found
    from gateway.sky.service import Service
    from gateway.sky.upstream import Upstream

    Step = Callable[[Deadline], Awaitable[Found | None]]

__all__ = ["NameServices", "Resolver", "parse_position"]

MAX_PGC = 10_000_000
"""HyperLEDA's numbers run to about six million."""

_WIDEST_ARCSEC = tolerance_arcsec(1e6)


@dataclass(frozen=True, slots=True)
class NameServices:
    """The services that know galaxies."""

    sesame: Service
    simbad: Service
    ned: Service
    hyperleda: Service
    vizier: Service


class Resolver:
    """Finds galaxies by name, PGC number or position.

    Parameters
    ----------
    upstream : Upstream
    services : NameServices
    catalogue : Path, optional
        The operator's own catalogue file.
    """

    def __init__(self, upstream: Upstream, services: NameServices, *, catalogue: Path | None = None) -> None:
        self._upstream = upstream
        self._services = services
        self._catalogue = catalogue
        self._offline: Offline | None = None
        self._loading = asyncio.Lock()

    async def offline(self) -> Offline:
        """Return the offline catalogues, loaded in a thread the first time.

        Raises
        ------
        gateway.sky.localfile.CatalogueFileError
        """
        async with self._loading:
            if self._offline is None:
                self._offline = await asyncio.to_thread(Offline.load, self._catalogue)
            return self._offline

    async def by_name(self, name: str, *, deadline: Deadline, sized: bool = True) -> Galaxy:
        """Return the galaxy called ``name``.

        Parameters
        ----------
        name : str
            A catalogue designation or common name, in any usual spelling.
        deadline : Deadline
        sized : bool
            Whether a further call is worth it when the size is not known yet.

        Raises
        ------
        gateway.errors.UnknownTarget
            404; ``suggestions`` are the likest names.
        gateway.errors.NotAGalaxy, gateway.errors.BadTarget
            422
        gateway.errors.UpstreamError, gateway.errors.DeadlineExceeded
        """
        name = designations.cleaned(name)
        pgc = designations.pgc_number(name)
        if pgc is not None:
            return await self.by_pgc(pgc, deadline=deadline)
        offline = await self.offline()
        known = offline.by_name(name)
        if known is not None:
            return known
        found, verdict = None, f"No object is known as {name}."
        try:
            found = await self._named(name, deadline)
        except errors.UnknownTarget as ambiguous:
            verdict = ambiguous.detail
        if found is None:
            suggestions = await asyncio.to_thread(offline.suggestions, name)
            raise errors.UnknownTarget(verdict, suggestions=suggestions)
        galaxy = found.checked(name)
        return galaxy if galaxy.d25_arcmin or not sized else await self._with_size(galaxy, deadline)

    async def by_pgc(self, pgc: int, *, deadline: Deadline) -> Galaxy:
        """Return the galaxy of a PGC number.

        Raises
        ------
        gateway.errors.UnknownTarget
            404
        gateway.errors.NotAGalaxy, gateway.errors.BadTarget
            422
        gateway.errors.UpstreamError, gateway.errors.DeadlineExceeded
        """
        if not 0 < pgc <= MAX_PGC:
            raise errors.BadTarget(f"PGC numbers are positive and at most {MAX_PGC}.")
        known = (await self.offline()).by_pgc(pgc)
        if known is not None:
            return known
        found = await self._numbered(pgc, deadline)
        if found is None:
            raise errors.UnknownTarget(f"No galaxy is known as PGC {pgc}.", suggestions=[])
        return found.checked(f"PGC {pgc}")

    async def at(self, ra_deg: float, dec_deg: float, *, deadline: Deadline) -> Galaxy | None:
        """Return the catalogued galaxy that a position means, or None.

        The centre of the galaxy lies within 5 arcsec of the position, or within 2 % of its diameter up to 60 arcsec.

        Parameters
        ----------
        ra_deg, dec_deg : float
            Degrees, J2000.

        Raises
        ------
        gateway.errors.UpstreamError, gateway.errors.DeadlineExceeded
            Whether there is one could not be found out.
        """
        known = await self.near(ra_deg, dec_deg)
        if known is not None:
            return known

        async def vizier(share: Deadline) -> Found | None:
            tail = hyperleda.tap_around(ra_deg, dec_deg, _WIDEST_ARCSEC)
            found = await self._upstream.get(self._services.vizier, tail, hyperleda.parse_tap, deadline=share)
            return nearest(found, ra_deg, dec_deg)

        async def simbad_(share: Deadline) -> Found | None:
            tail = simbad.around(ra_deg, dec_deg, _WIDEST_ARCSEC)
            found = await self._upstream.get(self._services.simbad, tail, simbad.parse, deadline=share)
            return nearest(found, ra_deg, dec_deg)

        found, trouble = await self._first([vizier, simbad_], deadline)
        if found is None and trouble is not None:
            raise trouble
        return found.galaxy if found else None

    async def near(self, ra_deg: float, dec_deg: float) -> Galaxy | None:
        """Return what the offline catalogues know at a position: :meth:`at` without a network."""
        return (await self.offline()).near(ra_deg, dec_deg)

    async def _named(self, name: str, deadline: Deadline) -> Found | None:
        def by_sesame(share: Deadline) -> Awaitable[Found | None]:
            return self._upstream.get(self._services.sesame, sesame.by_name(name), sesame.parse, deadline=share)

        def by_ned(share: Deadline) -> Awaitable[Found | None]:
            return self._upstream.get(self._services.ned, ned.by_name(name), ned.parse, deadline=share)

        found, trouble = await self._first([by_sesame], deadline)
        if trouble is None:
            return found
        found, more = await self._first([self._simbad_step(name), by_ned], deadline)
        if found is None and more is not None:
            raise trouble
        return found

    async def _numbered(self, pgc: int, deadline: Deadline) -> Found | None:
        def by_sql(share: Deadline) -> Awaitable[Found | None]:
            tail = hyperleda.sql_by_pgc(pgc)
            return self._upstream.get(self._services.hyperleda, tail, hyperleda.parse_sql, deadline=share)

        async def by_vizier(share: Deadline) -> Found | None:
            tail = hyperleda.tap_by_pgc(pgc)
            rows = await self._upstream.get(self._services.vizier, tail, hyperleda.parse_tap, deadline=share)
            return rows[0] if rows else None

        found, trouble = await self._first([by_sql], deadline)
        if found is None:
            copies = [by_vizier] if trouble else []
            found, _ = await self._first([*copies, self._simbad_step(f"LEDA {pgc}")], deadline)
        # Neither the old copy nor SIMBAD lists every number, so that their silence proves nothing.
        if found is None and trouble is not None:
            raise trouble
        return found

    def _simbad_step(self, name: str) -> Step:
        async def ask(share: Deadline) -> Found | None:
            rows = await self._upstream.get(self._services.simbad, simbad.by_name(name), simbad.parse, deadline=share)
            return rows[0] if rows else None

        return ask

    async def _with_size(self, galaxy: Galaxy, deadline: Deadline) -> Galaxy:
        if galaxy.pgc is not None:
            sized: Galaxy | None = (await self.offline()).by_pgc(galaxy.pgc)
            if sized is None:
                numbered = await self._numbered(galaxy.pgc, deadline)
                sized = numbered.galaxy if numbered else None
        elif galaxy.source == "SIMBAD" or galaxy.name is None:
            return galaxy
        else:
            described, trouble = await self._first([self._simbad_step(galaxy.name)], deadline)
            if trouble is not None:
                raise trouble
            sized = described.galaxy if described else None
        return replace(sized, name=galaxy.name or sized.name) if sized else galaxy

    @staticmethod
    async def _first(steps: list[Step], deadline: Deadline) -> tuple[Found | None, errors.InclinetError | None]:
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
