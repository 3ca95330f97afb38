"""Normalises the names of galaxies, as people and catalogues write them, to one spelling.

A sign that may separate two objects is never removed: without it, ``NGC 545/7`` would be NGC 5457, another galaxy.
"""

from __future__ import annotations

import re
import unicodedata

from gateway.core import errors
from gateway.core.numbers import UNSEEN

MAX_LENGTH = 80
"""Most characters of a name; the longest designations in use have about 40."""

SYNONYMS = {"MESSIER": "M", "LEDA": "PGC", "CALDWELL": "C", "MARKARIAN": "MRK", "MKN": "MRK"}
"""Other names of catalogues, and the name used in the index."""

_SYNONYM = re.compile(rf"(?:{'|'.join(SYNONYMS)})(?=\d)")
# The digits after "J" are a position, whose zeros are significant.
_POSITION = re.compile(r"J\d{4}")
_PADDING = re.compile(r"(?<=[A-Z+\-])0+(?=\d)")
_FILLERS = re.compile(r"\b(?:THE|GALAXY|GALAXIES)\b")
_SIGNS = str.maketrans(
    dict.fromkeys("\N{MINUS SIGN}\N{EN DASH}\N{EM DASH}\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{FIGURE DASH}", "-")
    | dict.fromkeys(UNSEEN, "")
)
# Signs without meaning. All other signs stay, and make a different name.
_DECORATION = re.compile(r"[\s_'\"`\[\]{}]+")
# The letters in "ESO 097- G 013" and "ESO 350-IG 038" are the object's type.
_ESO_TYPE = re.compile(r"^(ESO\d+-)(?:IG|G)(?=\d)")
# In a query string a "+" arrives as a blank; zones without a sign are northern, as in SIMBAD and NED.
_MCG_NORTH = re.compile(r"^MCG(?=\d)")
_LOST_PLUS = re.compile(r"(J\d{6,}(?:\.\d+)?) (?=\d{6,}(?:\.\d+)?$)")
_PGC = re.compile(r"PGC(\d{1,8})")
_CATALOGUED = re.compile(r"([A-Za-z]+) ?0*(\d+)([A-Za-z]{0,2})((?: NED\d+)?)")
_COORDINATES = re.compile(
    r"(?:J ?)?[+\-]?\d[\d\s.,:+\-°'\"]*|\d{1,2} ?h ?\d{1,2} ?m[\d\s.,:+\-hmsd°'\"]*", re.IGNORECASE
)
# A sign between a catalogue and its running number separates nothing: NGC-224 is NGC 224.
_RUNNING = "NGC|IC|M|MESSIER|UGCA?|PGC|LEDA|ARP|MRK"
_SIGN_BEFORE_NUMBER = re.compile(rf"^({_RUNNING})[\-:#.]+(?=\d)")
# A number that has been a float: NGC 224.0.
_WHOLE = re.compile(rf"^((?:{_RUNNING})\W*\d+)\.0+$", re.IGNORECASE)


def cleaned(name: str) -> str:
    """Return a person's spelling of a name without clutter: outer and doubled blanks, exotic dashes.

    Raises
    ------
    gateway.core.errors.BadTarget
        The name is empty, longer than :data:`MAX_LENGTH`, holds characters that no name has, or is a position.
    """
    # A raised or enclosed digit must not extend a number.
    apart = "".join(f" {sign} " if unicodedata.category(sign) == "No" else sign for sign in name)
    text = " ".join(unicodedata.normalize("NFKC", apart).translate(_SIGNS).split()).strip(",;:/&| ")
    text = _WHOLE.sub(r"\1", text)
    if not text:
        raise errors.BadTarget("The name is empty.")
    if len(text) > MAX_LENGTH:
        raise errors.BadTarget(f"The name is longer than {MAX_LENGTH} characters.")
    if not text.isprintable() or not any(sign.isalnum() for sign in key(text)):
        raise errors.BadTarget("The name can't be read.")
    if _COORDINATES.fullmatch(text):
        raise errors.BadTarget(f"{text} is a position or a number, not a name: ask by ra and dec, or by pgc.")
    return text


def key(name: str) -> str:
    """Return the normalised spelling by which names are indexed and looked up.

    Case, blanks, quotes, brackets, zero padding, the filler words "the" and "galaxy" and the synonyms Messier/M,
    LEDA/PGC make no difference: ``ngc224``, ``NGC 0224`` and ``NGC 224`` are one name, and so are ``Sombrero`` and
    ``The Sombrero Galaxy``. Other signs, and a blank between two digits, separate names.

    Examples
    --------
    >>> key("MCG +07-02-016"), key("Messier 31"), key("leda 2557"), key("NGC 545/7")
    ('MCG+7-2-16', 'M31', 'PGC2557', 'NGC545/7')
    """
    text = (name if name.isascii() else _ascii(name)).upper()
    if "GALAX" in text or "THE " in text:
        text = _FILLERS.sub("", text)
    text = _DECORATION.sub(_between_digits, text)
    text = _LOST_PLUS.sub(r"\1+", _MCG_NORTH.sub("MCG+", text))
    text = _SIGN_BEFORE_NUMBER.sub(r"\1", text)
    synonym = _SYNONYM.match(text)
    if synonym:
        text = SYNONYMS[synonym[0]] + text[synonym.end() :]
    text = _ESO_TYPE.sub(r"\1", text)
    return text if _POSITION.search(text) else _PADDING.sub("", text)


def pgc_number(name: str) -> int | None:
    """Return the number when ``name`` is a PGC or LEDA designation; else None."""
    match = _PGC.fullmatch(key(name))
    return int(match[1]) if match else None


def displayed(name: str) -> str:
    """Return the usual spelling of a catalogue's or service's name.

    ``NGC0224`` and ``NGC 0224`` become ``NGC 224``; SIMBAD's mark for names that are no designations (``NAME``),
    VizieR's braces and doubled blanks are removed.
    """
    text = " ".join(name.replace("{", "").replace("}", "").split()).removeprefix("NAME ")
    match = _CATALOGUED.fullmatch(text)
    if match:
        catalogue = "M" if match[1].upper() == "MESSIER" else match[1]
        return f"{catalogue} {match[2]}{match[3]}{match[4]}"
    return re.sub(r"^([A-Z]+)(?=[\d+\-])", r"\1 ", text)


def _between_digits(decoration: re.Match[str]) -> str:
    before, after = decoration.string[: decoration.start()][-1:], decoration.string[decoration.end() :][:1]
    return " " if before.isdigit() and after.isdigit() else ""


def _ascii(name: str) -> str:
    """Return a name in ASCII: accents and quotes are removed, other characters become a sign of their own."""
    kept = []
    apart = "".join("?" if unicodedata.category(sign) == "No" else sign for sign in name.translate(_SIGNS))
    for sign in unicodedata.normalize("NFKD", apart):
        category = unicodedata.category(sign)
        if sign.isascii():
            kept.append(sign)
        elif category[0] == "Z":
            kept.append(" ")
        elif category[0] not in "MC" and category not in {"Pi", "Pf"}:
            kept.append("?")
    return "".join(kept)
