"""What a service says of one object, before it is known to be a galaxy."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypedDict

from gateway.core import errors
from gateway.sky.catalogues import composite_names
from gateway.sky.catalogues.catalogue import separation_arcsec, tolerance_arcsec
from gateway.sky.http.service import NonsenseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.core.models import Galaxy


class Shape(TypedDict):
    """What HyperLEDA knows of a galaxy's outline."""

    d25_arcmin: float | None
    axis_ratio: float | None
    position_angle_deg: float | None


def _codes(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Codes of SIMBAD (https://simbad.cds.unistra.fr/guide/otypes.htx) and NED
# (https://ned.ipac.caltech.edu/help/ui/object_types) that are galaxies; active nuclei are filed as their galaxies.
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
# Where an object was seen, how bright its nucleus is, or that nobody knows what it is, does not say whether a galaxy is
# there to be seen.
_SILENT = _codes("? UNKNOWN OTHER REG EV RADIOS IRS XRAYS UVS UVES VISS EMLS EMOBJ ABLS GAMMAS") | _codes(
    "RAD MR CM MM SMM HI IR MIR NIR FIR OPT EMO BLU UV X UX? GAM GB? QSO Q? BLL BL? BLA BZ?"
)
_NO_OBJECT = _codes("ERR")
_LEDA = re.compile(r"\b(?:LEDA|PGC)\s*0*(\d+)\b")


@dataclass(frozen=True, slots=True)
class Found:
    """An object as a service describes it.

    Attributes
    ----------
    galaxy : Galaxy
        What it is if it is a galaxy.
    kind : str
        The service's code of its type; empty when it says none.
    confirmed : bool
        Whether a database of objects says so, not a mere list of names and positions.
    names : tuple of str
        All that the service calls it by.
    """

    galaxy: Galaxy
    kind: str = ""
    confirmed: bool = True
    names: tuple[str, ...] = ()

    @property
    def is_galaxy(self) -> bool:
        """Whether the service says that it is one galaxy."""
        return self.kind.upper() in _GALAXIES

    def checked(self, asked: str, *, members: Sequence[str] = ()) -> Galaxy:
        """Return the galaxy, with a warning where nobody says that it is one.

        Parameters
        ----------
        asked : str
        members : sequence of str
            Told when it is several.

        Raises
        ------
        gateway.core.errors.UnknownTarget
            The service says that it is several galaxies, or that there is no object.
        gateway.core.errors.NotAGalaxy
            The service says that it is something else; no type, or one that only tells the waveband, says nothing.
        """
        code, source = self.kind.upper(), self.galaxy.source
        if self.is_galaxy and not code.endswith("?"):
            return self.galaxy
        # A candidate, whatever for, is nothing that is known.
        if not code or code in _SILENT or (code.endswith("?") and code not in _SEVERAL):
            said = f"only as {self.kind!r}" if code else "without a type"
            warning = f"{source} lists {asked} {said}: check that a galaxy is there."
            return replace(self.galaxy, warnings=(*self.galaxy.warnings, warning))
        if code in _SEVERAL:
            raise composite_names.refusal(asked, members, what=_SEVERAL[code])
        if code in _NO_OBJECT:
            raise errors.UnknownTarget(f"{asked} is no object: {source} files it as an error.", suggestions=[])
        raise errors.NotAGalaxy(
            f"{asked} is not a galaxy: {source} files it as {self.kind!r}.", object=self.galaxy.name
        )

    @property
    def is_several(self) -> bool:
        """Whether the service says that it is several objects."""
        return self.kind.upper() in _SEVERAL

    @property
    def is_pair(self) -> bool:
        """Whether the service says that it is two galaxies."""
        return self.kind.upper() in {"PAG", "GPAIR"}


def nearest(found: list[Found], ra_deg: float, dec_deg: float) -> Found | None:
    """Return the galaxy that a position in degrees means, objects of other kinds left out."""
    best: tuple[float, Found] | None = None
    for one in found:
        galaxy = one.galaxy
        apart = separation_arcsec(ra_deg, dec_deg, galaxy.ra_deg, galaxy.dec_deg)
        if one.is_galaxy and apart <= tolerance_arcsec(galaxy.d25_arcmin) and (best is None or apart < best[0]):
            best = (apart, one)
    return best[1] if best else None


def leda_number(identifiers: str) -> int | None:
    """Return the PGC number among identifiers such as ``LEDA    2557``."""
    match = _LEDA.search(identifiers)
    return int(match[1]) if match else None


def position(ra: object, dec: object) -> tuple[float, float]:
    """Return a position that a service gave in degrees, or sexagesimal as VizieR does for old catalogues.

    Raises
    ------
    NonsenseError
        It is none.
    """
    ra_deg, dec_deg = number(ra), number(dec)
    if ra_deg is None or dec_deg is None:
        ra_deg, dec_deg = _colons(str(ra), 15.0), _colons(str(dec), 1.0)
    if ra_deg is None or dec_deg is None or not (0 <= ra_deg <= 360 and -90 <= dec_deg <= 90):  # noqa: PLR2004 - a sky
        raise NonsenseError("with an impossible position")
    return ra_deg % 360, dec_deg


def number(value: object) -> float | None:
    """Return a finite number from a cell of a table; None for an empty or masked one."""
    try:
        parsed = float(str(value))
    except ValueError:
        return None
    return parsed if math.isfinite(parsed) else None


def axes(log_d25: float | None, log_r25: float | None, angle: float | None) -> Shape:
    """Return D25, axis ratio and position angle from HyperLEDA's columns.

    Parameters
    ----------
    log_d25 : float, optional
        Log10 of the diameter in 0.1 arcmin; VII/237 writes 9.99 for "unknown".
    log_r25 : float, optional
        Log10 of major over minor axis; 9.99 likewise.
    angle : float, optional
        Degrees east of north; 999 for "unknown", and so is exactly 0, which HyperLEDA's exports have for a tenth of all
        galaxies and twelve times as often as any other value. VII/237 refers it to the equinox 1950, which matters
        near the poles only.
    """
    unknown = 9.0
    d25 = None if log_d25 is None or log_d25 > unknown else round(10**log_d25 / 10, 3)
    ratio = None if log_r25 is None or log_r25 > unknown else round(min(1.0, 10**-log_r25), 4)
    turned = None if angle is None or not 0 < angle <= 360 else angle % 180  # noqa: PLR2004 - a full turn
    return {"d25_arcmin": d25, "axis_ratio": ratio, "position_angle_deg": turned}


def _colons(text: str, factor: float) -> float | None:
    parts = [number(part) for part in text.replace(":", " ").split()]
    if len(parts) != 3 or None in parts:  # noqa: PLR2004 - hours or degrees, minutes, seconds
        return None
    whole, minutes, seconds = (abs(part) for part in parts if part is not None)
    sign = -1 if text.strip().startswith("-") else 1
    return sign * (whole + minutes / 60 + seconds / 3600) * factor
