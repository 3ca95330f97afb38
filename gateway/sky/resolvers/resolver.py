"""Resolves a galaxy's name, PGC number or position to the galaxy.

Sources are asked in this order, and no further than needed:

- a name: the offline catalogues; Sesame; if Sesame can't be reached SIMBAD, then NED.
- a PGC number: the offline catalogues; HyperLEDA; if that can't be reached VizieR's copy of 2003; SIMBAD.
- a position: the offline catalogues; VizieR's copy of HyperLEDA; SIMBAD.

Sesame and NED give no sizes, and SIMBAD's may be infrared, so a galaxy found there is completed from the offline
catalogues, or else looked up once more, by its PGC number where it has one. A name that VizieR alone lists, without a
type, is a galaxy only when another source confirms it. The answer "unknown" is given only when the decisive source was
reached; otherwise its error is raised.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.core import errors
from gateway.sky.catalogues import composite_names, designations, object_types
from gateway.sky.catalogues.match import joined
from gateway.sky.catalogues.offline import OfflineCatalogues
from gateway.sky.http.service import UNANSWERED
from gateway.sky.positions import separation_arcsec
from gateway.sky.resolvers.lookups import Lookups, NameServices
from gateway.sky.resolvers.record import ResolverRecord

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.core.models import Deadline, Galaxy
    from gateway.sky.http.client import HttpClient

MAX_PGC = 10_000_000
"""Largest PGC number; HyperLEDA's numbers run to about six million."""

_MEASURED = {"HyperLEDA", "OpenNGC", "SIMBAD"}
"""Sources whose sizes are D25 without conversion."""

_LISTED_ARCSEC = 120.0
"""Largest error of VizieR's positions of names, arcsec."""

_GROUP_ARCMIN = 3.0
"""Radius around a pair or group within which its galaxies are searched, arcmin."""


class Resolver:
    """Finds galaxies by name, PGC number or position.

    Parameters
    ----------
    client : HttpClient
    services : NameServices
    catalogue : Path, optional
        The operator's own catalogue file.
    """

    def __init__(self, client: HttpClient, services: NameServices, *, catalogue: Path | None = None) -> None:
        self._lookups = Lookups(client, services)
        self._catalogue = catalogue
        self._offline: OfflineCatalogues | None = None
        self._loading = asyncio.Lock()

    async def offline(self) -> OfflineCatalogues:
        """Return the offline catalogues, loaded in a thread the first time.

        Raises
        ------
        gateway.sky.catalogues.operator_file.CatalogueFileError
        """
        async with self._loading:
            if self._offline is None:
                self._offline = await asyncio.to_thread(OfflineCatalogues.load, self._catalogue)
            return self._offline

    async def by_name(self, name: str, *, deadline: Deadline, sized: bool = True) -> Galaxy:
        """Return the galaxy with the name ``name``.

        Parameters
        ----------
        name : str
            A catalogue designation or common name, in any usual spelling.
        deadline : Deadline
        sized : bool
            Whether a further call is allowed when the size is not known yet.

        Raises
        ------
        gateway.core.errors.UnknownTarget
            404; ``suggestions`` are the most similar names.
        gateway.core.errors.NotAGalaxy, gateway.core.errors.BadTarget
            422
        gateway.core.errors.UpstreamError, gateway.core.errors.DeadlineExceeded
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
        mistaken = composite_names.another_number(name, found.names)
        if mistaken:
            detail = f"No object is known as {name}: {found.galaxy.source} answers with {mistaken}."
            raise errors.UnknownTarget(detail, suggestions=[mistaken])
        return await self._completed(self._checked(found, name), name, deadline, sized=sized)

    async def by_pgc(self, pgc: int, *, deadline: Deadline) -> Galaxy:
        """Return the galaxy of a PGC number.

        Raises
        ------
        gateway.core.errors.UnknownTarget
            404
        gateway.core.errors.NotAGalaxy, gateway.core.errors.BadTarget
            422
        gateway.core.errors.UpstreamError, gateway.core.errors.DeadlineExceeded
        """
        if not 0 < pgc <= MAX_PGC:
            raise errors.BadTarget(f"PGC numbers are positive and at most {MAX_PGC}.")
        known = (await self.offline()).by_pgc(pgc)
        if known is not None:
            return known
        found = await self._lookups.numbered(pgc, deadline)
        if found is None:
            raise errors.UnknownTarget(f"No galaxy is known as PGC {pgc}.", suggestions=[])
        return await self._completed(self._checked(found, f"PGC {pgc}"), f"PGC {pgc}", deadline)

    async def at(self, ra_deg: float, dec_deg: float, *, deadline: Deadline) -> Galaxy | None:
        """Return the catalogued galaxy that a position means, or None.

        The centre of the galaxy lies within 5 arcsec of the position, or within 2 % of its diameter up to 60 arcsec.

        Parameters
        ----------
        ra_deg, dec_deg : float
            Degrees, J2000.

        Raises
        ------
        gateway.core.errors.UpstreamError, gateway.core.errors.DeadlineExceeded
            The services did not answer, so that it is open whether there is one.
        """
        known = await self.near(ra_deg, dec_deg)
        if known is not None:
            return known
        found = await self._lookups.at(ra_deg, dec_deg, deadline)
        if found is None:
            return None
        called = found.galaxy.name or "the galaxy there"
        return await self._completed(self._checked(found, called), called, deadline)

    async def near(self, ra_deg: float, dec_deg: float) -> Galaxy | None:
        """Return the offline catalogues' galaxy at a position: :meth:`at` without a network."""
        return (await self.offline()).near(ra_deg, dec_deg)

    async def known(self, *, name: str | None = None, pgc: int | None = None) -> Galaxy | None:
        """Return the offline catalogues' galaxy of a name or PGC number, without a network; None where they have none.

        A name that means several objects, or an object that is no galaxy, gives None.
        """
        offline = await self.offline()
        return offline.known(name or f"PGC {pgc}")

    async def _named(self, name: str, deadline: Deadline) -> ResolverRecord | None:
        found, trouble = await self._lookups.in_sesame(name, deadline)
        if trouble is None and (found is None or found.confirmed):
            return found
        listed = found.galaxy if found else None
        if listed is not None:
            known = self._listed(listed, await self.offline())
            if known is not None:
                return ResolverRecord(known, "G")
        found, more = await self._lookups.in_simbad_or_ned(name, deadline)
        if found is None and more is not None:
            raise trouble or more
        if found is None and listed is not None:
            place = f"ra {listed.ra_deg:.4f}, dec {listed.dec_deg:+.4f} deg"
            raise errors.UnknownTarget(
                f"VizieR lists {name} near {place} without saying what it is, and nobody else knows it: "
                "ask by a position that you trust."
            )
        return found

    @staticmethod
    def _listed(listed: Galaxy, offline: OfflineCatalogues) -> Galaxy | None:
        """Return the offline catalogues' galaxy of the same name, if it lies near the position that VizieR lists."""
        known = offline.known(listed.name or "")
        if known is None:
            return None
        apart = separation_arcsec(known.ra_deg, known.dec_deg, listed.ra_deg, listed.dec_deg)
        return known if apart <= _LISTED_ARCSEC + 30 * (known.d25_arcmin or 0) else None

    def _checked(self, found: ResolverRecord, asked: str) -> Galaxy:
        """Return the galaxy; for a pair or group, raise an error that names the galaxies around its position."""
        members: list[str] = []
        if found.is_several and self._offline is not None:
            place = found.galaxy
            members = self._offline.around(place.ra_deg, place.dec_deg, _GROUP_ARCMIN)
            members = members[:2] if object_types.is_pair(found.kind) else members
        return found.checked(asked, members=members if len(members) > 1 else ())

    async def _completed(self, galaxy: Galaxy, asked: str, deadline: Deadline, *, sized: bool = True) -> Galaxy:
        """Return a service's galaxy completed by other sources, the offline catalogues first."""
        known = (await self.offline()).same(galaxy)
        if known is not None:
            galaxy = _described(galaxy, known)
        if not sized or (galaxy.d25_arcmin and galaxy.size_source in _MEASURED):
            return galaxy
        try:
            found = await self._elsewhere(galaxy, deadline)
        except UNANSWERED:
            # An enlarged size with its warning is enough, where there is one.
            if galaxy.d25_arcmin:
                return galaxy
            raise
        return _described(galaxy, self._checked(found, asked)) if found else galaxy

    async def _elsewhere(self, galaxy: Galaxy, deadline: Deadline) -> ResolverRecord | None:
        """Return HyperLEDA's record of a galaxy's number, or SIMBAD's of its name, unless it was the source already."""
        if galaxy.pgc is not None and galaxy.source != "HyperLEDA":
            return await self._lookups.numbered(galaxy.pgc, deadline)
        if galaxy.pgc is None and galaxy.source != "SIMBAD" and galaxy.name is not None:
            return await self._lookups.in_simbad(galaxy.name, deadline)
        return None


def _described(galaxy: Galaxy, known: Galaxy) -> Galaxy:
    """Return a galaxy with the values of a catalogue of galaxies, under the name that it was found by.

    The catalogue confirms that it is a galaxy and replaces an enlarged size, so that warnings about these are removed.
    """
    if known.d25_arcmin is not None or galaxy.d25_arcmin is None:
        galaxy = replace(galaxy, warnings=())
    return replace(joined(known, galaxy), name=galaxy.name or known.name)
