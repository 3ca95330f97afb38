"""OpenNGC, the offline catalogue that comes with the gateway: NGC, IC and Messier objects.

OpenNGC (Verga, https://github.com/mattiaverga/OpenNGC, CC BY-SA 4.0) is read from the SQLite file that ``pyongc``
ships, whose columns its ``NGC_guide.txt`` describes. ``pyongc``'s own functions parse a name and run a query per call,
and want pandas for whole tables.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np

from gateway.sky import designations
from gateway.sky.catalogue import Catalogue, Columns

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
"""Names in common use that OpenNGC lacks; those of objects it lacks too are passed over."""

_QUERY = """
SELECT name, type, ra, dec, majax, minax, pa, messier, ngc, ic, identifiers, commonnames FROM objects ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class OpenNgc:
    """The catalogue and what each of its objects is.

    Attributes
    ----------
    catalogue : Catalogue
        All objects, galaxies or not.
    kinds : tuple of str
        OpenNGC's type of each row, such as ``G`` or ``PN``.
    words : dict
        From a type to words, such as "Planetary Nebula".
    names : tuple of str
        Preferred name of each row.
    common : dict
        From the filed spelling of a common name to the spelling for people.
    """

    catalogue: Catalogue
    kinds: tuple[str, ...]
    words: dict[str, str]
    names: tuple[str, ...]
    common: dict[str, str]


def load() -> OpenNgc:
    """Read the catalogue; takes about 0.2 s."""
    # Imported when first needed: its package metadata costs a start that uploads should not wait for.
    import pyongc  # noqa: PLC0415 - see above

    with sqlite3.connect(f"file:{pyongc.DBPATH}?mode=ro&immutable=1", uri=True) as db:
        rows = db.execute(_QUERY).fetchall()
        words = dict(db.execute("SELECT type, typedesc FROM objTypes"))
    db.close()
    names: list[tuple[str, int]] = []
    common: dict[str, str] = {}
    row_of = {row[0]: number for number, row in enumerate(rows)}
    row_of |= {f"M{row[7]}": number for number, row in enumerate(rows) if row[7] and row[1] != "Dup"}
    pgc = np.zeros(len(rows), np.int64)
    for number, (name, kind, *_, messier, ngc, ic, identifiers, commonnames) in enumerate(rows):
        # A duplicate is filed under the entry that it repeats, so that its name finds the object itself.
        owner = _original(row_of, ngc, ic, messier, number) if kind == "Dup" else number
        names.append((name, owner))
        if messier:
            names.append((f"M{messier}", row_of[f"M{messier}"]))
        known = _listed(identifiers)
        names.extend((identifier, owner) for identifier in known)
        # Several numbers mean that PGC counts parts apart; the lowest is the one of the whole in practice.
        numbered = [one for one in (name, *known) if one.startswith("PGC")]
        if numbered and owner == number:
            pgc[number] = designations.pgc_number(numbered[0]) or 0
        for word in _listed(commonnames):
            names.append((word, owner))
            common[designations.key(word)] = word
    for word, name in _COMMON.items():
        if name in row_of:
            names.append((word, row_of[name]))
            common.setdefault(designations.key(word), word)
    displayed = tuple(designations.displayed(row[0]) for row in rows)
    catalogue = Catalogue(SOURCE, _columns(rows, pgc), names=names, named=displayed.__getitem__)
    return OpenNgc(catalogue, tuple(row[1] for row in rows), words, displayed, common)


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()] if text else []


def _original(row_of: dict[str, int], ngc: str, ic: str, messier: str, number: int) -> int:
    for name in (f"NGC{ngc}", f"IC{ic}", f"M{messier}"):
        if name in row_of and row_of[name] != number:
            return row_of[name]
    return number


def _columns(rows: list[tuple[object, ...]], pgc: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Columns:
    ra, dec, major, minor, angle = np.array([row[2:7] for row in rows], dtype=np.float64).T
    return Columns(
        ra_deg=np.degrees(ra),
        dec_deg=np.degrees(dec),
        d25_arcmin=major.astype(np.float32),
        axis_ratio=(minor / major).astype(np.float32),
        position_angle_deg=angle.astype(np.float32),
        pgc=pgc,
    )
