"""Masks of images: the bits that mark a pixel without a value, or a saturated one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.images.bands import wavelength_nm

if TYPE_CHECKING:
    from gateway.images.mosaic.sections import ImagePlane

_RUBIN, _PAN_STARRS, _LEGACY = re.compile("MP_(.+)"), re.compile(r"MSKNAM(\d+)"), re.compile(r"MBIT_(\d+)")
_BAD = {"BAD", "CR", "NO_DATA", "EDGE", "UNMASKEDNAN", "DETECTOR", "FLAT", "DARK", "BLANK", "CTE", "LOW", "CONV.BAD"}
"""Names of bits that mark bad pixels; others, such as DETECTED, STARCORE or GALAXY, mark the galaxy itself."""
_BAD_IN_BAND = "ALLMASK_"
_SATURATED = "SAT"
ANY = -1
"""All bits."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageMask:
    """The mask of an image.

    Attributes
    ----------
    plane : ImagePlane
    bad, saturated : int
        Bits of pixels without a value, and of saturated pixels.
    """

    plane: ImagePlane
    bad: int
    saturated: int

    @classmethod
    def of(cls, plane: ImagePlane, band: str | None) -> ImageMask:
        """Return the mask for an image of a band; where the header names no bits, every bit is bad."""
        named = _named_bits(plane.unit.header)
        if not named:
            return cls(plane, ANY, 0)
        wave = wavelength_nm(band or "")
        bad = sum(bit for name, bit in named.items() if name in _BAD or _is_of(name, wave))
        return cls(plane, bad, named.get(_SATURATED, 0))


def _is_of(name: str, wave: float | None) -> bool:
    found, ours, band = name.partition(_BAD_IN_BAND)
    return not found and bool(ours) and wave is not None and wavelength_nm(band.lower()) == wave


def _named_bits(header: Any) -> dict[str, int]:
    """Return the bits by the names in a header of Rubin and HSC, Pan-STARRS, or the Legacy Surveys."""
    named = {}
    for key in header:
        if found := _RUBIN.fullmatch(key):
            named[found[1]] = 1 << int(header[key])
        elif found := _PAN_STARRS.fullmatch(key):
            named[str(header[key]).strip()] = int(header[f"MSKVAL{found[1]}"])
        elif found := _LEGACY.fullmatch(key):
            named[str(header[key]).strip()] = 1 << int(found[1])
    return named
