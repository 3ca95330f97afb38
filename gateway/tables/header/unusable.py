"""Explains why columns that look like a position are not used: another equinox or sky, or no galaxy's position."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.tables.header.words import DEC, RA, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.tables.table import Field

OTHER_FRAME = re.compile(r"fk4|gal|ecl|horizontal|azimuth|planet")
"""Celestial systems other than J2000 and ICRS, as VOTable and FITS name them."""
OTHER_SKY = re.compile(r"pos[._](?:galactic|gal|ecliptic|ecl|supergalactic|sg|bodyrc|earth|pm|eq[._]pm)", re.IGNORECASE)
"""UCDs of other coordinates."""
_SENTENCES = {
    "old": "The columns {} are of an equinox before J2000 (B1950, FK4): "
    "positions are read as J2000. Convert them, or send pgc or name.",
    "other": "The columns {} are galactic, ecliptic or other coordinates: "
    "right ascension and declination (J2000) are needed. Convert them, or send pgc or name.",
    "reference": "The columns {} are reference points of images, which need not be galaxies. "
    "If they are, say so: column.ra=CRVAL1, column.dec=CRVAL2.",
    "world": "The columns {} are world coordinates of a system that the table does not name. "
    "If they are right ascension and declination, say so: column.ra=X_WORLD, column.dec=Y_WORLD.",
}
_NAMED = 4


def refusal(fields: Sequence[Field]) -> str:
    """Return the reason as a sentence, or ``""`` where no column looks like a position."""
    found: dict[str, list[str]] = {kind: [] for kind in _SENTENCES}
    for one in fields:
        kind = _kind(one)
        if kind:
            found[kind].append(one.name)
    for kind, names in found.items():
        if len(names) > (kind != "old"):
            return _SENTENCES[kind].format(", ".join(names[:_NAMED]))
    return ""


def _kind(one: Field) -> str:
    words = set(words_of(one.name))
    if OTHER_FRAME.search(one.frame) and words & {RA, DEC}:
        return "old" if "fk4" in one.frame else "other"
    if "old" in words and "about" not in words:
        return "old"
    if words & {"galactic", "lonlat"} or OTHER_SKY.match(one.ucd or "") or one.name.strip().lower() in {"l", "b"}:
        return "other"
    if "reference" in words and words & {"1", "2"}:
        return "reference"
    return "world" if "world" in words else ""
