"""Splits column names into words: ``RAJ2000``, ``RA (J2000)`` and ``ra_j2000`` have the same two words."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

RA, DEC, PGC, NAME, FOV, PA, FILE, KEY = "ra", "dec", "pgc", "name", "fov", "pa", "file", "key"

UNITS = {
    "deg": ("deg", "degs", "degree", "degrees"),
    "hour": ("hour", "hours", "hr", "hrs", "hourangle"),
    "hms": ("hms", "hhmmss"),
    "dms": ("dms", "ddmmss"),
    "rad": ("rad", "radian", "radians"),
    "arcmin": ("arcmin", "arcmins", "arcminute", "arcminutes", "amin"),
    "arcsec": ("arcsec", "arcsecs", "arcsecond", "arcseconds", "asec"),
    "mas": ("mas",),
}
"""Spellings of units in column names."""

_MEANING = {
    RA: ("ra", "rightascension", "rightasc", "rasc", "alpha"),
    DEC: ("dec", "decl", "declination", "de", "delta"),
    PGC: ("pgc", "leda", "hyperleda", "al1"),
    NAME: ("name", "names", "designation", "identifier", "ident"),
    FOV: ("fov", "fieldofview"),
    PA: ("pa", "positionangle", "posang", "posangle", "anglepa"),
    FILE: ("file", "files", "filename", "filepath", "image", "img", "path", "imagefile", "picture"),
    KEY: ("key",),
    "id": ("id", "ids"),
    "main": ("main",),
    "j2000": ("j2000", "2000", "icrs", "icrf", "fk5", "epoch2000"),
    "old": ("b1950", "1950", "j1950", "fk4", "b1900", "1900", "b1875", "1875", "1855", "b1855"),
    "object": ("object", "obj", "objects"),
    "galaxy": ("galaxy", "galaxies", "gal"),
    "target": ("target", "targ", "targets", "tgt"),
    "source": ("source", "src"),
    "number": ("number", "no", "num", "nr", "numb"),
    "row": ("row",),
    "spec": ("spec",),
    "host": ("host",),
    "preferred": ("preferred", "pref", "common", "full", "short", "std", "official", "display", "typed"),
    "other": ("other", "alt", "alternative", "alias", "aliases", "orig", "original"),
    "galactic": ("glon", "glat", "galactic", "lii", "bii", "gallon", "gallat"),
    "lonlat": ("lon", "lat", "longitude", "latitude", "elon", "elat", "sgl", "sgb", "ecliptic", "supergalactic"),
    "reference": ("crval", "crpix"),
    "world": ("world",),
    "sign": ("sign", "sgn"),
    # words for quantities about a quantity, such as its error
    "about": (
        *("e", "err", "error", "errors", "sigma", "sig", "stdev", "stddev", "unc", "uncertainty", "rms", "var"),
        *("ivar", "cov", "corr", "pm", "proper", "motion", "offset", "off", "diff", "flag", "flags", "quality", "qual"),
        *("min", "max", "range", "snr", "ref", "refs", "reference", "bibcode", "count", "nobs", "ndet", "cos", "pix"),
        *("pixel", "type", "class", "q", "f", "r", "u", "fraction", "kin", "kinematic", "bar", "scale", "version"),
    ),
    # words for positions and names other than the galaxy's own
    "elsewhere": (
        *("plate", "field", "tile", "pointing", "pnt", "center", "centre", "cen", "telescope", "tel", "boresight"),
        *("chip", "ccd", "guide", "frame", "sun", "moon", "nearest", "neighbor", "neighbour", "group", "cluster"),
        *("filter", "survey", "observer", "author", "instrument", "band", "constellation", "program", "project"),
        *("halo", "void", "beam", "corner", "calibrator", "star"),
    ),
}
WHERE = {
    "coord": ("coord", "coords", "coordinate", "coordinates", "pos", "position", "eq", "equ", "sky", "opt", "s"),
    "mean": ("mean", "avg", "average", "median", "stack", "win", "best", "fit", "psf", "peak"),
    "survey": (
        *("ned", "simbad", "sdss", "gaia", "wise", "twomass", "sga", "nsa", "iau", "ps1", "galex", "vizier", "legacy"),
        *("ls", "decals", "panstarrs", "lsst", "euclid", "alfalfa", "manga", "califa", "nedd", "cf4"),
    ),
    "ifu": ("ifu",),
}
"""Words beside a position that tell whose or which position it is; they are kept as they are."""
_CATALOGUES = {
    "NGC": ("ngc",),
    "IC": ("ic",),
    "M": ("messier",),
    "UGC": ("ugc",),
    "UGCA": ("ugca",),
    "ESO": ("eso",),
    "Arp": ("arp",),
    "MCG": ("mcg",),
    "CGCG": ("cgcg",),
    "Mrk": ("mrk", "markarian"),
    "DDO": ("ddo",),
    "Caldwell": ("caldwell",),
}
CATALOGUES = frozenset(_CATALOGUES)
"""Catalogues whose name heads a column of their numbers, spelt as before a number."""

_MEANS = {
    word: meaning for table in (UNITS, _MEANING, _CATALOGUES) for meaning, words in table.items() for word in words
}
_MEANS |= {word: word for words in WHERE.values() for word in words} | {"al2000": "al2000", "al1950": "old"}
_PHRASES = re.compile(
    r"(right|position|pos|field|file|image|epoch)[\W_]*(ascension|angle|ang|of[\W_]*view|name|path|2000)"
)
_BRACKETED = {"'": "arcmin", "\N{PRIME}": "arcmin", '"': "arcsec", "''": "arcsec", "\N{DOUBLE PRIME}": "arcsec"}
_BRACKETS = re.compile(r"[(\[{]\s*([^)\]}]*?)\s*[)\]}]")
_GREEK = str.maketrans({"\N{GREEK SMALL LETTER ALPHA}": "alpha", "\N{GREEK SMALL LETTER DELTA}": "delta"})
_ABBREVIATED = re.compile(r"\b(?:[A-Za-z]\.){2,}")
_TOKEN = re.compile(r"[^\W_]+")
_PART = re.compile(r"(ra|dec|de)([hmsd])")
_BRACKET_UNITS = {"h": "hour", "d": "deg"}
_LONGEST = 200


@lru_cache(maxsize=4096)
def words_of(header: str) -> tuple[str, ...]:
    """Return the words of a column's name by their meaning; other words are kept, in lower case.

    Case, punctuation, brackets and the joints of words written together make no difference.

    Examples
    --------
    >>> words_of("RAJ2000"), words_of("Dec (J2000)"), words_of("meanra"), words_of("FOV_arcsec")
    (('ra', 'j2000'), ('dec', 'j2000'), ('mean', 'ra'), ('fov', 'arcsec'))
    """
    text = unicodedata.normalize("NFKC", header[:_LONGEST]).strip()
    text = _ABBREVIATED.sub(lambda found: found[0].replace(".", ""), text)
    split = re.fullmatch(r"\W*(?i:dec?)_?(-)\W*", text)
    if split:
        return (DEC, "sign")
    text = _BRACKETS.sub(_bracketed, text).replace("\N{DEGREE SIGN}", " deg ").replace("#", " number ")
    text = text.lower().translate(_GREEK)
    text = re.sub(r"(2000|1950)\.0*\b", r"\1", text)
    text = _PHRASES.sub(lambda found: re.sub(r"[\W_]", "", found[0]), text)
    words: list[str] = []
    for token in _TOKEN.findall(text):
        words.extend(_seams(token))
    return tuple(words)


def _bracketed(found: re.Match[str]) -> str:
    inside = found[1].strip()
    unit = _BRACKETED.get(inside) or _BRACKET_UNITS.get(inside.lower())
    if unit:
        return f" {unit} "
    if re.fullmatch(r"(?i)h{1,2}\W*m{1,2}\W*s{1,2}.*", inside):
        return " hms "
    return " dms " if re.fullmatch(r"(?i)d{1,2}\W*m{1,2}\W*s{1,2}.*", inside) else f" {inside} "


def _seams(token: str) -> list[str]:
    """Split a token into the fewest words with a meaning; a token that can't be split is one word."""
    if token in _MEANS:
        return [_MEANS[token]]
    part = _PART.fullmatch(token)
    if part:
        return [_MEANS[part[1]], part[2]]
    best: list[list[str] | None] = [[], *[None] * len(token)]
    for end in range(1, len(token) + 1):
        for start in range(end):
            before, piece = best[start], token[start:end]
            if before is None or (len(piece) == 1 and not piece.isdecimal()):
                continue
            meaning = _MEANS.get(piece) or (piece if piece.isdecimal() and start else None)
            # a number is not cut: 12000 is not 1 and 2000
            if meaning is None or (start and token[start - 1].isdecimal() and piece[0].isdecimal()):
                continue
            found = best[end]
            if found is None or len(before) + 1 < len(found):
                best[end] = [*before, meaning]
    return best[-1] or [token]
