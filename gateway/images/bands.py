"""Photometric bands by name: their wavelengths, and the choice of red, green and blue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_NANOMETRES = {
    # SDSS, Pan-STARRS, DES, LSST
    "u": 355, "g": 475, "r": 625, "i": 765, "z": 905, "y": 970,
    # Johnson and Cousins, and the same letters in the infrared; R, G and B of a colour camera have the same order
    "U": 365, "B": 445, "G": 530, "V": 551, "R": 650, "I": 806, "Z": 905, "Y": 1020, "J": 1240, "H": 1650, "K": 2190,
    "KS": 2150, "L": 3450, "M": 4750, "VIS": 715, "NISP-Y": 1080, "NISP-J": 1370, "NISP-H": 1770,
    "RED": 650, "GREEN": 530, "BLUE": 445, "RP": 625, "GP": 475, "IP": 765, "ZP": 905, "UP": 355,
    # ultraviolet and infrared satellites
    "FUV": 153, "NUV": 227, "UVW2": 193, "UVM2": 225, "UVW1": 260, "W1": 3350, "W2": 4600, "W3": 11560, "W4": 22090,
    "IRAC1": 3550, "IRAC2": 4490, "IRAC3": 5730, "IRAC4": 7870,
    # narrow bands of amateurs
    "HA": 656, "HALPHA": 656, "OIII": 501, "SII": 672, "NII": 658, "HB": 486,
}  # fmt: skip
"""Effective wavelengths of the common systems (Bessell 2005, ARA&A 43, 293), nm: only their order matters."""

_HUBBLE = re.compile(r"F(\d{3,4})(?:W|M|N|LP|X|W2)\w*", re.IGNORECASE)
_INFRARED_OF_HUBBLE = 200
_DIGITS_OF_WEBB = 10

_SDSS_FIRST = (("i", "r", "g"), ("z", "r", "g"))
"""Choices among more than three bands: the bands of the training images, then the bands that look most like them."""


def wavelength_nm(name: str, telescope: str = "") -> float | None:
    """Return the approximate wavelength of a band, nm; None for a name that is no band's.

    Parameters
    ----------
    name : str
        Name of the band, such as ``g``, ``r.00000``, ``DECam z``, ``SDSS i``, ``HSC-R2``, ``F606W`` or ``Ks``.
    telescope : str
        Name of the telescope. The numbers in Webb's filter names are hundredths of a micron; Hubble's are nanometres,
        or hundredths of a micron below 200.
    """
    words = [word for word in re.split(r"[\s._,/:;-]+", name.strip()) if word]
    for word in (name.strip(), *words, *(word.rstrip("0123456789'") for word in words)):
        known = _NANOMETRES.get(word) or _NANOMETRES.get(word.upper() if len(word) > 1 else word)
        if known is not None:
            return known
        match = _HUBBLE.fullmatch(word)
        if match:
            number = int(match[1])
            webb = "JWST" in telescope.upper() or len(match[1]) > len("606")
            return number * _DIGITS_OF_WEBB if webb or number < _INFRARED_OF_HUBBLE else number
    return None


def red_green_blue(names: Sequence[str], telescope: str = "") -> tuple[int, int, int] | None:
    """Choose three bands and order them by wavelength.

    Parameters
    ----------
    names : sequence of str
        Names of all bands.
    telescope : str
        Name of the telescope, as for :func:`wavelength_nm`.

    Returns
    -------
    (int, int, int) or None
        Indices of the bands for red (the longest wavelength), green and blue; None where the names do not decide it.
    """
    waves = [wavelength_nm(name, telescope) for name in names]
    if len(waves) < 3 or None in waves or len(set(waves)) < 3:  # red, green, blue
        return None
    for wanted in _SDSS_FIRST:
        if len(names) > len(wanted):
            places = [waves.index(_NANOMETRES[band]) for band in wanted if _NANOMETRES[band] in waves]
            if len(places) == len(wanted):
                return places[0], places[1], places[2]
    order = sorted(range(len(waves)), key=lambda index: -(waves[index] or 0))
    return order[0], order[len(order) // 2], order[-1]
