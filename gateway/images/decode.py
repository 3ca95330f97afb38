"""Decode image files as people have them to RGB pictures."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from gateway import errors
from gateway.images import fits
from gateway.images.limits import MAX_PIXELS, check_size
from gateway.images.stretch import stretch

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMATS = ("JPEG", "PNG", "GIF", "TIFF", "WEBP")
"""What Pillow is allowed to try; FITS is read beside it."""

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*", b"RIFF")

DRAFT_SIDE = 512
UNIFORM_RANGE = 3
"""A picture whose planes each span no more counts than this shows nothing (JPEG turns one colour into two or three)."""

# Pillow's own guard warns first and raises at twice its limit; ours refuses at the limit, before any pixel is decoded.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded image.

    Attributes
    ----------
    rgb : uint8 [H, W, 3]
    format : str
        ``JPEG``, ``PNG``, ``GIF``, ``TIFF``, ``WEBP`` or ``FITS``.
    width, height : int
        Of the file, pixels, as a person sees it (after its EXIF orientation). ``rgb`` of a large JPEG is smaller:
        it is reduced while decoding, never below 512 pixels.
    """

    rgb: NDArray[np.uint8]
    format: str
    width: int
    height: int


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode an image file as a person would see it.

    The EXIF orientation is applied; the first frame of an animation is taken; transparent pixels get the colour of the
    picture's own background; CMYK, palette and grayscale become RGB. A 16-bit PNG is a display image and is scaled to 8
    bits; TIFF of more than 8 bits and FITS are measurements and get an asinh stretch
    (:func:`gateway.images.stretch.stretch`).

    Parameters
    ----------
    data : bytes
        The file.
    max_pixels : int
        Refused above this, from the header alone: neither memory nor time is spent on a decompression bomb.

    Raises
    ------
    errors.UnsupportedImage
        Of no format that is read.
    errors.ImageTooLarge
        Too many pixels.
    errors.BadImage
        Empty, truncated, damaged, too small, or all one colour.
    """
    if not data:
        raise errors.BadImage("The file is empty.")
    if fits.looks_like_fits(data):
        planes, (width, height) = fits.read(data, max_pixels=max_pixels)
        return shown(stretch(planes), "FITS", width, height)
    return shown(*_decode_with_pillow(data, max_pixels))


def shown(rgb: NDArray[np.uint8], file_format: str, width: int, height: int) -> Picture:
    """Make a :class:`Picture` of its parts; raises :class:`~gateway.errors.BadImage` if it is all one colour."""
    if all(high - low <= UNIFORM_RANGE for low, high in _extrema(rgb)):
        raise errors.BadImage("The image is all one colour: there is no galaxy to see in it.")
    return Picture(rgb, file_format, width, height)


def _decode_with_pillow(data: bytes, max_pixels: int) -> tuple[NDArray[np.uint8], str, int, int]:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
            check_size(width, height, max_pixels)
            file_format = image.format or "unknown"
            image.draft(None, (DRAFT_SIDE, DRAFT_SIDE))
            image.load()
            if _orientation(image) in _TRANSPOSED:
                width, height = height, width
            return _rgb(_upright(image), file_format), file_format, width, height
    except UnidentifiedImageError as error:
        if data.startswith(_MAGIC):
            raise errors.BadImage("The image file is damaged or truncated in its first bytes.") from error
        raise errors.UnsupportedImage(
            "The file is not an image in a format that is read (JPEG, PNG, GIF, TIFF, WebP or FITS).",
        ) from error
    except errors.InclinetError:
        raise
    # Decoders meet damage with whatever they stumble over: all of it means that this file can't be read.
    except Exception as error:
        reason = "is truncated" if "truncated" in str(error).lower() else "is damaged and can't be decoded"
        raise errors.BadImage(f"The image file {reason}.") from error


_TRANSPOSED = frozenset({5, 6, 7, 8})
_EXIF_ORIENTATION = 0x0112


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - damaged EXIF says nothing about the pixels, which are what was asked about
        return 1


def _upright(image: Image.Image) -> Image.Image:
    return ImageOps.exif_transpose(image) if _orientation(image) != 1 else image


def _rgb(image: Image.Image, file_format: str) -> NDArray[np.uint8]:
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        samples = np.asarray(image)
        if file_format == "PNG":
            return np.repeat((samples // 257).astype(np.uint8)[..., None], 3, axis=2)
        return stretch(samples.astype(np.float32)[None])
    if image.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info:
        return _over_own_background(np.asarray(image.convert("RGBA")))
    return np.asarray(image.convert("RGB"))


def _over_own_background(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Put transparent pixels over the darkest tenth's median of the opaque ones: the sky, where there is any."""
    rgb, alpha = rgba[..., :3].astype(np.float32), rgba[..., 3:].astype(np.float32) / 255
    opaque = rgb[alpha[..., 0] > 0.5]  # noqa: PLR2004 - half transparent
    if not len(opaque):
        raise errors.BadImage("The image is fully transparent: there is no galaxy to see in it.")
    brightness = opaque.sum(axis=1)
    sky = np.median(opaque[brightness <= np.quantile(brightness, 0.1)], axis=0)
    blended: NDArray[np.uint8] = np.rint(rgb * alpha + sky * (1 - alpha)).astype(np.uint8)
    return blended


def _extrema(rgb: NDArray[np.uint8]) -> list[tuple[int, int]]:
    # Pillow's is thirty times faster than numpy's along a short last axis
    return [cast("tuple[int, int]", plane.getextrema()) for plane in Image.fromarray(rgb).split()]
