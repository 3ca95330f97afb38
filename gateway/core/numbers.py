"""Reads numbers in every notation that programs write."""

from __future__ import annotations

import math
import re

LONGEST = 100
"""Most characters of a number; the longest that a double needs has 24."""
LIKE = str.maketrans(
    "\N{MINUS SIGN}\N{HYPHEN}\N{EN DASH}\N{NO-BREAK SPACE}"
    "\N{MODIFIER LETTER SMALL H}\N{MODIFIER LETTER SMALL M}\N{MODIFIER LETTER SMALL S}",
    "--- hms",
)
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
