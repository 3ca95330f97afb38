"""Recognises the meaning of a table's columns, by the words of their names, their UCDs and their units."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from gateway.core import errors
from gateway.tables.header import position_columns
from gateway.tables.header.column_use import Reading, Use
from gateway.tables.header.size_columns import SIZES
from gateway.tables.header.units import OWN_UNIT, Conversion
from gateway.tables.header.words import CATALOGUES, DEC, FILE, FOV, KEY, NAME, PA, PGC, RA, UNITS, words_of
from gateway.tables.table import Field

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

ROLES = (KEY, PGC, NAME, RA, DEC, FOV, PA, FILE)
"""Roles of columns; the caller may choose a column for each."""

ROLES_AND_SIZES = (*ROLES, *SIZES)
"""All roles. The caller chooses sizes only for a survey's images, which are as large as the catalogue's size."""

MOST_COLUMNS = 20_000
"""Most columns; no catalogue has more, and an uploaded header must not keep the gateway busy."""

_ASKING = {PGC, NAME, RA, FILE}
_VALUE = re.compile(r"\s*[+-]?\.?\d[\d.:hmsd°'\"\s+-]*([eE][+-]?\d+)?\s*")
"""A number or an angle, which is no column's name; 3.6mag is one."""
_NAMED = 12
_MANY = 40
_OBJECTS = {"object", "galaxy", "target", "source", "host"}
_NAME_WORDS = {
    *_OBJECTS,
    *("main", "preferred", "other", "ned", "simbad", "sdss", "iau", "sga", "nsa", "id", "nedd", "pgc", "psf", "best"),
}
_NAME_ALONE = {
    ("main", "id"): 95,
    ("object",): 80,
    ("galaxy",): 78,
    ("target",): 60,
    ("host",): 50,
}
_LAST_RESORT = {("source",): 20, ("id",): 15, ("object", "id"): 12, ("source", "id"): 11, ("galaxy", "id"): 14}
_LAST_RESORT |= {("target", "id"): 13}
_KEYS = {
    (KEY,): 100,
    ("row", "id"): 90,
    ("id",): 80,
    ("target", "id"): 75,
    ("object", "id"): 70,
    ("galaxy", "id"): 70,
    ("source", "id"): 65,
    ("spec", "object", "id"): 60,
}
_FILES = {(FILE,): 100, (FILE, FILE): 95, (FILE, NAME): 95, ("galaxy", FILE): 60, ("object", FILE): 60}
_PGC_WORDS = {"number", "id", "name", "object", "galaxy", "n"}


def recognise(fields: Iterable[Field | str], choice: Mapping[str, str] | None = None) -> Reading:
    """Return the roles of a table's columns.

    Parameters
    ----------
    fields : iterable of Field or str
        Columns in their order.
    choice : mapping, optional
        Column by role, as the caller chose it; an empty name leaves the role out.

    Raises
    ------
    errors.BadTable
        No column names a galaxy, several might, or a column of ``choice`` does not exist.
    """
    known = [one if isinstance(one, Field) else Field(one) for one in fields]
    if len(known) > MOST_COLUMNS:
        raise errors.BadTable(f"The table has {len(known):,} columns; at most {MOST_COLUMNS:,} are looked through.")
    uses = _chosen(known, choice or {})
    left_out = {role for role, name in (choice or {}).items() if not name}
    named_by_caller = NAME in uses
    mine = {name for use in uses.values() for name in use.columns}
    free = [one for one in known if one.name not in mine]
    found = _add_position(uses, free, left_out)
    warnings = list(found.warnings)
    for role, ranked in _ranked(free).items():
        if role in uses or role in left_out or not ranked:
            continue
        best, uses[role] = ranked[0]
        rivals = [other.columns[0] for rank, other in ranked[1:] if rank == best]
        if rivals:
            warnings.append(_rivals(role, uses[role], rivals))
    more_names = [] if NAME in left_out or named_by_caller else _numbered(free)
    if NAME not in uses and more_names:
        uses[NAME] = more_names.pop(0)
    if not uses.keys() & _ASKING and NAME not in left_out:
        warnings.extend(_add_last_resort(uses, free))
    _refuse_twins(known, uses)
    if not uses.keys() & _ASKING:
        raise errors.BadTable(_nothing(known, found.refusal))
    reading = Reading({role: uses[role] for role in ROLES_AND_SIZES if role in uses}, tuple(more_names))
    ignored = tuple(one.name for one in known if one.name and one.name not in reading.columns)
    return dataclasses.replace(reading, ignored=ignored, warnings=tuple(warnings))


def _add_position(uses: dict[str, Use], free: Sequence[Field], left_out: Collection[str]) -> position_columns.Found:
    """Add the position, or the half of it that the caller did not choose."""
    if {RA, DEC} & set(left_out) or {RA, DEC} <= uses.keys():
        return position_columns.Found()
    if RA in uses or DEC in uses:
        missing = DEC if RA in uses else RA
        half = position_columns.half(missing, free)
        if half is not None:
            uses[missing] = Use(missing, half.columns, half.conversion)
        return position_columns.Found()
    found = position_columns.find(free)
    for role, half in zip((RA, DEC), found.pair or (), strict=False):
        if half is not None:
            uses[role] = Use(role, half.columns, half.conversion)
    return found


def _add_last_resort(uses: dict[str, Use], free: Sequence[Field]) -> list[str]:
    """Use a column of identifiers as names, where nothing else names galaxies; return the warnings."""
    possible = [one for one in free if words_of(one.name) in _LAST_RESORT]
    if not possible:
        return []
    best = max(possible, key=lambda one: _LAST_RESORT[words_of(one.name)])
    uses[NAME] = Use(NAME, (best.name,))
    return [f"The column {best.name} is taken for names, as no other column says what to ask."]


def choice_of(given: Iterable[str]) -> dict[str, str]:
    """Return the choice in ``ROLE=COLUMN`` texts of a command line; raises ``BadTable`` for other texts."""
    choice = {}
    for one in given:
        role, sign, name = one.partition("=")
        if not sign or role.strip().lower() not in ROLES_AND_SIZES:
            raise errors.BadTable(f"{one[:60]!r} is not ROLE=COLUMN with one of {', '.join(ROLES_AND_SIZES)}.")
        choice[role.strip().lower()] = name.strip()
    return choice


def _chosen(fields: Sequence[Field], choice: Mapping[str, str]) -> dict[str, Use]:
    uses = {}
    for role, name in choice.items():
        if role not in ROLES_AND_SIZES:
            raise errors.BadTable(f"There is no kind of column {role[:40]!r}; there are {', '.join(ROLES_AND_SIZES)}.")
        if not name:
            continue
        named = [one for one in fields if one.name == name] or [
            one for one in fields if one.name.strip().lower() == name.strip().lower()
        ]
        if len(named) != 1:
            there = ", ".join(one.name for one in fields[:_NAMED])
            many = f"{len(named)} columns are called" if named else "There is no column"
            raise errors.BadTable(f"{many} {name[:60]!r}, which was said to be {role}; there are: {there}.")
        one = named[0]
        uses[role] = Use(role, (one.name,), _conversion(role, one), _prefix(role, one))
    return uses


def _prefix(role: str, one: Field) -> str:
    words = words_of(one.name)
    return words[0] if role == NAME and words and words[0] in CATALOGUES else ""


def _conversion(role: str, one: Field) -> Conversion:
    return position_columns.conversion_of(role, one, words_of(one.name)) if role in OWN_UNIT else Conversion()


def _ranked(fields: Sequence[Field]) -> dict[str, list[tuple[int, Use]]]:
    """Return the columns that fit each role except the position's, the best first."""
    found: dict[str, list[tuple[int, Use]]] = {role: [] for role in ROLES if role not in {RA, DEC}}
    for one in fields:
        words = words_of(one.name)
        for role, rank in _ranks(one, words).items():
            try:
                use = Use(role, (one.name,), _conversion(role, one))
            except errors.BadTable:
                if role in {PA, FOV}:
                    raise
                continue
            found[role].append((rank, use))
    return {role: sorted(uses, key=lambda ranked: -ranked[0]) for role, uses in found.items()}


def _ranks(one: Field, words: tuple[str, ...]) -> dict[str, int]:
    ranks = {KEY: _KEYS.get(words, 0), FILE: _FILES.get(words, 0), NAME: _name_rank(one, words)}
    rest = set(words)
    if PGC in rest and not _glued_number(one.name) and rest - {PGC} <= _PGC_WORDS | {"1"} and ranks[NAME] <= 0:
        ranks[PGC] = 100 - 5 * (len(rest) - 1) - (not one.name.lower().startswith(PGC))
    plain = [word for word in words if word not in UNITS]
    ranks[FOV] = 100 if plain == [FOV] else 0
    ucd = (one.ucd or "").lower().replace("_", ".")
    if [word for word in plain if word != "j2000"] == [PA]:
        ranks[PA] = 100
    elif ucd in {"pos.posang", "pos.pos-ang"} and "about" not in words:
        ranks[PA] = 60
    return {role: rank for role, rank in ranks.items() if rank > 0}


def _glued_number(name: str) -> bool:
    """Return whether ``PGC1`` is a group's first galaxy, as in catalogues of groups; ``pgc_1`` comes from a match."""
    return re.fullmatch(r"(?i)\W*pgc\d+\W*", name) is not None


def _name_rank(one: Field, words: tuple[str, ...]) -> int:
    if words in _NAME_ALONE:
        return _NAME_ALONE[words]
    rest = [word for word in words if word != NAME]
    if NAME in words and set(rest) <= _NAME_WORDS:
        if PGC in rest:
            # "PGC name" is a column of PGC numbers, "LEDA name" a column of HyperLEDA's preferred names
            return 0 if "pgc" in one.name.lower() else 70
        lower = {"other": 60, "iau": 20, "sdss": 20, "host": 15, "source": 25, "target": 8, "preferred": 4, "id": 10}
        plain = 0 if "name" in one.name.lower() else 15
        return 90 - sum(lower.get(word, 2) for word in rest) - plain + (5 if rest == ["object"] else 0)
    ucd = (one.ucd or "").lower()
    return 30 if ucd in {"meta.id;meta.main", "id_main"} and one.kind == "str" and "about" not in words else 0


def _numbered(fields: Sequence[Field]) -> list[Use]:
    """Return the columns of catalogue numbers, such as ``NGC``."""
    found = []
    for one in fields:
        words = words_of(one.name)
        if words and words[0] in CATALOGUES and set(words[1:]) <= {"number", NAME, "id"}:
            found.append(Use(NAME, (one.name,), prefix=words[0]))
    order = list(dict.fromkeys(["NGC", "M", "IC", "UGC"]))
    return sorted(found, key=lambda use: order.index(use.prefix) if use.prefix in order else len(order))


def _rivals(role: str, use: Use, rivals: Sequence[str]) -> str:
    others = ", ".join(rivals[:_NAMED])
    return f"The column {use.columns[0]} is read as {role}; {others} would do as well (say which by column.{role})."


def _refuse_twins(fields: Sequence[Field], uses: Mapping[str, Use]) -> None:
    """Raise an error if a used column appears twice, since it is unknown which one is meant."""
    names = [one.name for one in fields]
    for role, use in uses.items():
        twice = [name for name in use.columns if names.count(name) > 1]
        if twice:
            raise errors.BadTable(
                f"{names.count(twice[0])} columns are called {twice[0][:60]!r}, which would be {role}: "
                "rename all but one."
            )


def _named(words: Sequence[str]) -> bool:
    """Return whether the words are a galaxy's designation."""
    return len(words) > 1 and words[0] in CATALOGUES and words[1].isdecimal()


def _nothing(fields: Sequence[Field], refusal: str) -> str:
    names = [one.name for one in fields if one.name]
    shown = ", ".join(name[:_MANY] for name in names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
    if not names:
        return "The table has no column with one value a row; pgc, name, ra with dec, or file is needed."
    if refusal:
        return refusal
    if any(_VALUE.fullmatch(name) or _named(words_of(name)) for name in names) or all(
        name[:1].isdecimal() for name in names
    ):
        return (
            f"The table has no header: its first line is {shown}. "
            "Put the names of the columns on a line above, such as pgc, name, or ra and dec."
        )
    return (
        f"None of the columns ({shown}) is recognised; pgc, name, ra with dec, or file is needed. "
        "Which column is which can be said: column.ra=NAME."
    )
