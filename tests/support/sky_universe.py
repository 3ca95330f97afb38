"""The universe of the fakes: OpenNGC's objects, the shared catalogue's galaxies, and a few others."""

from __future__ import annotations

import csv
import math
import re
import sqlite3
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import pyongc

SHARED = Path(__file__).parents[3] / "shared"


@dataclass(frozen=True)
class Thing:
    """An object of the fake sky; angles in degrees, sizes in arcmin. ``kind`` is SIMBAD's code."""

    name: str
    kind: str
    ra: float
    dec: float
    pgc: int = 0
    d25: float | None = None
    ratio: float | None = None
    pa: float | None = None
    aliases: tuple[str, ...] = ()
    band: str = "O"
    """Waveband of SIMBAD's size."""


# Objects that no offline catalogue has, so that the services are needed to resolve them.
EXTRAS = (
    Thing("UGC 12158", "G", 340.548, 19.998, 69533, 1.35, 0.83, 15.0, ("LEDA 69533", "2MASX J22421148+1959523")),
    Thing("2MASX J08375604+3014526", "G", 129.4835, 30.2479, 0, 0.6, 0.7, 80.0),
    Thing("Arp 999", "PaG", 150.0, 2.0),
    Thing("TYC 1234-567-1", "*", 66.0, 20.0),
    # Pairs, galaxies with an infrared size alone, sources and errors, and a galaxy that OpenNGC has by another name.
    Thing("Arp 9984", "PaG", 209.645, 37.447),
    Thing("UGC 7353X", "G", 184.7396, 47.3039),
    Thing("UGC 9998X", "PaG", 236.5, 52.5, 2999998, 1.9, aliases=("LEDA 2999998",)),
    Thing("2MASX J09260000+1000000", "G", 141.5, 10.0, 0, 0.6, 0.7, 80.0, band="I"),
    Thing("2MASX J09260400+1000000", "G", 141.5167, 10.0, 2999997, 0.6, 0.7, 80.0, ("LEDA 2999997",), band="I"),
    Thing("HIJASS J1021+68", "HI", 155.25, 68.7),
    Thing("Error 1", "err", 156.0, 20.0),
    Thing("NAME Fake Dwarf", "G", 157.0, 20.0, 2999996, 1.5, 0.6, 30.0, ("LEDA 2999996",)),
    Thing("UGC 9999X", "G", 235.5, 52.5, 2999999, 1.9, 0.35, 40.0, ("LEDA 2999999",)),
)

_KINDS = {"G": "G", "GPair": "PaG", "GTrpl": "GrG", "GGroup": "GrG", "GCl": "GlC", "OCl": "OpC", "PN": "PN"}


def spelled(name: str) -> str:
    """Return the fakes' normalised spelling: no blanks, no zeros after letters, LEDA is PGC."""
    text = re.sub(r"\s+", "", name.upper()).replace("LEDA", "PGC")
    return re.sub(r"(?<=[A-Z])0+(?=\d)", "", text)


class Universe:
    """All objects."""

    def __init__(self, things: list[Thing]) -> None:
        self.things = things
        self._by_name: dict[str, Thing] = {}
        for thing in things:
            for name in (thing.name, *thing.aliases, *([f"PGC {thing.pgc}"] if thing.pgc else [])):
                self._by_name.setdefault(spelled(name), thing)
        self._by_dec = sorted(things, key=lambda thing: thing.dec)
        self._decs = [thing.dec for thing in self._by_dec]

    def called(self, name: str) -> Thing | None:
        return self._by_name.get(spelled(name))

    def numbered(self, pgc: int) -> Thing | None:
        return self._by_name.get(f"PGC{pgc}")

    def around(self, ra: float, dec: float, radius_deg: float) -> list[Thing]:
        """Return all objects within a small radius, the nearest first."""
        wide = math.cos(math.radians(dec)) or 1e-9
        near = []
        for thing in self._by_dec[_index(self._decs, dec - radius_deg) : _index(self._decs, dec + radius_deg)]:
            apart = math.hypot(((thing.ra - ra + 180) % 360 - 180) * wide, thing.dec - dec)
            if apart <= radius_deg:
                near.append((apart, thing))
        return [thing for _, thing in sorted(near, key=lambda one: one[0])]


def _index(values: list[float], wanted: float) -> int:
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if values[middle] < wanted else (low, middle)
    return low


@lru_cache(maxsize=1)
def universe() -> Universe:
    """Return the whole universe, loaded once per process."""
    things = _openngc()
    numbers = {thing.pgc: i for i, thing in enumerate(things) if thing.pgc}
    for galaxy in _shared():
        at = numbers.get(galaxy.pgc)
        if at is None:
            things.append(galaxy)
        else:
            things[at] = replace(things[at], d25=galaxy.d25, ratio=galaxy.ratio, pa=galaxy.pa)
    return Universe([*things, *EXTRAS])


def _openngc() -> list[Thing]:
    with sqlite3.connect(f"file:{pyongc.DBPATH}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT name, type, ra, dec, majax, minax, pa, messier, identifiers FROM objects").fetchall()
    db.close()
    things = []
    for name, kind, ra, dec, major, minor, pa, messier, identifiers in rows:
        if ra is None or kind in {"Dup", "NonEx"}:
            continue
        aliases = [part.strip() for part in (identifiers or "").split(",") if part.strip()]
        pgc = next((int(alias[3:]) for alias in aliases if re.fullmatch(r"PGC \d+", alias)), 0)
        if messier:
            aliases.append(f"M {int(messier)}")
        ratio = minor / major if major and minor else None
        known = Thing(name, _KINDS.get(kind, "*"), math.degrees(ra), math.degrees(dec), pgc, major, ratio, pa)
        things.append(replace(known, aliases=tuple(aliases)))
    return things


def _shared() -> list[Thing]:
    path = SHARED / "catalog" / "hyperleda_d25_over_1arcmin.csv"
    if not path.is_file():
        return []
    things = []
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            major, minor = float(row["diameter"]), float(row["minorDiameter"] or "nan")
            ratio = None if math.isnan(minor) else min(1.0, minor / major)
            pa = float(row["anglePA"]) if row["anglePA"] else None
            position = float(row["ra"]), float(row["dec"])
            things.append(Thing(row["name"], "G", *position, int(row["name"][4:]), major, ratio, pa))
    return things
