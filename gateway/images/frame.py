"""Chooses the part of a picture that is measured: the galaxy, where the picture shows much more than it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gateway.core import errors
from gateway.core.models import Ellipse, FrameChoice, Framing
from gateway.images.ellipse import fit_ellipse
from gateway.images.limits import SMALLEST_SIDE
from gateway.images.model_input import background
from gateway.images.sources import main_source, source_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL = 0.56
"""Side of a frame, in longer sides, below which a galaxy is framed: D25 is then at most half of the side. Two of the
1,199 measured pictures of EFIGI, which are 1 D25 wide, are framed nevertheless."""
_HALO = 0.38
"""Fitted diameter, in the whole picture, from which no other object is framed: that may be a star by the galaxy."""
FILLED = 0.75
"""Fitted diameter, in the whole picture, from which a galaxy certainly fills it. In a wide field the fit includes
stars and gives up to 0.75 for a galaxy that is half as wide."""
LARGE = 0.9
"""Largest diameter of an off-centre galaxy that is framed; a larger one is cut off rather than off centre."""
OFF_CENTRE = 0.18
"""Offset from the centre, in diameters, that counts as off centre; at least _OFF_SIDE of the longer side. From there
the networks err by half a degree more."""
_OFF_SIDE = 0.08
_SAME = 0.15

_IMPOSSIBLE, _TRAIL = 1.42, 0.1
"""Diameter, in longer sides, and axis ratio that no galaxy has; EFIGI's least fitted axis ratio is 0.139. Beyond them
the fitted object is the picture's border, its sky, or a satellite's trail."""

_SIDE = 1.3
"""Side of a frame, in diameters of the detected object: 1.2 D25, the median for EFIGI's galaxies embedded in fields,
with a scatter of an eighth. Networks err 0.11 deg more in frames of 1.2 D25 than in those of 1, 0.27 more in 1.4, and
0.6 more where frames of 1 scatter. An isophote, a Kron radius or a half-light radius scatters more about D25."""
FEWEST_PIXELS = 23
"""Fewest pixels across a galaxy: with fewer, no inclination can be judged."""
WIDEST = 2.0
"""Largest side of a frame, in longer sides of the picture."""


@dataclass(frozen=True, slots=True)
class Square:
    """A square part of a picture, pixels: centre, from the upper left corner, and side. It may cross the border."""

    x: float
    y: float
    side: float


@dataclass(frozen=True, slots=True)
class Framed:
    """The part of a picture that is measured.

    Attributes
    ----------
    rgb : uint8 [S, S, 3], or the picture itself
        Pixels of the part.
    square : Square, optional
        The part's position; None for the whole picture.
    ellipse : Ellipse, optional
        Fitted isophote, in units of the whole picture.
    warnings : tuple of str
        Doubts about the frame, in plain words.
    """

    rgb: NDArray[np.uint8]
    square: Square | None = None
    ellipse: Ellipse | None = None
    warnings: tuple[str, ...] = ()


def framed(
    rgb: NDArray[np.uint8], asked: Framing, *, scale: float = 1.0, outside: NDArray[np.bool_] | None = None
) -> Framed:
    """Choose the frame of a picture, cut it, and fit the isophote in it.

    Parameters
    ----------
    rgb : uint8 [H, W, 3]
    asked : Framing
        The user's choice, in pixels of the original.
    scale : float
        Pixels of the original per pixel of ``rgb``.
    outside : bool [H, W], optional
        Pixels that show no sky.

    Raises
    ------
    errors.BadTarget
        The given position is outside the picture or shows nothing, or the frame's size makes no sense.
    """
    if asked.x is not None and asked.y is not None:
        return _named(rgb, (asked.x, asked.y), asked.side, scale, outside)
    whole = Framed(rgb, ellipse=fit_ellipse(rgb, outside))
    fitted = whole.ellipse
    beyond = fitted is not None and (2 * fitted.semi_major > _IMPOSSIBLE or fitted.axis_ratio < _TRAIL)
    roughly = _square_of(rgb, fitted)
    if asked.choice is FrameChoice.WHOLE or (_fills(rgb, roughly, FILLED) and not beyond):
        return whole
    source = main_source(rgb, outside)
    if source is None:
        return whole if beyond or _fills(rgb, roughly, _HALO) else replace(whole, warnings=(_NOTHING,))
    square = Square(source.x, source.y, _SIDE * source.diameter)
    if _fills(rgb, square) or (not beyond and _fills(rgb, roughly, _HALO) and _apart(roughly, square)):
        return whole
    if square.side < FEWEST_PIXELS:
        return replace(whole, warnings=(_TOO_SMALL,))
    return replace(_measured_in(rgb, square, outside), warnings=(_small(square, scale),))


_TOO_SMALL = (
    f"The largest object is less than {FEWEST_PIXELS} pixels wide, too few to measure: "
    "the numbers are those of the whole picture and mean little."
)
_NOTHING = "No galaxy stands out in the picture, so the whole of it was measured. If there is one, say where: x and y."


def _small(square: Square, scale: float) -> str:
    x, y, side = (round(scale * value) for value in (square.x, square.y, square.side))
    return (
        f"The galaxy is small or off centre in the picture: {side} pixels around x = {x}, y = {y} were measured. "
        "Look whether that is the one you mean."
    )


def cut(rgb: NDArray[np.uint8], square: Square) -> NDArray[np.uint8]:
    """Return a square part of a picture, uint8 ``[S, S, 3]``; beyond the border it has the colour of the sky."""
    height, width = rgb.shape[:2]
    side = max(1, round(square.side))
    left, top = round(square.x - side / 2), round(square.y - side / 2)
    part = rgb[max(top, 0) : min(top + side, height), max(left, 0) : min(left + side, width)]
    if part.shape[:2] == (side, side):
        return np.ascontiguousarray(part)
    padded = np.empty((side, side, 3), np.uint8)
    padded[:] = background(part)
    down, right = max(-top, 0), max(-left, 0)
    padded[down : down + part.shape[0], right : right + part.shape[1]] = part
    return padded


def _cut_mask(outside: NDArray[np.bool_], square: Square) -> NDArray[np.bool_]:
    planes = np.repeat(outside[..., None].astype(np.uint8), 3, axis=2)
    return cut(planes, square)[..., 0] > 0


def _named(
    rgb: NDArray[np.uint8],
    place: tuple[float, float],
    side: float | None,
    scale: float,
    outside: NDArray[np.bool_] | None,
) -> Framed:
    (x, y), (height, width) = place, rgb.shape[:2]
    if not (0 <= x <= width * scale and 0 <= y <= height * scale):
        size = f"{width * scale:.0f} x {height * scale:.0f}"
        raise errors.BadTarget(f"The place x = {x:g}, y = {y:g} is not in the picture, which has {size} pixels.")
    if side is not None:
        longest = WIDEST * max(height, width) * scale
        if not SMALLEST_SIDE <= side <= longest:
            raise errors.BadTarget(
                f"The side of the frame must be {SMALLEST_SIDE} to {longest:.0f} pixels in this picture, not {side:g}."
            )
        return _measured_in(rgb, Square(x / scale, y / scale, side / scale), outside)
    source = source_at(rgb, x / scale, y / scale, outside)
    if source is None:
        raise errors.BadTarget(
            f"Nothing stands out of the sky at x = {x:g}, y = {y:g}: name the side of the frame too, in pixels."
        )
    around = Square(source.x, source.y, max(_SIDE * source.diameter, SMALLEST_SIDE / scale))
    return _measured_in(rgb, around, outside)


def _measured_in(rgb: NDArray[np.uint8], square: Square, outside: NDArray[np.bool_] | None) -> Framed:
    """Cut a part of a picture and fit the isophote in it, so that equal frames give equal answers."""
    part = cut(rgb, square)
    hidden = None if outside is None else _cut_mask(outside, square)
    fitted = fit_ellipse(part, hidden)
    if fitted is None:
        return Framed(part, square)
    height, width = rgb.shape[:2]
    side = len(part)
    left, top = round(square.x - side / 2), round(square.y - side / 2)
    fitted = replace(
        fitted,
        x=(left + fitted.x * side) / width,
        y=(top + fitted.y * side) / height,
        semi_major=fitted.semi_major * side / max(height, width),
        semi_minor=fitted.semi_minor * side / max(height, width),
    )
    return Framed(part, square, fitted)


def _square_of(rgb: NDArray[np.uint8], fitted: Ellipse | None) -> Square | None:
    if fitted is None:
        return None
    height, width = rgb.shape[:2]
    return Square(fitted.x * width, fitted.y * height, 2 * fitted.semi_major * max(height, width))


def _apart(one: Square | None, other: Square) -> bool:
    """Return whether two frames show different objects: a star beside the galaxy must not replace it."""
    return one is not None and math.hypot(one.x - other.x, one.y - other.y) > _SAME * one.side


def _fills(rgb: NDArray[np.uint8], square: Square | None, least: float = SMALL) -> bool:
    """Return whether the galaxy in a frame fills the picture as well as it would fill a frame of 1 to 2 D25."""
    if square is None:
        return False
    height, width = rgb.shape[:2]
    side = max(height, width)
    off = math.hypot(square.x - width / 2, square.y - height / 2)
    centred = square.side >= LARGE * side or off <= max(OFF_CENTRE * square.side, _OFF_SIDE * side)
    return bool(centred and square.side >= least * side)
