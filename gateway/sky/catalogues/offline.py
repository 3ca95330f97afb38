"""The offline catalogues as one: the operator's own file, if there is one, and OpenNGC."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler

from gateway.core import errors
from gateway.sky.catalogues import designations, openngc, operator_file
from gateway.sky.catalogues.catalogue import Catalogue, Columns
from gateway.sky.catalogues.composite_names import another_number, members, refusal
from gateway.sky.catalogues.match import MATCH_ARCSEC, apart_arcsec, joined
from gateway.sky.catalogues.object_types import several
from gateway.sky.positions import separation_arcsec

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.core.models import Galaxy
    from gateway.sky.catalogues.openngc import OpenNgc

_SUGGESTIONS = 5
_LIKENESS = 75.0


class OfflineCatalogues:
    """Both offline catalogues. The operator's file is searched first and has sizes; OpenNGC has names.

    Parameters
    ----------
    opened : OpenNgc
    own : Catalogue, optional
        Catalogue of the operator's file.
    """

    def __init__(self, opened: OpenNgc, own: Catalogue | None = None) -> None:
        self._ngc = opened
        self._own = Catalogue("", Columns.empty()) if own is None else own

    @classmethod
    def load(cls, path: Path | None = None) -> OfflineCatalogues:
        """Read OpenNGC and the file at ``path``.

        Raises
        ------
        gateway.sky.catalogues.operator_file.CatalogueFileError
        """
        return cls(openngc.load(), operator_file.load(path) if path else None)

    def by_pgc(self, pgc: int) -> Galaxy | None:
        """Return the galaxy of a PGC number.

        Raises
        ------
        gateway.core.errors.NotAGalaxy
        """
        own = self._own_galaxy(pgc)
        # PGC numbers each galaxy of a pair; OpenNGC has one entry for the pair, which does not describe this galaxy.
        rows = [row for row in self._ngc.catalogue.rows_of(f"PGC {pgc}") if several(self._ngc.kinds[row]) is None]
        if own is not None:
            rows = [row for row in rows if self._ngc.kinds[row] == "G"]
        # OpenNGC lists several numbers of a galaxy with parts under one entry; the requested number stays.
        known = replace(self._galaxy(rows[0], f"PGC {pgc}"), pgc=pgc) if rows else None
        if own is None:
            return known
        return _under_its_name(own, known) if known else own

    def by_name(self, name: str) -> Galaxy | None:
        """Return the galaxy of a designation or common name; for a PGC number see :meth:`by_pgc`.

        Raises
        ------
        gateway.core.errors.UnknownTarget
            The name means several objects, or a catalogue entry without an object.
        gateway.core.errors.NotAGalaxy
        """
        pgc = designations.pgc_number(name)
        if pgc is not None:
            return self.by_pgc(pgc)
        rows = self._ngc.catalogue.rows_of(name)
        real = [row for row in rows if self._ngc.kinds[row] == "G"]
        if len(real) > 1:
            raise refusal(name, [self._ngc.names[row] for row in real], what="the name of several galaxies")
        if rows:
            found = self._galaxy((real or rows)[0], name)
            return self._described(found)
        own = [self._own.galaxy(row) for row in self._own.rows_of(name)]
        if len(own) > 1:
            raise refusal(name, [f"PGC {one.pgc}" for one in own])
        return own[0] if own else self._of_several(name)

    def near(self, ra_deg: float, dec_deg: float) -> Galaxy | None:
        """Return the galaxy that a position means: the nearest within a few arcsec (see :mod:`.catalogue`)."""
        own = self._own.near(ra_deg, dec_deg)
        ngc = self._ngc.catalogue.near(ra_deg, dec_deg)
        if own:
            galaxy = self._own.galaxy(own[0])
            merged = self.by_pgc(galaxy.pgc) if galaxy.pgc else galaxy
            # The catalogues' centres of one galaxy differ by some arcsec; only another galaxy counts as nearer.
            other = self._ngc.catalogue.galaxy(ngc[0]) if ngc and ngc[1] < own[1] else None
            if other is None or _one_galaxy(galaxy, other):
                return merged
        if not ngc:
            return None
        return self._described(self._ngc.catalogue.galaxy(ngc[0]))

    def known(self, name: str) -> Galaxy | None:
        """Return the galaxy of a name; None for one that is unknown, means several objects, or is no galaxy."""
        try:
            return self.by_name(designations.cleaned(name))
        except errors.TargetError:
            return None

    def same(self, galaxy: Galaxy) -> Galaxy | None:
        """Return the catalogued galaxy that a service found, by its number, its name or its position.

        A number or a name counts only when the position agrees, and a position within 5 arcsec only when no number
        contradicts it, since the middle of a large galaxy has others beside it.
        """
        known = (self.known(f"PGC {galaxy.pgc}") if galaxy.pgc else None) or self.known(galaxy.name or "")
        if known is not None and apart_arcsec(known, galaxy) is None:
            return known
        near = self.near(galaxy.ra_deg, galaxy.dec_deg)
        if near is None or (galaxy.pgc and near.pgc and galaxy.pgc != near.pgc):
            return None
        if another_number(galaxy.name or "", [near.name or ""]):
            return None
        apart = separation_arcsec(near.ra_deg, near.dec_deg, galaxy.ra_deg, galaxy.dec_deg)
        return near if apart <= MATCH_ARCSEC else None

    def around(self, ra_deg: float, dec_deg: float, radius_arcmin: float) -> list[str]:
        """Return the names of the galaxies around a position, the nearest first; at most five."""
        rows = self._ngc.catalogue.within(ra_deg, dec_deg, radius_arcmin * 60)
        return [self._ngc.names[row] for row, _ in rows[:_SUGGESTIONS]]

    def suggestions(self, name: str) -> list[str]:
        """Return the names most similar to ``name``, best first, in their usual spelling; at most five."""
        wanted, keys = designations.key(name), self._ngc.catalogue.keys()
        alike = process.extract(wanted, keys, scorer=fuzz.ratio, limit=8 * _SUGGESTIONS, score_cutoff=_LIKENESS)
        # Among equally similar names, those with the same beginning are preferred: people mistype the end more often.
        likest = sorted(alike, key=lambda found: (-found[1], -JaroWinkler.similarity(wanted, found[0])))
        spelled = (self._spelled(key) for key, _, _ in likest)
        return list(dict.fromkeys(one for one in spelled if one))[:_SUGGESTIONS]

    def _spelled(self, key: str) -> str | None:
        galaxies = [row for row in self._ngc.catalogue.rows_of(key) if self._ngc.kinds[row] == "G"]
        if not galaxies:
            return None
        return self._ngc.common.get(key) or (designations.displayed(key) if len(galaxies) == 1 else None)

    def _of_several(self, name: str) -> Galaxy | None:
        """Return the galaxy that all parts of a name mean (M 51 (NGC 5194)); raise an error if they mean several."""
        parts = members(name)
        known = [self._ngc.catalogue.rows_of(part) for part in parts]
        # Words that no catalogue has, as in "NGC 545 & co.", separate nothing.
        named = (rows or any(sign.isdigit() for sign in part) for part, rows in zip(parts, known, strict=True))
        if not parts or not all(named):
            return None
        meant = {tuple(rows) for rows in known}
        if len(meant) == 1 and len(known[0]) == 1:
            return self.by_name(parts[0])
        raise refusal(name, parts)

    def _own_galaxy(self, pgc: int | None) -> Galaxy | None:
        row = self._own.row_of(pgc) if pgc else None
        return None if row is None else self._own.galaxy(row)

    def _described(self, found: Galaxy) -> Galaxy:
        """Return OpenNGC's galaxy with the operator's values; OpenNGC's alone where their positions disagree."""
        own = self._own_galaxy(found.pgc)
        if own is None:
            return found
        return joined(found, own) if apart_arcsec(found, own) is not None else _under_its_name(own, found)

    def _galaxy(self, row: int, asked: str) -> Galaxy:
        kind, name = self._ngc.kinds[row], self._ngc.names[row]
        if kind == "G":
            return self._ngc.catalogue.galaxy(row)
        if kind == "NonEx":
            raise errors.UnknownTarget(f"{asked} is a catalogue entry without an object in the sky.", suggestions=[])
        what = several(kind)
        if what is not None:
            raise refusal(asked, self._ngc.members(row), what=what)
        words = self._ngc.words.get(kind, "an object of another kind").lower()
        raise errors.NotAGalaxy(f"{asked} is not a galaxy but: {words}.", object=name)


def _one_galaxy(one: Galaxy, other: Galaxy) -> bool:
    return one.pgc == other.pgc if one.pgc and other.pgc else apart_arcsec(one, other) is None


def _under_its_name(own: Galaxy, known: Galaxy) -> Galaxy:
    """Return the operator's galaxy completed by OpenNGC, with OpenNGC's name for it."""
    merged = joined(own, known)
    return merged if apart_arcsec(own, known) is not None else replace(merged, name=known.name or own.name)
