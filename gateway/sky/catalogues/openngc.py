"""OpenNGC, the offline catalogue that comes with the gateway: NGC, IC and Messier objects.

OpenNGC (Verga, https://github.com/mattiaverga/OpenNGC, CC BY-SA 4.0) is read from the SQLite file that ``pyongc``
ships, whose columns its ``NGC_guide.txt`` describes. ``pyongc``'s own functions parse a name and run a query per call,
and want pandas for whole tables.
"""

from __future__ import annotations

import functools
import re
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyongc

from gateway.sky.catalogues import designations
from gateway.sky.catalogues.catalogue import Catalogue, Columns, name_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

SOURCE = "OpenNGC"

_COMMON = {
    "LMC": "ESO056-115",
    "SMC": "NGC0292",
    "Pinwheel Galaxy": "NGC5457",
    "Virgo A": "NGC4486",
    "Cen A": "NGC5128",
    "Antennae": "NGC4038",
    "M51a": "NGC5194",
    "M51b": "NGC5195",
    "M 110": "NGC0205",
    "Cartwheel": "PGC002248",
}
"""Common names that OpenNGC lacks; names of objects that it also lacks are ignored."""


@dataclass(frozen=True, slots=True)
class OpenNgc:
    """The catalogue and the types of its objects.

    Attributes
    ----------
    catalogue : Catalogue
        All objects, galaxies or not.
    kinds : tuple of str
        OpenNGC's type of each row, such as ``G`` or ``PN``.
    words : dict
        Words for each type, such as "Planetary Nebula".
    names : tuple of str
        Preferred name of each row.
    common : dict
        Usual spelling of each common name, by its normalised spelling.
    """

    catalogue: Catalogue
    kinds: tuple[str, ...]
    words: dict[str, str]
    names: tuple[str, ...]
    common: dict[str, str]

    def members(self, row: int) -> list[str]:
        """Return the names of the galaxies of a pair or group, as far as OpenNGC knows them.

        They are the entries whose names begin with its own (``NGC 4656 NED01``, ``NGC 7318A``), or else the galaxies
        within its diameter.
        """
        part = re.compile(re.escape(self.names[row]) + r"(?: NED\d+|[A-Z]{1,2})")
        entries = [entry for name in self.names if part.fullmatch(name) for entry in self.catalogue.rows_of(name)]
        if len(entries) < 2 and self.kinds[row] == "GGroup":
            group = self.catalogue.galaxy(row)
            radius_arcsec = 30 * (group.d25_arcmin or 0)
            entries += [found for found, _ in self.catalogue.within(group.ra_deg, group.dec_deg, radius_arcsec)]
        return list(dict.fromkeys(self.names[entry] for entry in entries if self.kinds[entry] == "G"))


@functools.cache
def load() -> OpenNgc:
    """Read the catalogue. This takes about half a second, once per process."""
    with closing(sqlite3.connect(f"file:{pyongc.DBPATH}?mode=ro&immutable=1", uri=True)) as db:
        heads = db.execute("SELECT name, type, messier, ngc, ic FROM objects ORDER BY id").fetchall()
        numbers = np.array(
            db.execute("SELECT ra, dec, majax, minax, pa FROM objects ORDER BY id").fetchall(), dtype=np.float64
        )
        words = dict(db.execute("SELECT type, typedesc FROM objTypes"))
        pgc = np.zeros(len(heads), np.int64)
        common: dict[str, str] = {}
        # Row by row, since all identifiers at once would take ten times the memory of the result.
        aliases = db.execute("SELECT identifiers, commonnames FROM objects ORDER BY id")
        names = name_index(_names(heads, aliases, pgc, common))
    displayed = tuple(designations.displayed(head[0]) for head in heads)
    kinds = tuple(sys.intern(head[1]) for head in heads)
    catalogue = Catalogue(
        SOURCE,
        _columns(numbers, pgc),
        names=names,
        named=displayed.__getitem__,
        # A duplicate has the position of the galaxy that it repeats; a pair's position belongs to neither galaxy.
        placed=np.array([kind == "G" for kind in kinds]),
    )
    return OpenNgc(catalogue, kinds, words, displayed, common)


def _names(
    heads: Sequence[tuple[str, str, str, str, str]],
    aliases: Iterable[tuple[str | None, str | None]],
    pgc: NDArray[np.int64],
    common: dict[str, str],
) -> Iterator[tuple[str, int]]:
    """Yield every name with its row; fill ``pgc`` and ``common`` on the way."""
    row_of = {head[0]: row for row, head in enumerate(heads)}
    row_of |= {f"M{head[2]}": row for row, head in enumerate(heads) if head[2] and head[1] != "Dup"}
    for row, ((name, kind, messier, ngc, ic), (identifiers, commonnames)) in enumerate(
        zip(heads, aliases, strict=True)
    ):
        # A duplicate's names belong to the entry that it repeats, so that they find the object itself.
        owner = _original(row_of, ngc, ic, messier, row) if kind == "Dup" else row
        yield name, owner
        if messier:
            yield f"M{messier}", row_of[f"M{messier}"]
        # Some rows list a bare "HD".
        known = [one for one in _listed(identifiers) if one != "HD"]
        yield from ((identifier, owner) for identifier in known)
        # Several numbers mean that PGC also numbers parts; the lowest, which is first, is the whole galaxy.
        numbered = [one for one in (name, *known) if one.startswith("PGC")]
        if numbered and owner == row:
            pgc[row] = designations.pgc_number(numbered[0]) or 0
        for word in _listed(commonnames):
            common[designations.key(word)] = word
            yield word, owner
    for word, name in _COMMON.items():
        if name in row_of:
            common.setdefault(designations.key(word), word)
            yield word, row_of[name]


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()] if text else []


def _original(row_of: dict[str, int], ngc: str, ic: str, messier: str, number: int) -> int:
    for name in (f"NGC{ngc}", f"IC{ic}", f"M{messier}"):
        if name in row_of and row_of[name] != number:
            return row_of[name]
    return number


def _columns(numbers: NDArray[np.float64], pgc: NDArray[np.int64]) -> Columns:
    ra, dec, major, minor, angle = numbers.T
    return Columns(
        ra_deg=np.degrees(ra),
        dec_deg=np.degrees(dec),
        d25_arcmin=major.astype(np.float32),
        axis_ratio=(minor / major).astype(np.float32),
        position_angle_deg=angle.astype(np.float32),
        pgc=pgc,
    )
