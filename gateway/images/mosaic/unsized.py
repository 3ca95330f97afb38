"""Cuts a galaxy of unknown size, whose size is measured in the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.core import errors
from gateway.core.models import Framing
from gateway.images.frame import framed

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.core.field_of_view import ImagingCutout, SkyField, SkyPoint
    from gateway.images.decode import Picture

_FIRST_PIXELS = 256
_WIDER, _TRIES = 2.5, 5
_NARROWER = 1.5
"""Least factor by which the field for the comparison is narrower, where the images end before a wider one."""
_FILLED = 0.7
"""Side of a galaxy's frame, in sides of a field, from which there is too little sky around it to judge."""
_GROWTH = 0.4
"""Largest exponent of an object's growth with the field: 0 is a galaxy in much sky, 1 fills any field."""
_SMALL = 0.1
"""Side of a frame, in sides of a field, below which a galaxy may be invisible in the next field."""
_ENOUGH_SHOWN, _ROUNDING = 0.9, 0.97


def cut_unsized(
    cut: Callable[[SkyField], tuple[Picture, ImagingCutout]], point: SkyPoint, finest_arcsec: float
) -> tuple[Picture, ImagingCutout]:
    """Cut a galaxy of unknown size: try ever wider fields until it has sky around it.

    The first field is 256 pixels of the images wide; each is 2.5 times as wide as the one before, up to the fifth, or
    to the limit of the images. The galaxy is the object at the position that does not grow in the next field: in a
    field that a galaxy fills, only its bulge is detected above its disc. It is then cut as wide as a frame around a
    galaxy in any picture (:func:`gateway.images.frame.framed`).

    Parameters
    ----------
    cut : callable
        Returns the picture of a field, and the cutout's facts.
    point : SkyPoint
        Position of the galaxy.
    finest_arcsec : float
        Side of the finest pixel of the images at this position, arcsec.

    Raises
    ------
    errors.BadTarget
        No such galaxy is found.
    errors.GatewayError
        See ``cut``.
    """
    fov = _FIRST_PIXELS * finest_arcsec / 60
    before: _Look | None = None
    look: _Look | None = None
    for _ in range(_TRIES):
        try:
            look = _look(*_shown(cut, point, fov))
        except (errors.OutsideImages, errors.ImageTooLarge):
            if look is None:
                raise
            break
        ends = look.fov < fov
        if ends and (before is None or before.fov * _NARROWER > look.fov):
            before = _look(*cut(point.field(look.fov / _NARROWER)))
        if before is not None and before.agrees(look):
            found = before if before.side < _FILLED * before.fov else look
            picture, used = cut(point.field(found.side))
            return replace(picture, warnings=(_told(used), *picture.warnings)), used
        if ends:
            break
        before = look
        fov *= _WIDER
    seen = look.fov if look is not None else fov
    raise errors.BadTarget(
        f"The size is not known, and no galaxy with sky around it is seen in {seen:.3g} arcmin around the position: "
        "name the field of view."
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """Side of a field, and side of the frame of the galaxy found in it, arcmin; infinite without one."""

    fov: float
    side: float

    def agrees(self, wider: _Look) -> bool:
        """Return whether a wider field confirms the galaxy: in a field that it fills, the object grows too."""
        if self.side >= self.fov:
            return False
        if wider.side == math.inf:
            return self.side < _SMALL * wider.fov
        return wider.side < _FILLED * wider.fov and wider.side < self.side * (wider.fov / self.fov) ** _GROWTH


def _shown(
    cut: Callable[[SkyField], tuple[Picture, ImagingCutout]], point: SkyPoint, fov_arcmin: float
) -> tuple[Picture, ImagingCutout]:
    """Cut a field; where the images end before it, cut one about as wide as they show."""
    try:
        return cut(point.field(fov_arcmin))
    except errors.OutsideImages as outside:
        shown = outside.extra.get("shown")
        if not isinstance(shown, float):
            raise
        return cut(point.field(fov_arcmin * math.sqrt(shown / _ENOUGH_SHOWN) * _ROUNDING))


def _look(picture: Picture, used: ImagingCutout) -> _Look:
    side, fov = len(picture.rgb), used.field.fov_arcmin
    try:
        square = framed(picture.rgb, Framing(x=side / 2, y=side / 2)).square
    except errors.BadTarget:
        square = None
    return _Look(fov, math.inf if square is None else fov * square.side / side)


def _told(used: ImagingCutout) -> str:
    return (
        f"The size of the galaxy is not known: the field of {used.field.fov_arcmin:.3g} arcmin is from the picture. "
        "Look whether it is the one you mean."
    )
