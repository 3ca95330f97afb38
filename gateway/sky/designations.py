"""How people and catalogues write the names of galaxies, brought down to one spelling."""

from __future__ import annotations

import re
import unicodedata

from gateway import errors

MAX_LENGTH = 80
"""Characters of a name; the longest designations in use have about 40."""

_SYNONYMS = {"MESSIER": "M", "LEDA": "PGC", "CALDWELL": "C"}
_SYNONYM = re.compile(r"(?:MESSIER|LEDA|CALDWELL)(?=\d)")
# A digit string after "J" is a position, whose zeros count.
_POSITION = re.compile(r"J\d{4}")
_PADDING = re.compile(r"(?<=[A-Z+\-])0+(?=\d)")
_FILLERS = re.compile(r"\b(?:THE|GALAXY|GALAXIES)\b")
_SIGNS = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{EM DASH}": "-", "\N{HYPHEN}": "-"})
_NOISE = str.maketrans("", "", "".join(c for c in map(chr, range(128)) if not (c.isalnum() or c in "+-.")))
_PGC = re.compile(r"PGC(\d{1,8})")
_CATALOGUED = re.compile(r"([A-Za-z]+)0*(\d+)([A-Za-z]?)((?: NED\d+)?)")


def cleaned(name: str) -> str:
    """Return a name as a person gave it without what only clutters: outer and doubled blanks, exotic dashes.

    Raises
    ------
    gateway.errors.BadTarget
        It is empty, longer than :data:`MAX_LENGTH`, or holds characters that no name has.
    """
    text = " ".join(unicodedata.normalize("NFKC", name).translate(_SIGNS).split())
    if not text:
        raise errors.BadTarget("The name is empty.")
    if len(text) > MAX_LENGTH:
        raise errors.BadTarget(f"The name is longer than {MAX_LENGTH} characters.")
    if not text.isprintable() or not key(text):
        raise errors.BadTarget("The name can't be read.")
    return text


def key(name: str) -> str:
    """Return the one spelling under which a name is filed and looked up.

    Case, blanks, punctuation, zero padding, the filler words "the" and "galaxy" and the synonyms Messier/M, LEDA/PGC
    make no difference: ``ngc224``, ``NGC 0224`` and ``NGC 224`` are one name, and so are ``Sombrero`` and
    ``The Sombrero Galaxy``.

    Examples
    --------
    >>> key("MCG +07-02-016"), key("Messier 31"), key("leda 2557")
    ('MCG+7-2-16', 'M31', 'PGC2557')
    """
    if not name.isascii():
        name = unicodedata.normalize("NFKD", name.translate(_SIGNS)).encode("ascii", "ignore").decode()
    text = name.upper()
    if "GALAX" in text or "THE " in text:
        text = _FILLERS.sub("", text)
    text = text.translate(_NOISE)
    synonym = _SYNONYM.match(text)
    if synonym:
        text = _SYNONYMS[synonym[0]] + text[synonym.end() :]
    return text if _POSITION.search(text) else _PADDING.sub("", text)


def pgc_number(name: str) -> int | None:
    """Return the number when ``name`` is a PGC or LEDA designation."""
    match = _PGC.fullmatch(key(name))
    return int(match[1]) if match else None


def displayed(name: str) -> str:
    """Return a catalogue's spelling such as ``NGC0224`` as people write it, ``NGC 224``."""
    match = _CATALOGUED.fullmatch(name)
    if match:
        return f"{match[1]} {match[2]}{match[3]}{match[4]}"
    return re.sub(r"^([A-Z]+)(?=[\d+\-])", r"\1 ", name)
