"""Recognises the columns of a galaxy's size: its diameter, or a radius of some kind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.core import errors
from gateway.core.field_of_view import D25, FIELD_IN, HALF_LIGHT, PETROSIAN, RADIUS
from gateway.tables.header.position_columns import conversion_of
from gateway.tables.header.words import UNITS, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.tables.table import Field

SIZES = tuple(FIELD_IN)
"""Roles of these columns; the first one with a value in a row is used."""

_NAMES = {
    D25: ("d25", "d25leda", "d26", "diam", "diameter", "majoraxis", "majaxis", "majdiam", "dmaj"),
    RADIUS: ("r25", "r26", "radius", "rad", "sma", "semimajoraxis", "riso", "isoradius"),
    PETROSIAN: ("petrorad", "petroradius", "petrosianradius", "rpetro", "rpetrosian", "petrotheta"),
    HALF_LIGHT: (
        *("re", "reff", "rhalf", "rh", "r50", "hlr", "halflight", "halflightradius", "effectiveradius", "effradius"),
        *("petror50", "petroth50", "sersicth50", "shaper", "exprad", "rkronhalf"),
    ),
}
"""Names of these columns in catalogues, without punctuation, units and bands."""
_MEANS = {name: role for role, names in _NAMES.items() for name in names}
_BANDS = ("", "r", "i", "g", "z", "y", "u")
"""Bands in order of preference, for a size that is given in several bands."""


def find(fields: Iterable[Field]) -> dict[str, str]:
    """Return the columns for the roles of :data:`SIZES`, by their names.

    A column in a unit that is no angle, such as pixels, is left out.
    """
    found: dict[str, tuple[int, str]] = {}
    for one in fields:
        role, band = _meaning(one.name)
        if role is None:
            continue
        try:
            conversion_of(role, one, words_of(one.name))
        except errors.BadTable:
            continue
        rank = _BANDS.index(band)
        if role not in found or rank < found[role][0]:
            found[role] = rank, one.name
    return {role: name for role, (_, name) in sorted(found.items(), key=lambda one: SIZES.index(one[0]))}


def _meaning(header: str) -> tuple[str | None, str]:
    words = re.findall(r"[a-z0-9]+", header.lower())
    units = {word for spelled in UNITS.values() for word in spelled}
    words = [word for word in words if word not in units]
    name = "".join(words)
    if name in _MEANS:
        return _MEANS[name], ""
    band = words[-1] if len(words) > 1 and words[-1] in _BANDS else ""
    return (_MEANS.get("".join(words[:-1])), band) if band else (None, "")
