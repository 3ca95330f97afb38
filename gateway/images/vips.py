"""A picture file opened by libvips: its header, the memory for decoding it, and its samples, strip by strip."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pyvips
from PIL import Image

from gateway.images.reduce import block_means, strip_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_LOADERS = {"JPEG": "jpegload_buffer", "PNG": "pngload_buffer", "GIF": "gifload_buffer", "TIFF": "tiffload_buffer"}
_LOADERS["WEBP"] = "webpload_buffer"

_TYPES = {
    "uchar": np.uint8,
    "char": np.int8,
    "ushort": np.uint16,
    "short": np.int16,
    "uint": np.uint32,
    "int": np.int32,
    "float": np.float32,
    "double": np.float64,
}
_WITH_ALPHA = (2, 4, 5)
"""Numbers of planes that may include opacity: of gray, RGB and CMYK."""

PLAIN = {1: "L", 3: "RGB"}
"""Modes, by planes, of a JPEG that Pillow decodes unless it is reduced: by the same library, in a third of the time."""

_MOST_FRAMES = 5
"""Most frames that are examined, of an animation that begins with frames of one colour."""

# A decoder is used once per file: a cache of them would only hold memory.
pyvips.cache_set_max(0)
pyvips.block_untrusted_set(True)  # noqa: FBT003 - the function's only argument


class VipsImage:
    """A file that libvips has opened: its header is known, no pixel is decoded."""

    words = 1
    """libvips' samples per sample of the file."""

    def __init__(self, data: bytes, file_format: str, **options: Any) -> None:
        self._data = data
        self._format = file_format
        self._options = options
        self.image = self._open()
        self.width: int = self.image.width
        self.height: int = self.image.height
        self.bands: int = self.image.bands
        self.dtype = np.dtype(_TYPES[self.image.format])
        self.orientation = self._field("orientation", 1)
        self.frames = self._field("n-pages", 1)
        self.part: str | None = None

    def _open(self, **options: Any) -> Any:
        load = getattr(pyvips.Image, _LOADERS[self._format])
        # below this level, errors such as a damaged strip would leave holes in the picture
        return load(self._data, access="sequential", fail_on="error", **self._options, **options)

    def _field(self, name: str, otherwise: int) -> int:
        return int(self.image.get(name)) if self.image.get_typeof(name) else otherwise

    @property
    def kind(self) -> str:
        """The file in words."""
        if self._field("interlaced", 0) and self._format == "PNG":
            return "interlaced PNG"
        if self._field("jpeg-multiscan", 0):
            return "progressive JPEG"
        return {"WEBP": "WebP"}.get(self._format, self._format)

    def cost(self, side: int) -> int:
        """Return an estimate of the bytes of memory that decoding takes, from the header."""
        pixels = self.width * self.height
        return self.held_whole(pixels) + self._working_bytes(pixels // side**2)

    def _working_bytes(self, pixels: int) -> int:
        """Return the bytes of the reduced picture, its copies and a few strips."""
        alpha = 8 if self.bands in _WITH_ALPHA else 0
        return pixels * (alpha + (12 if self.dtype == np.uint8 else 4 * self.bands + 19)) + 8_000_000

    def held_whole(self, pixels: int) -> int:
        """Return the bytes of the whole picture that the decoder holds."""
        if self._field("jpeg-multiscan", 0):
            chroma = self.image.get("jpeg-chroma-subsample") if self.image.get_typeof("jpeg-chroma-subsample") else ""
            return pixels * 2 * self.bands // (2 if chroma == "4:2:0" else 1)
        if self._format == "PNG" and self._field("interlaced", 0):
            return pixels * self.bands * self.dtype.itemsize
        if self._format == "GIF":
            return pixels * 8
        if self._format == "WEBP":
            # whole canvases of an animation; two copies of a lossless picture, before and after its transforms
            lossy = b"VP8L" not in self._data[12:4096]
            return pixels * 12 if self.frames > 1 else (0 if lossy else pixels * 8)
        return 0

    def samples(self, side: int) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
        """Decode, reduced by blocks of ``side``; return samples and opacity."""
        if self.frames > 1:
            return self._first_frame_that_shows(side)
        shrink = 1
        if self._format == "JPEG" and side == 1 and self.bands in PLAIN:
            mode, size = PLAIN[self.bands], (self.width, self.height)
            # libvips reports the cause of damage, Pillow does not
            with suppress(ValueError):
                whole = np.asarray(Image.frombytes(mode, size, self._data, "jpeg", mode, ""))
                return whole.reshape(self.height, self.width, self.bands), None
        if self._format == "JPEG" and side > 1:
            shrink = min(8, 1 << (side.bit_length() - 1))
            self.image = self._open(shrink=shrink)
        if self._format == "WEBP" and side > 1:
            self.image = self._open(scale=1 / side)
            side = 1
        return self._read(self.image, math.ceil(side / shrink))

    def _first_frame_that_shows(self, side: int) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
        """Return the first frame that is not all one colour, since many animations begin with a black one."""
        number = 0
        found = self._read(self.image, side)
        while np.ptp(found[0]) == 0 and number + 1 < min(self.frames, _MOST_FRAMES):
            number += 1
            found = self._read(self._open(page=number), side)
        self.part = f"frame {number + 1} of {self.frames}"
        return found

    def _read(self, image: pyvips.Image, side: int) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
        return read_strips(image, side, self.dtype, self.shaped, words=self.words)

    def shaped(self, strip: NDArray[Any], rows: int, bands: int) -> NDArray[Any]:
        """Return the decoded samples of some rows as an array ``[rows, columns, bands]``."""
        return of_rows(strip, rows, bands)


def of_rows(strip: NDArray[Any], rows: int, bands: int) -> NDArray[Any]:
    """Return the samples of some rows as an array ``[rows, columns, bands]``."""
    return strip.reshape(rows, -1, bands)


def read_strips(
    image: pyvips.Image,
    side: int,
    dtype: np.dtype[Any],
    shaped: Callable[[NDArray[Any], int, int], NDArray[Any]],
    *,
    words: int = 1,
) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
    """Read an image of libvips strip by strip, reduced by blocks of ``side``; return samples and opacity."""
    width, height, bands = image.width // words, image.height, image.bands
    cmyk = bands >= 4 and image.interpretation == "cmyk"
    alpha = bands in _WITH_ALPHA and not cmyk and bool(image.hasalpha())
    planes = 3 if cmyk else bands - alpha
    region = pyvips.Region.new(image)
    size = (math.ceil(height / side), math.ceil(width / side))
    samples = np.empty((*size, planes), np.uint8 if dtype == np.uint8 else np.float32)
    opacity = np.empty((*size, 1), np.float32) if alpha else None
    step = strip_rows(width * words * bands * dtype.itemsize, side)
    for row in range(0, height, step):
        rows = min(step, height - row)
        strip = shaped(np.frombuffer(region.fetch(0, row, width * words, rows), dtype), rows, bands)
        place = slice(row // side, row // side + math.ceil(rows / side))
        if cmyk:
            strip = _rgb_of_cmyk(strip)
        if opacity is None:
            samples[place] = rounded(block_means(strip, side), samples.dtype)
            continue
        cover = strip[..., -1:].astype(np.float32) / np.float32(full_scale(strip.dtype))
        if side == 1 or cover.min() == cover.max():
            samples[place] = rounded(block_means(strip[..., :-1], side), samples.dtype)
            opacity[place] = cover if side == 1 else cover.max()
            continue
        means = block_means(strip[..., :-1], side, cover)
        samples[place] = rounded(np.nan_to_num(means, nan=0.0) if samples.dtype == np.uint8 else means, samples.dtype)
        opacity[place] = block_means(cover, side)
    return samples, opacity


def full_scale(dtype: np.dtype[Any]) -> float:
    """Return the value of white, or of full opacity, in samples of this type."""
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0


def rounded(means: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Round means that are to be stored as integers."""
    return means if means.dtype == dtype or dtype != np.uint8 else np.rint(means)


def _rgb_of_cmyk(strip: NDArray[Any]) -> NDArray[Any]:
    """Convert CMYK to RGB without a profile, as Pillow and browsers do: each ink's transmission times that of black."""
    white = np.float32(full_scale(strip.dtype))
    clear = white - strip[..., :4].astype(np.float32)
    return rounded(clear[..., :3] * (clear[..., 3:] / white), strip.dtype).astype(strip.dtype)
