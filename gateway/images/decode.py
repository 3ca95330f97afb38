"""Decodes image files of all common formats to RGB pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from PIL import Image

from gateway.core import errors
from gateway.images import corners, fits, raster
from gateway.images.complete import is_complete
from gateway.images.limits import MAX_PIXELS, MEMORY, Memory, Share
from gateway.images.stretch import ASINH, FITS_SCALES, NONE, PICTURE_SCALES, render

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gateway.core.models import Deadline

UNIFORM_RANGE = 3
"""A picture whose planes each span no more counts than this shows nothing (JPEG turns one colour into two or three)."""

_HALF = 0.5
_ROWS = 256
_SAMPLE = 1 << 18
"""Number of pixels that is enough to measure the sky's colour."""
_COLOURS = (1, 3)

_OTHERS = {
    b"PK\x03\x04": "a ZIP archive",
    b"\xfd7zXZ": "packed with xz",
    b"BM": "a BMP picture",
    b"%PDF": "a PDF document",
    b"XISF0100": "an XISF image",
    b"#ASDF": "an ASDF file",
    b"\0\0\0\x0cJXL ": "a JPEG XL picture",
    b"\xff\x0a": "a JPEG XL picture",
    b"\0\0\0\x0cjP": "a JPEG 2000 picture",
    b"\x89HDF": "an HDF5 file",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
}
"""Signatures of files that people send instead of pictures, so that the error can name the format."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded image.

    Attributes
    ----------
    rgb : uint8 [H, W, 3]
    format : str
        ``JPEG``, ``PNG``, ``GIF``, ``TIFF``, ``WEBP`` or ``FITS``.
    width, height : int
        Size of the file, pixels, as a person sees it (after its EXIF orientation). ``rgb`` of a large picture is
        smaller: it is reduced while reading, to sides of at most :data:`gateway.images.limits.WORKING_SIDE`.
    stretch : str
        ``none``, ``scaled to 8 bits`` or ``asinh``: see :mod:`gateway.images.stretch`.
    part : str, optional
        Image that was read, of several in the file, such as ``SCI, extension 1 of 3`` or ``page 2 of 2``.
    outside : bool [H, W], optional
        Pixels that show no sky: transparent, without a value at the edge, or empty corners
        (:func:`gateway.images.corners.empty`). In ``rgb`` they have the colour of the sky beside them.
    warnings : tuple of str
        Assumptions that were made, in plain words.
    """

    rgb: NDArray[np.uint8]
    format: str
    width: int
    height: int
    stretch: str = NONE
    part: str | None = None
    outside: NDArray[np.bool_] | None = None
    warnings: tuple[str, ...] = ()


def decode(
    data: bytes, *, max_pixels: int = MAX_PIXELS, memory: Memory = MEMORY, deadline: Deadline | None = None
) -> Picture:
    """Decode an image file as a person would see it.

    The orientation is applied. The largest page is taken, or the first frame that shows something. Transparent pixels
    get the colour of the picture's own background; CMYK, palette and grayscale become RGB. Samples of more than 8 bits
    are scaled in a finished picture, and stretched in a measured one (:func:`gateway.images.stretch.finished_scale`).

    Parameters
    ----------
    data : bytes
        Content of the file.
    max_pixels : int
        Most pixels; more are refused from the header alone, so that a decompression bomb takes neither memory nor time.
    memory : Memory
        Memory that all decoders share; the caller's thread waits for its share.
    deadline : Deadline, optional
        Limit of the wait for memory.

    Raises
    ------
    errors.UnsupportedImage
        The format is not supported.
    errors.ImageTooLarge
        The image has too many pixels, or decoding it needs too much memory.
    errors.BadImage
        The image is empty, truncated, damaged, too small, too long, or all one colour.
    errors.DeadlineExceeded
        Other decoders held the memory for too long.
    """
    if not data:
        raise errors.BadImage("The file is empty.")
    file_format = raster.format_of(data)
    if file_format is None:
        if fits.looks_like_fits(data):
            with Share(memory, deadline) as share:
                return _of_fits(data, max_pixels, share)
        raise errors.UnsupportedImage(
            f"The file is not an image in a format that is read (JPEG, PNG, GIF, TIFF, WebP or FITS){_instead(data)}.",
        )
    with Share(memory, deadline) as share:
        return _of_raster(data, file_format, max_pixels, share)


def _of_raster(data: bytes, file_format: str, max_pixels: int, share: Share) -> Picture:
    read = raster.read(data, file_format, max_pixels=max_pixels, share=share)
    samples, outside, measured = read.samples, None, None
    warnings: tuple[str, ...] = ()
    if samples.shape[2] not in _COLOURS:
        warnings = (f"The picture has {samples.shape[2]} planes of unknown colour; their mean is shown in gray.",)
        samples = samples.astype(np.float32).mean(axis=2, keepdims=True)
    opacity = read.opacity
    if opacity is not None and file_format == "TIFF" and not opacity.any():
        opacity = None  # an empty plane beside the colours; whether it is their opacity few programs say
    if opacity is not None:
        transparent = opacity[..., 0] < _HALF
        if transparent.all():
            raise errors.BadImage("The image is fully transparent: there is no galaxy to see in it.")
        outside = transparent if transparent.any() else None
    if samples.dtype == np.uint8:
        rgb, stretch = _over_own_background(samples, opacity), NONE
    else:
        planes = np.ascontiguousarray(np.moveaxis(samples, 2, 0))
        del samples
        if outside is not None:
            planes[:, outside] = np.nan
        rgb, stretch, unknown, more = render(planes, PICTURE_SCALES)
        measured = planes if stretch == ASINH else None
        outside, warnings = unknown if outside is None else outside, warnings + more
    return make_picture(
        rgb,
        file_format,
        read.width,
        read.height,
        stretch=stretch,
        part=read.part,
        outside=outside,
        warnings=warnings,
        measured=measured,
        complete=file_format == "PNG" and is_complete(data),
    )


def _of_fits(data: bytes, max_pixels: int, share: Share) -> Picture:
    found = fits.read(data, max_pixels=max_pixels, share=share)
    rgb, stretch, outside, warnings = render(found.planes, FITS_SCALES)
    return make_picture(
        rgb,
        "FITS",
        found.width,
        found.height,
        stretch=stretch,
        part=found.part,
        outside=outside,
        warnings=found.warnings + warnings,
        measured=found.planes if stretch == ASINH else None,
    )


def make_picture(
    rgb: NDArray[np.uint8],
    file_format: str,
    width: int,
    height: int,
    *,
    stretch: str = NONE,
    part: str | None = None,
    outside: NDArray[np.bool_] | None = None,
    warnings: tuple[str, ...] = (),
    measured: NDArray[np.float32] | None = None,
    complete: bool = False,
) -> Picture:
    """Return a :class:`Picture` of its parts, with its empty corners filled with its sky.

    ``measured`` are the pixels that a stretch made ``rgb`` of; see :func:`gateway.images.corners.empty`. A ``complete``
    picture is not searched for empty corners.

    Raises
    ------
    errors.BadImage
        The picture is all one colour.
    """
    # the middle row decides for nearly every picture that shows something, in a hundredth of the time
    if np.ptp(rgb[len(rgb) // 2], axis=0).max() <= UNIFORM_RANGE and all(
        high - low <= UNIFORM_RANGE for low, high in _extrema(rgb)
    ):
        raise errors.BadImage("The image is all one colour: there is no galaxy to see in it.")
    unseen = outside if complete else corners.empty(rgb, outside, measured)
    if unseen is not None:
        rgb = corners.filled(rgb, unseen)
    return Picture(rgb, file_format, width, height, stretch, part, unseen, warnings)


def _over_own_background(samples: NDArray[np.uint8], opacity: NDArray[np.float32] | None) -> NDArray[np.uint8]:
    """Return RGB; transparent pixels get the median of the darkest tenth of the opaque ones: the sky, if any."""
    rgb: NDArray[np.uint8] = np.repeat(samples, 3, axis=2) if samples.shape[2] == 1 else samples
    if opacity is None or opacity.min() >= 1:
        return rgb
    thinned = slice(None, None, 1 + math.isqrt(opacity.size // _SAMPLE))
    seen, cover = rgb[thinned, thinned], opacity[thinned, thinned, 0]
    opaque = seen[cover > _HALF].astype(np.float32)
    brightness = opaque.sum(axis=1)
    sky = np.median(opaque[brightness <= np.quantile(brightness, 0.1)], axis=0)
    blended = np.empty_like(rgb)
    for row in range(0, len(rgb), _ROWS):
        rows = slice(row, row + _ROWS)
        cover = opacity[rows]
        blended[rows] = np.rint(rgb[rows] * cover + sky * (1 - cover))
    return blended


def _instead(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        return "; it is a HEIF or AVIF picture"
    said = next((words for magic, words in _OTHERS.items() if data.startswith(magic)), None)
    return f"; it is {said}" if said else ""


def _extrema(rgb: NDArray[np.uint8]) -> list[tuple[int, int]]:
    # Pillow's extrema are thirty times faster than numpy's along a short last axis
    return [cast("tuple[int, int]", plane.getextrema()) for plane in Image.fromarray(rgb).split()]
