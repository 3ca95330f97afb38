"""Size of a cutout on the sky and in pixels: one rule for the surveys' images and for a user's own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.core import errors
from gateway.core.manifest import INPUT_SIDE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gateway.core.models import Galaxy, Target

FIELD_IN_D25 = 1.5
"""Side of the field of view in diameters of the 25 mag isophote, as the original system cuts it."""

D25, RADIUS, PETROSIAN, HALF_LIGHT = "d25", "radius", "petrosian", "half_light"
_R25_IN_SCALES = (25 - 21.65) / 1.0857
_HALF_LIGHT_IN_SCALES, _PETROSIAN_IN_SCALES = 1.678, 3.62
FIELD_IN = {
    D25: FIELD_IN_D25,
    RADIUS: 2 * FIELD_IN_D25,
    PETROSIAN: 2 * FIELD_IN_D25 * _R25_IN_SCALES / _PETROSIAN_IN_SCALES,
    HALF_LIGHT: 2 * FIELD_IN_D25 * _R25_IN_SCALES / _HALF_LIGHT_IN_SCALES,
}
"""Side of the field of view in a diameter or radius of each kind: 1.5, 3, 2.56 and 5.52.

A radius is that of the 25 mag isophote. The others are those of an exponential disc of Freeman's central brightness,
21.65 mag/arcsec^2 (1970, ApJ 160, 811), in its scale lengths: R25 = 3.09, half of the light within 1.678 (Graham and
Driver 2005, PASA 22, 118), and Petrosian's radius where the light of an annulus is a fifth of the mean within it, 3.62
(the ratio of Strauss et al. 2002, AJ 124, 1810).
"""

MIN_FOV_ARCMIN, MAX_FOV_ARCMIN = 0.2, 400.0
"""Smallest and largest useful field of view: a few pixels of any survey; the limit of a tangent plane. Arcmin."""

_LEAST_OWN_FOV_ARCMIN = 0.01
"""Smallest useful field of view for a user's own images, whose pixels may be a hundred times smaller, arcmin."""


def field_arcmin(galaxy: Galaxy, asked: float | None, *, least: float = MIN_FOV_ARCMIN) -> float:
    """Return the side of the square field around a galaxy, arcmin.

    Parameters
    ----------
    galaxy : Galaxy
        Galaxy in the centre of the field.
    asked : float or None
        Side as the user gave it, arcmin; 1.5 x D25 of the galaxy unless given.
    least : float
        Smallest useful side, arcmin. A smaller galaxy is shown with more sky around it.

    Raises
    ------
    gateway.core.errors.BadTarget
        The side is out of range, or neither a side nor a size of the galaxy is known.
    """
    fov = asked
    if fov is None:
        if galaxy.d25_arcmin is None:
            called = galaxy.name or "the galaxy there"
            raise errors.BadTarget(f"The size of {called} is not known: a field of view is needed.")
        fov = max(FIELD_IN_D25 * galaxy.d25_arcmin, least)
    if not least <= fov <= MAX_FOV_ARCMIN:
        raise errors.BadTarget(
            f"The field of view would be {fov:g} arcmin; it can be {least:g} to {MAX_FOV_ARCMIN:g} arcmin."
        )
    return fov


def side_pixels(fov_arcmin: float, pixel_arcsec: float) -> int:
    """Return the side of the picture of a field, pixels: the image's own number, within one to two model input sides.

    More than twice the model input's side would take time without improving the averaged pixels.
    """
    return max(INPUT_SIDE, min(2 * INPUT_SIDE, math.ceil(fov_arcmin * 60 / pixel_arcsec)))


@dataclass(frozen=True, slots=True)
class SkyField:
    """A square part of the sky.

    Attributes
    ----------
    ra_deg, dec_deg : float
        Centre, degrees (ICRS).
    fov_arcmin : float
        Side, arcmin.
    position_angle_deg : float, optional
        Direction that lies along the rows of the picture, degrees east of north. North is up and east left unless
        given.
    """

    ra_deg: float
    dec_deg: float
    fov_arcmin: float
    position_angle_deg: float | None = None


@dataclass(frozen=True, slots=True)
class SkyPoint:
    """Position of a galaxy of unknown size, and its position angle; see :class:`SkyField`.

    Attributes
    ----------
    ra_deg, dec_deg : float
        Position, degrees (ICRS).
    position_angle_deg : float, optional
        Position angle of the major axis, degrees east of north.
    """

    ra_deg: float
    dec_deg: float
    position_angle_deg: float | None = None

    def field(self, fov_arcmin: float) -> SkyField:
        """Return the field with this side around the position."""
        return SkyField(self.ra_deg, self.dec_deg, fov_arcmin, self.position_angle_deg)


@dataclass(frozen=True, slots=True)
class ImagingCutout:
    """A field cut from a user's images.

    Attributes
    ----------
    field : SkyField
        The part of the sky that was cut.
    bands : tuple of str
        Bands shown as red, green and blue; one band if it is shown in gray; empty where the files do not name bands.
    pixel_arcsec : float
        Side of the finest pixel of the images at this place, arcsec.
    rgb : uint8 [S, S, 3]
        The picture.
    """

    field: SkyField
    bands: tuple[str, ...]
    pixel_arcsec: float
    rgb: NDArray[np.uint8]


def field_around(galaxy: Galaxy, asked: Target) -> SkyField | SkyPoint:
    """Return the field around a galaxy in a user's own images: as requested, else as for a survey's cutout.

    For a galaxy of unknown size, return its position: the size is then measured in the images.

    Raises
    ------
    gateway.core.errors.BadTarget
        See :func:`field_arcmin`.
    """
    angle = galaxy.position_angle_deg if asked.position_angle_deg is None else asked.position_angle_deg
    point = SkyPoint(galaxy.ra_deg, galaxy.dec_deg, None if angle is None else angle % 180)
    if asked.fov_arcmin is None and galaxy.d25_arcmin is None:
        return point
    return point.field(field_arcmin(galaxy, asked.fov_arcmin, least=_LEAST_OWN_FOV_ARCMIN))
