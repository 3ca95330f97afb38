"""Finds the columns of the galaxy's position: a right ascension and a declination that belong together."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.core import errors
from gateway.tables.header.units import Conversion, conversion
from gateway.tables.header.unusable import OTHER_FRAME, OTHER_SKY, refusal
from gateway.tables.header.words import DEC, RA, UNITS, WHERE, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.tables.table import Field

_CLASS = {word: kind for kind, words in WHERE.items() for word in words}
_WORTH = {"coord": -2, "mean": -4, "survey": -6, "ifu": -20}
_BESIDE = {"object": -1, "galaxy": -1, "target": -2, "source": -2, "main": -1, "host": -6}
_NEVER = {"about", "elsewhere", "old", "galactic", "lonlat", "reference", "world", "sign", RA, DEC, "al2000"}
_UCD = {
    RA: re.compile(r"(?:pos\.eq\.ra|pos_eq_ra)(?:[;_]meta\.main|[;_]main)?", re.IGNORECASE),
    DEC: re.compile(r"(?:pos\.eq\.dec|pos_eq_dec)(?:[;_]meta\.main|[;_]main)?", re.IGNORECASE),
}
_ABOUT_UCD = re.compile(r"(?:^|;)(?:stat|arith)[._]|^error", re.IGNORECASE)
_STRANGER = 30
_HALF_WORDS = 12
_NEAR = 14
_MOST_HALVES = 50
"""Most columns from which pairs are made."""


@dataclass(frozen=True, slots=True)
class Half:
    """A column that may be a right ascension or a declination.

    Attributes
    ----------
    columns : tuple of str
        Name of the column, or of the parts of a split coordinate.
    conversion : Conversion
        Conversion of its numbers.
    rank : int
        Preference; higher is better.
    epoch : bool
        Whether the column declares J2000 or the ICRS.
    beside : frozenset of str
        Other words of its name, which its partner should have too.
    style : str
        Case of its name: ``upper``, ``lower`` or ``mixed``.
    """

    columns: tuple[str, ...]
    conversion: Conversion
    rank: int
    epoch: bool = False
    beside: frozenset[str] = frozenset()
    style: str = "mixed"


@dataclass(frozen=True, slots=True)
class Found:
    """The result of the search for a position.

    Attributes
    ----------
    pair : (Half, Half or None), optional
        Right ascension and declination. A right ascension alone may hold designations such as J004244.3+411607.
    refusal : str
        Why columns that look like a position are not used, where there are no better ones.
    warnings : tuple of str
        Doubts about the choice, in sentences.
    """

    pair: tuple[Half, Half | None] | None = None
    refusal: str = ""
    warnings: tuple[str, ...] = ()


def find(fields: Sequence[Field]) -> Found:
    """Return the pair of columns that is the position."""
    halves, refusals = _halves(fields)
    pairs = [(worth, ra, dec) for ra in halves[RA] for dec in halves[DEC] if (worth := _worth(ra, dec)) is not None]
    if pairs:
        # the first of equally good pairs
        best = max(pairs, key=lambda pair: pair[0])
        return Found(best[1:], warnings=_doubts(best, pairs))
    parts, broken = _in_parts(fields)
    if parts is not None:
        return Found(parts)
    why = (refusals[0] if refusals else "") or broken or refusal(fields)
    lone = next((one for one in halves[RA] if not one.beside and _plainly_ra(one.columns[0])), None)
    if lone is None or why:
        return Found(refusal=why)
    said = f"There is no declination beside {lone.columns[0]}: only designations in it, as J004244+411608, are read."
    return Found((lone, None), warnings=(said,))


def _halves(fields: Sequence[Field]) -> tuple[dict[str, list[Half]], list[str]]:
    """Return the columns that may be half of a position, and why others are excluded by their unit."""
    halves: dict[str, list[Half]] = {RA: [], DEC: []}
    refusals = []
    said = {words_of(one.name) for one in fields}
    for one in fields:
        for kind, found in halves.items():
            if words_of(one.name) == (kind, "d") and (kind, "m") in said:
                continue  # beside a column of minutes, degrees are integers
            try:
                half_ = _half(kind, one)
            except errors.BadTable as refused:
                refusals.append(refused.detail)
                continue
            if half_ is not None:
                found.append(half_)
    best = {kind: sorted(found, key=lambda one: -one.rank)[:_MOST_HALVES] for kind, found in halves.items()}
    return best, refusals


def _doubts(best: tuple[int, Half, Half], pairs: Sequence[tuple[int, Half, Half]]) -> tuple[str, ...]:
    """Return sentences about another pair that might be meant, or an unknown word in a name."""
    worth, ra, dec = best
    # the same words in another notation or frame mean the same position
    rivals = [
        f"{other.columns[0]} with {partner.columns[0]}"
        for rank, other, partner in pairs
        if rank >= worth - _NEAR and other.beside == partner.beside and other.beside != ra.beside
    ]
    read = f"The columns {ra.columns[0]} and {dec.columns[0]} are read as the position"
    if rivals:
        return (f"{read}; {', '.join(rivals[:3])} would fit too (say which by column.ra and column.dec).",)
    strange = next((word for word in sorted(ra.beside | dec.beside) if _is_strange(word)), None)
    return (f"{read}, whatever {strange[:40]!r} in their names may mean.",) if strange else ()


def half(kind: str, fields: Sequence[Field]) -> Half | None:
    """Return the best column of one kind, where the caller chose the other."""
    found = [one for one in (_half(kind, each) for each in fields) if one is not None]
    return max(found, key=lambda one: one.rank, default=None)


def conversion_of(kind: str, one: Field, words: tuple[str, ...]) -> Conversion:
    """Return the conversion of a column's numbers, by its declared unit or the one in its name.

    Raises
    ------
    errors.BadTable
        The two units contradict each other, or the unit is none of an angle.
    """
    named = next((word for word in words if word in UNITS), None)
    if named is None and words == (kind, "d"):
        named = "deg"
    if named is None and "al2000" in words:
        named = "hour"
    declared = conversion(kind, one.unit, one.name)
    if named is None:
        return declared
    of_name = conversion(kind, named, one.name)
    same = declared.factor == of_name.factor or (math.isnan(declared.factor) and math.isnan(of_name.factor))
    if declared.declared and not same and "al2000" not in words:
        raise errors.BadTable(
            f"The column {one.name[:60]} is declared to be in {one.unit}, which its name contradicts."
        )
    return declared if declared.declared else of_name


def _half(kind: str, one: Field) -> Half | None:
    words = words_of(one.name)
    ucd = (one.ucd or "").strip()
    if OTHER_FRAME.search(one.frame) or (ucd and (_ABOUT_UCD.search(ucd) or OTHER_SKY.match(ucd))):
        return None
    by_ucd = _UCD[kind].fullmatch(ucd) is not None
    rank = 10 * by_ucd + (5 if by_ucd and "main" in ucd.lower() else 0)
    meant = [word for word in words if word == kind or (kind == RA and word == "al2000")]
    if len(meant) != 1:
        if not by_ucd or {"old", "about", "galactic"} & set(words):
            return None
        return Half((one.name,), conversion_of(kind, one, words), rank - _STRANGER, "j2000" in words, style=_style(one))
    rest = [word for word in words if word not in {kind, "j2000", "al2000"} and word not in UNITS]
    if words == (kind, "d"):
        rest = []
    part = words[-1] in {"h", "m", "s", "d"} and rest[-1:] == [words[-1]]
    if set(rest) & _NEVER or part:
        return None
    strangers = list(filter(_is_strange, rest))
    if len(strangers) > 1:
        return None
    rank -= _STRANGER * len(strangers)
    rank += "deg" in words or words == (kind, "d") or (one.unit or "").strip().lower() in {"deg", "degree", "degrees"}
    rank += sum(_BESIDE.get(word, 0) + _WORTH.get(_CLASS.get(word, ""), 0) for word in rest)
    rank -= sum(4 + int(word) % 10 for word in rest if word.isdecimal())
    return Half(
        (one.name,),
        conversion_of(kind, one, words),
        rank,
        "j2000" in words or "al2000" in words,
        frozenset(rest),
        _style(one),
    )


def _is_strange(word: str) -> bool:
    return word not in _BESIDE and word not in _CLASS and not word.isdecimal()


def _style(one: Field) -> str:
    return "upper" if one.name.isupper() else "lower" if one.name.islower() else "mixed"


def _worth(ra: Half, dec: Half) -> int | None:
    """Return the quality of a pair, or None where the two do not belong together."""
    if ra.columns == dec.columns:
        return None
    worth = ra.rank + dec.rank + 2 * (ra.epoch and dec.epoch)
    if ra.beside != dec.beside:
        # "ra" goes with "dec_icrs", but a position of one survey never with another survey's
        if ra.beside and dec.beside:
            return None
        if any(word.isdecimal() for word in ra.beside | dec.beside):
            return None
        worth -= _HALF_WORDS
    if ra.epoch != dec.epoch:
        worth -= 4
    if ra.style != dec.style:
        worth -= 1
    if _first_letters(ra) != _first_letters(dec):
        worth -= 1
    return worth


def _first_letters(half_: Half) -> bool:
    """Return whether VizieR computed the column: such names begin with an underscore."""
    return half_.columns[0].startswith("_")


def _plainly_ra(name: str) -> bool:
    return name.strip(" _").lower() not in {"alpha", "rasc"}


def _in_parts(fields: Sequence[Field]) -> tuple[tuple[Half, Half] | None, str]:
    """Return a position in parts (``RAh RAm RAs DE- DEd DEm DEs``), or a sentence about an incomplete one."""
    parts: dict[str, dict[str, str]] = {RA: {}, DEC: {}}
    for one in fields:
        words = words_of(one.name)
        for kind in (RA, DEC):
            if len(words) == 2 and words[0] == kind and words[1] in {"h", "m", "s", "d", "sign"}:
                parts[kind].setdefault(words[1], one.name)
    if not parts[RA] and not parts[DEC]:
        return None, ""
    ra = [parts[RA][part] for part in "hms" if part in parts[RA]]
    dec = [parts[DEC][part] for part in ("sign", "d", "m", "s") if part in parts[DEC]]
    whole = "h" in parts[RA] and "m" in parts[RA] and "d" in parts[DEC] and "m" in parts[DEC]
    if not whole:
        names = ", ".join([*parts[RA].values(), *parts[DEC].values()])
        return None, (
            f"The columns {names} are only some parts (h, m, s; d, m, s) of a position; "
            "hours with minutes and degrees with minutes are needed, or decimal ra and dec."
        )
    hours = Half(tuple(ra), Conversion(sexagesimal="h"), 0)
    return (hours, Half(tuple(dec), Conversion(sexagesimal="d"), 0)), ""
