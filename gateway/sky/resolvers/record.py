"""A service's description of one object, before it is known to be a galaxy."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.core import errors
from gateway.core.numbers import number
from gateway.sky.catalogues import composite_names, object_types
from gateway.sky.catalogues.match import tolerance_arcsec
from gateway.sky.http.service import NonsenseError
from gateway.sky.positions import parse_position, separation_arcsec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.core.models import Galaxy

_LEDA = re.compile(r"\b(?:LEDA|PGC)\s*0*(\d+)\b")


@dataclass(frozen=True, slots=True)
class ResolverRecord:
    """An object as a service describes it.

    Attributes
    ----------
    galaxy : Galaxy
        The object as a galaxy, if it is one.
    kind : str
        The service's code of its type; empty when it gives none.
    confirmed : bool
        Whether the source is a database of objects, not a mere list of names and positions.
    names : tuple of str
        All names that the service gives.
    """

    galaxy: Galaxy
    kind: str = ""
    confirmed: bool = True
    names: tuple[str, ...] = ()

    @property
    def is_several(self) -> bool:
        """Whether the service's type means several objects."""
        return object_types.several(self.kind) is not None

    def checked(self, asked: str, *, members: Sequence[str] = ()) -> Galaxy:
        """Return the galaxy, with a warning where no source confirms that it is one.

        Parameters
        ----------
        asked : str
            Name, number or position in the question.
        members : sequence of str
            Names of the members, for the error when the object is several.

        Raises
        ------
        gateway.core.errors.UnknownTarget
            The service's type means several galaxies, or that there is no object.
        gateway.core.errors.NotAGalaxy
            The service's type is something else. No type, or one that only names the waveband, decides nothing.
        """
        kind, source = self.kind, self.galaxy.source
        if object_types.is_undecided(kind):
            said = f"only as {kind!r}" if kind else "without a type"
            warning = f"{source} lists {asked} {said}: check that a galaxy is there."
            return replace(self.galaxy, warnings=(*self.galaxy.warnings, warning))
        if object_types.is_galaxy(kind):
            return self.galaxy
        what = object_types.several(kind)
        if what is not None:
            raise composite_names.refusal(asked, members, what=what)
        if kind.upper() == "ERR":
            raise errors.UnknownTarget(f"{asked} is no object: {source} files it as an error.", suggestions=[])
        raise errors.NotAGalaxy(f"{asked} is not a galaxy: {source} files it as {kind!r}.", object=self.galaxy.name)


def nearest(records: list[ResolverRecord], ra_deg: float, dec_deg: float) -> ResolverRecord | None:
    """Return the galaxy that a position in degrees means; objects of other kinds are left out."""
    best: tuple[float, ResolverRecord] | None = None
    for one in records:
        galaxy = one.galaxy
        apart = separation_arcsec(ra_deg, dec_deg, galaxy.ra_deg, galaxy.dec_deg)
        meant = object_types.is_galaxy(one.kind) and apart <= tolerance_arcsec(galaxy.d25_arcmin)
        if meant and (best is None or apart < best[0]):
            best = (apart, one)
    return best[1] if best else None


def leda_number(identifiers: str) -> int | None:
    """Return the PGC number among identifiers such as ``LEDA    2557``."""
    match = _LEDA.search(identifiers)
    return int(match[1]) if match else None


def numeric(cell: object) -> float | None:
    """Return a finite number from a cell of a table; None for an empty or masked one."""
    return number(str(cell))


def position(ra: object, dec: object) -> tuple[float, float]:
    """Return a position that a service gave, in degrees: read from degrees, or sexagesimal as in old VizieR catalogues.

    Raises
    ------
    NonsenseError
        The cells hold no position.
    """
    try:
        return parse_position(str(ra), str(dec))
    except errors.BadTarget:
        raise NonsenseError("with an impossible position") from None
