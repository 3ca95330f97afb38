"""What is known without a network: the operator's own catalogue file, if there is one, and OpenNGC."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway import errors
from gateway.sky import designations, localfile, openngc

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.domain import Galaxy
    from gateway.sky.catalogue import Catalogue
    from gateway.sky.openngc import OpenNgc

_SUGGESTIONS = 5
_LIKENESS = 75.0
_SEVERAL = {"GPair": "a pair of galaxies", "GTrpl": "a triplet of galaxies", "GGroup": "a group of galaxies"}


class Offline:
    """Both offline catalogues as one. The operator's file is asked first and knows sizes; OpenNGC knows names.

    Parameters
    ----------
    opened : OpenNgc
    own : Catalogue, optional
        From the operator's file.
    """

    def __init__(self, opened: OpenNgc, own: Catalogue | None = None) -> None:
        self._ngc = opened
        self._own = own

    @classmethod
    def load(cls, path: Path | None = None) -> Offline:
        """Read OpenNGC and the file at ``path``.

        Raises
        ------
        gateway.sky.localfile.CatalogueFileError
        """
        return cls(openngc.load(), localfile.load(path) if path else None)

    def by_pgc(self, pgc: int) -> Galaxy | None:
        """Return the galaxy of a PGC number.

        Raises
        ------
        gateway.errors.NotAGalaxy
        """
        own = self._own_galaxy(pgc)
        # PGC counts the galaxies of a pair, which OpenNGC describes as one thing: that says nothing of this one.
        rows = [row for row in self._ngc.catalogue.rows_of(f"PGC {pgc}") if self._ngc.kinds[row] not in _SEVERAL]
        if own is not None:
            rows = [row for row in rows if self._ngc.kinds[row] == "G"]
        known = self._galaxy(rows[0], f"PGC {pgc}") if rows else None
        if own is None:
            # OpenNGC files several numbers of a galaxy with parts under one entry; the one asked for is meant.
            return replace(known, pgc=pgc) if known else None
        return replace(own, name=known.name) if known and known.name else own

    def by_name(self, name: str) -> Galaxy | None:
        """Return the galaxy of a designation or common name.

        Raises
        ------
        gateway.errors.UnknownTarget
            The name belongs to several galaxies, or to a catalogue entry without an object.
        gateway.errors.NotAGalaxy
        """
        rows = self._ngc.catalogue.rows_of(name)
        real = [row for row in rows if self._ngc.kinds[row].startswith("G") and self._ngc.kinds[row] != "GCl"]
        if len(real) > 1:
            several = [self._ngc.names[row] for row in real]
            raise errors.UnknownTarget(
                f"{name} is the name of several galaxies: {', '.join(several)}.", suggestions=several
            )
        if rows:
            found = self._galaxy((real or rows)[0], name)
            own = self._own_galaxy(found.pgc) if found.pgc else None
            return replace(own, name=found.name) if own else found
        if self._own is not None:
            own_rows = self._own.rows_of(name)
            return self._own.galaxy(own_rows[0]) if own_rows else None
        return None

    def near(self, ra_deg: float, dec_deg: float) -> Galaxy | None:
        """Return the galaxy that a position means: the nearest within a few arcsec (see :mod:`.catalogue`)."""
        own = self._own.near(ra_deg, dec_deg) if self._own else None
        if own and self._own:
            galaxy = self._own.galaxy(own[0])
            return self.by_pgc(galaxy.pgc) if galaxy.pgc else galaxy
        found = self._ngc.catalogue.near(ra_deg, dec_deg)
        if found and self._ngc.kinds[found[0]] == "G":
            return self._ngc.catalogue.galaxy(found[0])
        return None

    def suggestions(self, name: str) -> list[str]:
        """Return the names most like ``name``, the likest first, as people write them; at most five."""
        from rapidfuzz import fuzz, process  # noqa: PLC0415 - only who mistypes needs it
        from rapidfuzz.distance import JaroWinkler  # noqa: PLC0415 - as above

        wanted, keys = designations.key(name), self._ngc.catalogue.keys()
        alike = process.extract(wanted, keys, scorer=fuzz.ratio, limit=8 * _SUGGESTIONS, score_cutoff=_LIKENESS)
        # Of names equally alike, people rather mistype the end than the beginning.
        likest = sorted(alike, key=lambda found: (-found[1], -JaroWinkler.similarity(wanted, found[0])))
        spelled = (self._spelled(key) for key, _, _ in likest)
        return list(dict.fromkeys(one for one in spelled if one))[:_SUGGESTIONS]

    def _spelled(self, key: str) -> str | None:
        galaxies = [row for row in self._ngc.catalogue.rows_of(key) if self._ngc.kinds[row] == "G"]
        if not galaxies:
            return None
        return self._ngc.common.get(key) or (designations.displayed(key) if len(galaxies) == 1 else None)

    def _own_galaxy(self, pgc: int) -> Galaxy | None:
        row = self._own.row_of(pgc) if self._own else None
        return self._own.galaxy(row) if self._own is not None and row is not None else None

    def _galaxy(self, row: int, asked: str) -> Galaxy:
        kind, name = self._ngc.kinds[row], self._ngc.names[row]
        if kind == "G":
            return self._ngc.catalogue.galaxy(row)
        if kind == "NonEx":
            raise errors.UnknownTarget(f"{asked} is a catalogue entry without an object in the sky.", suggestions=[])
        if kind in _SEVERAL:
            raise errors.NotAGalaxy(f"{asked} is {_SEVERAL[kind]}: ask for one of them.", object=name)
        words = self._ngc.words.get(kind, "an object of another kind").lower()
        raise errors.NotAGalaxy(f"{asked} is not a galaxy but: {words}.", object=name)
