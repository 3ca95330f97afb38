"""Names that mean several objects, such as ``NGC 545/7``, ``IC 2163/NGC 2207`` or ``ESO 097-013/014``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.core import errors
from gateway.sky.catalogues.designations import SYNONYMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Catalogues with running numbers: in their names, a second number is a second object, whatever separates them.
# In other catalogues' names "-" and "+" belong to the name: ESO 097-013, MCG +07-02-016, 2MASX J00424433+4116074.
_RUNNING = (
    r"NGC|IC|MESSIER|M|UGC ?A|UGC|PGC|LEDA|ARP|VV|DDO|HCG|KPG|MARKARIAN|MRK|MKN|CALDWELL|C"
    r"|FGC|RFGC|VCC|FCC|KIG|CIG|AGC"
)
_SUFFIX = r"(?:\s?(?P<letter>[A-Z])(?![A-Z])(?!\s*-?\d))?"
_FIRST = re.compile(rf"(?P<catalogue>{_RUNNING})[\s_:#.\-]*0*(?P<number>\d+){_SUFFIX}", re.IGNORECASE)
_PART_OF_ENTRY = re.compile(r"\s*(?:NED|NOTES)\s?\d+", re.IGNORECASE)
_LETTERS = re.compile(r"\s?(AB|ABC|ABCD|BC)", re.IGNORECASE)
_BETWEEN = re.compile(r"(?:[^A-Z0-9]|\b(?:AND|OR|WITH|PLUS|TO|VS|ET|UND)\b)*", re.IGNORECASE)
_AGAIN = re.compile(rf"0*(?P<number>\d+){_SUFFIX}(?![A-Z])", re.IGNORECASE)
_LETTER = re.compile(r"[A-Z](?![A-Z])(?!\s*-?\d)", re.IGNORECASE)
# A name of another catalogue: letters, then everything up to the next sign that can only separate.
_OTHER = re.compile(r"[A-Z][^/&,;|=()]*\d[^/&,;|=()]*", re.IGNORECASE)
_SEPARATING = re.compile(
    r"\s*[/&,;|=()\\?]+\s*|\s+(?:AND|OR|WITH|PLUS|VS|ET|UND)\s+|\s+[+\-]\s+(?=[A-Z])", re.IGNORECASE
)
_LAST_NUMBER = re.compile(r"\d+(?=[A-Z]?$)", re.IGNORECASE)
_SPELT = {"MRK": "Mrk", "ARP": "Arp"}


def refusal(asked: str, members: Sequence[str], *, what: str = "the name of several objects") -> errors.UnknownTarget:
    """Return the error for a name that means several objects.

    Parameters
    ----------
    asked : str
    members : sequence of str
        Known members of the group, sent as ``members`` and, for people who choose, as ``suggestions``.
    what : str
        Description, such as "a pair of galaxies".
    """
    detail = f"{asked} is {what}: {_listed(members)}." if members else f"{asked} is {what}."
    detail = f"{detail} Ask for one of them."
    return errors.UnknownTarget(detail, members=list(members), suggestions=list(members))


def members(name: str) -> list[str]:
    """Return the designations in a composite name; an empty list for a single designation.

    A second number that is shorter than the first repeats its beginning, as people write pairs: ``NGC 4038/39``.

    Raises
    ------
    gateway.core.errors.UnknownTarget
        The name begins with a running number of a catalogue, and the further numbers can't be read.

    Examples
    --------
    >>> members("NGC 545/7"), members("IC 2163/NGC 2207"), members("ESO 097-013")
    (['NGC 545', 'NGC 547'], ['IC 2163', 'NGC 2207'], [])
    """
    text = " ".join(name.split())
    first = _FIRST.match(text)
    if first is None:
        return _separated(text)
    rest = text[first.end() :]
    if not rest or _PART_OF_ENTRY.fullmatch(rest):
        return []
    letters = _LETTERS.fullmatch(rest)
    if letters and not first["letter"]:
        return [_spelled(first) + letter for letter in letters[1].upper()]
    found = _numbered(first, text)
    if found is None and any(sign.isdigit() for sign in rest):
        raise errors.UnknownTarget(
            f"{name} is not one designation: {rest.strip()!r} follows {_spelled(first)}.",
            suggestions=[_spelled(first)],
        )
    if found is None:
        return _separated(text)
    return found


def another_number(asked: str, names: Iterable[str]) -> str | None:
    """Return the number that a catalogue gave for an object that was requested by another number of that catalogue.

    None when ``asked`` is among the names, or when its catalogue is not. Then a service has not confused two numbers,
    such as NGC 3746 and NGC 3746A.
    """
    wanted = _FIRST.fullmatch(asked)
    if wanted is None:
        return None
    found = [one for name in names if (one := _FIRST.fullmatch(name)) and _catalogue(one) == _catalogue(wanted)]
    if not found or any(_spelled(one) == _spelled(wanted) for one in found):
        return None
    return _spelled(found[0])


def _numbered(first: re.Match[str], text: str) -> list[str] | None:
    """Return the names in a text that begins with a running number; None when it can't be read to its end."""
    catalogue, number = _catalogue(first), first["number"]
    found, at = [_spelled(first)], first.end()
    while gap := _BETWEEN.match(text, at):
        at = gap.end()
        if at == len(text):
            break
        if full := _FIRST.match(text, at):
            catalogue, number = _catalogue(full), full["number"]
            found.append(_spelled(full))
            at = full.end()
        elif again := _AGAIN.match(text, at):
            number = _completed(number, again["number"])
            found.append(f"{catalogue} {number}{(again['letter'] or '').upper()}")
            at = again.end()
        elif letter := _LETTER.match(text, at):
            found.append(f"{catalogue} {number}{letter[0].upper()}")
            at = letter.end()
        # After a blank alone, the designation is an object in the galaxy: IC 10 X-1.
        elif gap[0].strip() and (other := _OTHER.match(text, at)):
            found.append(other[0].strip())
            at = other.end()
        else:
            return None
    return list(dict.fromkeys(found))


def _separated(text: str) -> list[str]:
    """Return the parts of a text between separating signs, with numbers completed from the part before."""
    found: list[str] = []
    for part in filter(None, _SEPARATING.split(text)):
        before = found[-1] if found else ""
        again, last = re.fullmatch(r"[A-Z]{0,2} ?(\d+)([A-Z]?)", part, re.IGNORECASE), _LAST_NUMBER.search(before)
        if again and last and not _FIRST.match(part):
            found.append(before[: last.start()] + _completed(last[0], again[1]) + again[2])
        elif len(part) == 1 and last and part.isalpha():
            found.append(before[: last.end()] + part)
        else:
            found.append(part)
    return found if len(found) > 1 else []


def _completed(before: str, number: str) -> str:
    """Return a number completed by the leading digits that it shares with the one before and leaves out."""
    whole = before[: -len(number)] + number if len(number) < len(before) else number
    return whole if int(whole) > int(before) else number


def _catalogue(designation: re.Match[str]) -> str:
    name = designation["catalogue"].replace(" ", "").upper()
    name = SYNONYMS.get(name, name)
    return _SPELT.get(name, name)


def _spelled(designation: re.Match[str]) -> str:
    return f"{_catalogue(designation)} {designation['number']}{(designation['letter'] or '').upper()}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
