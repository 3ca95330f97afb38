"""Masks and weights that lie in files of their own beside the images, told by their names."""

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
"""No images of the sky either: ``wt`` is what Pan-STARRS calls its variances."""


@dataclass(frozen=True, slots=True)
class Companions:
    """What lies beside images.

    Attributes
    ----------
    of : mapping
        An image to the files of its mask and its weights.
    aside : frozenset of str
        Files that are no images: those above, and maps of noise, depth and the like.
    """

    of: Mapping[str, Mapping[str, str]]
    aside: frozenset[str]


def companions(files: Sequence[str]) -> Companions:
    """Tell images from what lies beside them.

    A file belongs to an image in the same folder whose name differs in one word alone, between ``-``, ``_`` and ``.``:
    ``tile-invvar-g`` to ``tile-image-g`` or ``tile-g``, ``stk.g.mask`` to ``stk.g``; ``tile-maskbits`` to that of every
    band. What has such a name and belongs to nothing is an image, unless it is called a mask or a weight.
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
