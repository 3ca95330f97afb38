"""Reads numbers in every notation that programs write."""

from __future__ import annotations

import math
import re

LONGEST = 100
"""Most characters of a number; the longest that a double needs has 24."""
_LIKE = {
    "-": "\N{MINUS SIGN}\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{FIGURE DASH}\N{EN DASH}\N{EM DASH}\N{SMALL HYPHEN-MINUS}"
    "\N{FULLWIDTH HYPHEN-MINUS}",
    "+": "\N{FULLWIDTH PLUS SIGN}\N{SMALL PLUS SIGN}\N{SUPERSCRIPT PLUS SIGN}",
    " ": "\N{NO-BREAK SPACE}",
    ":": "\N{FULLWIDTH COLON}\N{RATIO}\N{MODIFIER LETTER COLON}",
    "h": "\N{MODIFIER LETTER SMALL H}",
    "m": "\N{MODIFIER LETTER SMALL M}",
    "s": "\N{MODIFIER LETTER SMALL S}",
    "\N{DEGREE SIGN}": "\N{MASCULINE ORDINAL INDICATOR}\N{RING ABOVE}\N{RING OPERATOR}",
    "'": "\N{PRIME}\N{MODIFIER LETTER PRIME}\N{ACUTE ACCENT}\N{LEFT SINGLE QUOTATION MARK}"
    "\N{RIGHT SINGLE QUOTATION MARK}",
    '"': "\N{DOUBLE PRIME}\N{MODIFIER LETTER DOUBLE PRIME}\N{LEFT DOUBLE QUOTATION MARK}"
    "\N{RIGHT DOUBLE QUOTATION MARK}",
}
UNSEEN = "\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NO-BREAK SPACE}\N{WORD JOINER}\N{LEFT-TO-RIGHT MARK}\N{RIGHT-TO-LEFT MARK}"
"""Invisible characters that word processors and web pages leave between others."""
LIKE = str.maketrans({sign: plain for plain, signs in _LIKE.items() for sign in signs} | dict.fromkeys(UNSEEN, ""))
"""Table for ``str.translate``: signs of word processors and typesetters to those of a keyboard."""
_FORTRAN = re.compile(r"([+-]?(?:\d+\.\d*|\.\d+))[dD]([+-]?\d+)|([+-]?\d+)[dD]([+-]\d+)")
_COMMA = re.compile(r"([+-]?\d+),(\d+(?:[eE][+-]?\d+)?)")


def number(text: str) -> float | None:
    """Return a number in any program's notation, or None for other text.

    These are ``1.0684708e+01``, ``5e-05``, Fortran's ``1.0684708D+01``, a typographic minus, a leading plus and a
    decimal comma.
    """
    if len(text) > LONGEST:
        return None
    text = text.translate(LIKE) if not text.isascii() else text
    try:
        value = float(text)
    except ValueError:
        fortran = _FORTRAN.fullmatch(text)
        if fortran:
            mantissa, exponent = (fortran[1], fortran[2]) if fortran[1] else (fortran[3], fortran[4])
            value = float(f"{mantissa}E{exponent}")
        elif _COMMA.fullmatch(text):
            value = float(text.replace(",", "."))
        else:
            return None
    return value if math.isfinite(value) and "_" not in text else None
