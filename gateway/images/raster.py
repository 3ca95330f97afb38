"""Reads JPEG, PNG, GIF, TIFF and WebP with libvips, within limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyvips

from gateway.core import errors
from gateway.images import tiff
from gateway.images.limits import Share, check_size
from gateway.images.reduce import block_side
from gateway.images.tiff_source import opened
from gateway.images.vips import VipsImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TRUNCATED = ("truncat", "premature", "unexpected end", "end of", "eof", "too short")
"""Words in libraries' errors about a file that ends too early."""
_UNKNOWN = ("unsupported", "not supported", "not implemented")
"""Words in libraries' errors about features that they do not support, such as JPEG of 12 bits."""


@dataclass(frozen=True, slots=True)
class Raster:
    """The decoded samples of a picture.

    Attributes
    ----------
    samples : [H, W, C]
        Samples, upright. uint8 of an 8-bit picture, float32 otherwise; one plane (gray), three (RGB) or more.
    opacity : float32 [H, W, 1] or None
        Opacity, 0 (transparent) to 1.
    width, height : int
        Size of the file, upright, pixels.
    part : str or None
        Name of the page or frame, where there are several.
    """

    samples: NDArray[Any]
    opacity: NDArray[np.float32] | None
    width: int
    height: int
    part: str | None


def format_of(data: bytes) -> str | None:
    """Return the format of a file by its first bytes; None for a format that is not read here."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG"):
        return "PNG"
    if data.startswith(b"GIF8"):
        return "GIF"
    if data.startswith(tiff.MAGIC):
        return "TIFF"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    return None


def read(data: bytes, file_format: str, *, max_pixels: int, share: Share) -> Raster:
    """Read a picture, reduced while reading where it is large.

    Parameters
    ----------
    data : bytes
        Content of the file.
    file_format : str
        Result of :func:`format_of`.
    max_pixels : int
        Most pixels of the file.
    share : Share
        Share of the decoders' memory, from which the needed memory is requested.

    Raises
    ------
    errors.BadImage, errors.ImageTooLarge, errors.DeadlineExceeded
    """
    try:
        source = opened(data) if file_format == "TIFF" else VipsImage(data, file_format)
    except pyvips.Error as error:
        raise errors.BadImage(
            f"The image file {_reason(str(error), 'is damaged or truncated in its first bytes')}."
        ) from error
    check_size(source.width, source.height, max_pixels)
    side = block_side(source.width, source.height)
    what = f"{source.kind} of {source.width} x {source.height} pixels"
    share.ask(source.cost(side), what)
    try:
        samples, opacity = source.samples(side)
    # decoders raise these errors for every kind of damage
    except (pyvips.Error, ValueError) as error:
        # libpng reports any failure as a read error
        cut = file_format == "PNG" and b"IEND" not in data
        reason = _reason("truncated" if cut else str(error), "is damaged and can't be decoded")
        raise errors.BadImage(f"The image file {reason}.") from error
    turn = _TURNS.get(source.orientation)
    width, height = source.width, source.height
    if turn is not None:
        samples, opacity = turn(samples), None if opacity is None else turn(opacity)
        samples = np.ascontiguousarray(samples)
    if source.orientation in tiff.TRANSPOSED:
        width, height = height, width
    return Raster(samples, opacity, width, height, source.part)


def _reason(said: str, otherwise: str) -> str:
    """Return why a library could not decode a file, by the library's message."""
    words = said.lower()
    if any(word in words for word in _UNKNOWN):
        return "is of a kind that is not read, or damaged"
    return "is truncated" if any(word in words for word in _TRUNCATED) else otherwise


_TURNS = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda a: np.rot90(a, 1),
}
"""Functions that turn samples upright, by the orientation of EXIF and TIFF."""
