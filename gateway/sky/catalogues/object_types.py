"""Types of objects in catalogues and services: a galaxy, several, something else, or nothing decided.

The codes are those of SIMBAD (https://simbad.cds.unistra.fr/guide/otypes.htx), NED
(https://ned.ipac.caltech.edu/help/ui/object_types) and OpenNGC; HyperLEDA's are translated.
"""

from __future__ import annotations

# Active nuclei are listed as their galaxies.
GALAXY_CODES = (
    *("G", "LSB", "bCG", "SBG", "H2G", "EmG", "rG", "GiP", "GiG", "GiC", "BiC", "LeI", "LeG"),
    *("AGN", "SyG", "Sy1", "Sy2", "LIN", "AG?", "G?"),
)
_GALAXIES = frozenset(code.upper() for code in (*GALAXY_CODES, "G_Lens"))
_SEVERAL = {
    "PAG": "a pair of galaxies",
    "IG": "several interacting galaxies",
    "GPAIR": "a pair of galaxies",
    "GTRPL": "a triplet of galaxies",
    "GGROUP": "a group of galaxies",
    "GRG": "a group of galaxies",
    "GR?": "a possible group of galaxies",
    "CGG": "a compact group of galaxies",
    "CLG": "a cluster of galaxies",
    "C?G": "a possible cluster of galaxies",
    "PCG": "a protocluster of galaxies",
    "GCLSTR": "a cluster of galaxies",
    "SCG": "a supercluster of galaxies",
    "SC?": "a possible supercluster of galaxies",
    "VID": "an underdense region",
    "QGROUP": "a group of quasars",
}
# These types give the waveband, the brightness of the nucleus, or "unknown": they do not tell whether a galaxy is
# visible there.
_SILENT = frozenset(
    (
        *("?", "UNKNOWN", "OTHER", "REG", "EV", "QSO", "Q?", "BLL", "BL?", "BLA", "BZ?"),
        *("RADIOS", "IRS", "XRAYS", "UVS", "UVES", "VISS", "EMLS", "EMOBJ", "ABLS", "GAMMAS", "RAD", "MR", "CM", "MM"),
        *("SMM", "HI", "IR", "MIR", "NIR", "FIR", "OPT", "EMO", "BLU", "UV", "X", "UX?", "GAM", "GB?"),
    )
)
# http://atlas.obs-hp.fr/hyperleda/leda/param/objtype.html, as SIMBAD's codes. "g" is an extended source that is
# probably a galaxy, "GM" a galaxy in a multiple system.
_HYPERLEDA = {"": "", "G": "G", "g": "G", "GM": "G", "Q": "QSO", "S": "*", "M2": "PaG", "M3": "GTrpl", "MC": "ClG"}
_HYPERLEDA |= dict.fromkeys("uU?RIXE", "?")


def is_galaxy(code: str) -> bool:
    """Return whether a code stands for one galaxy."""
    return code.upper() in _GALAXIES


def is_pair(code: str) -> bool:
    """Return whether a code stands for two galaxies."""
    return code.upper() in {"PAG", "GPAIR"}


def several(code: str) -> str | None:
    """Return the words for a code of several objects, such as "a pair of galaxies"; None for any other code."""
    return _SEVERAL.get(code.upper())


def is_undecided(code: str) -> bool:
    """Return whether a code decides nothing: only the waveband, or a candidate of any kind."""
    return not code or code.upper() in _SILENT or (code.endswith("?") and several(code) is None)


def of_hyperleda(objtype: str) -> str:
    """Return HyperLEDA's type of an object as a SIMBAD code; types that begin with M are multiple."""
    code = objtype.strip()
    return _HYPERLEDA.get(code) or ("GGroup" if code.startswith("M") else code)
