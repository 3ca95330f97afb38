"""Masks and weights in separate files beside the images, recognised by their names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.images.bands import wavelength_nm
from gateway.tables.folders import FITS_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MASK, WEIGHT = "mask", "weight"
_IMAGE = {"image", "img", "sci", "science"}
_ROLES = {
    **dict.fromkeys(("mask", "msk", "maskbits", "dq", "bpm", "flag", "flags"), MASK),
    **dict.fromkeys(("invvar", "ivar", "weight", "weights", "wht"), WEIGHT),
}
_OTHERS = (
    "wt var variance rms err unc sigma exp expwt num nexp cov chi2 model blobmodel resid depth galdepth psfsize psf "
    "sky bkg background seg segmentation"
)
"""Words in the names of files that are no images of the sky; ``wt`` is Pan-STARRS's name for variances."""


@dataclass(frozen=True, slots=True)
class Companions:
    """The files that accompany images.

    Attributes
    ----------
    of : mapping
        Files of the mask and the weights, by image.
    aside : frozenset of str
        Files that are no images: masks and weights, and maps of noise, depth and the like.
    """

    of: Mapping[str, Mapping[str, str]]
    aside: frozenset[str]


def companions(files: Sequence[str]) -> Companions:
    """Separate images from the files that accompany them.

    A file belongs to an image in the same folder whose name differs in a single word, between ``-``, ``_`` and ``.``:
    ``tile-invvar-g`` to ``tile-image-g`` or ``tile-g``, ``stk.g.mask`` to ``stk.g``; ``tile-maskbits`` to that of every
    band. A file with such a name but no image is an image itself, unless its name says mask or weight.
    """
    images: dict[tuple[str, ...], list[str]] = {}
    beside: list[tuple[str, tuple[str, ...], str | None]] = []
    others = set(_OTHERS.split())
    for file in files:
        words = _words(file)
        roles = [word for word in words if word in _ROLES or word in others]
        key = tuple(word for word in words if word not in _IMAGE and word not in roles)
        if roles:
            beside.append((file, key, _ROLES.get(roles[0])))
        else:
            for one in {key, tuple(word for word in key if wavelength_nm(word) is None)}:
                images.setdefault(one, []).append(file)
    found: dict[str, dict[str, str]] = {}
    aside = set()
    for file, key, role in beside:
        owners = images.get(key, [])
        if owners or role is not None:
            aside.add(file)
        for owner in owners:
            if role is not None:
                found.setdefault(owner, {}).setdefault(role, file)
    return Companions(found, frozenset(aside))


def _words(file: str) -> list[str]:
    folder, _, name = file.rpartition("/")
    ends = next((end for end in sorted(FITS_SUFFIXES, key=len, reverse=True) if name.lower().endswith(end)), "")
    return [f"{folder}/", *re.split(r"[-_.]+", name[: len(name) - len(ends)].lower())]
