"""Read JPEG, PNG, GIF, TIFF and WebP with libvips, strip by strip."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyvips

from gateway import errors
from gateway.images import tiff
from gateway.images.limits import Share, check_size
from gateway.images.reduce import block_means, block_side, strip_rows

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
_TRUNCATED = ("truncat", "premature", "unexpected end", "end of", "eof", "too short")
"""Words of libraries for a file that ends too early."""
_MOST_FRAMES = 5
"""Of an animation that begins with frames of one colour, the first so many are looked at."""

# A decoder is used once per file: a cache of them would only hold memory.
pyvips.cache_set_max(0)
pyvips.block_untrusted_set(True)  # noqa: FBT003 - the function's only argument


@dataclass(frozen=True, slots=True)
class Raster:
    """What was read.

    Attributes
    ----------
    samples : [H, W, C]
        Upright. uint8 of an 8-bit picture, float32 otherwise; one plane (gray), three (RGB) or more.
    opacity : float32 [H, W, 1] or None
        0 (transparent) to 1.
    width, height : int
        Of the file, upright, pixels.
    part : str or None
        Which page or frame, where there are several.
    """

    samples: NDArray[Any]
    opacity: NDArray[np.float32] | None
    width: int
    height: int
    part: str | None


def format_of(data: bytes) -> str | None:
    """Return the format that a file's first bytes tell, None for one that is not read here."""
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
    file_format : str
        As :func:`format_of` says.
    max_pixels : int
    share : Share
        Asked for the memory that it will take.

    Raises
    ------
    errors.BadImage, errors.ImageTooLarge, errors.DeadlineExceeded
    """
    try:
        source = _Tiff(data) if file_format == "TIFF" else _Source(data, file_format)
    except pyvips.Error as error:
        raise errors.BadImage("The image file is damaged or truncated in its first bytes.") from error
    check_size(source.width, source.height, max_pixels)
    side = block_side(source.width, source.height)
    what = f"{source.kind} of {source.width} x {source.height} pixels"
    share.ask(source.cost(side), what)
    try:
        samples, opacity = source.samples(side)
    # Decoders meet damage with whatever they stumble over: all of it means that this file can't be read.
    except (pyvips.Error, ValueError) as error:
        words = str(error).lower()
        cut = any(word in words for word in _TRUNCATED)
        reason = "is truncated" if cut else "is damaged and can't be decoded"
        raise errors.BadImage(f"The image file {reason}.") from error
    turn = _TURNS.get(source.orientation)
    width, height = source.width, source.height
    if turn is not None:
        samples, opacity = turn(samples), None if opacity is None else turn(opacity)
        samples = np.ascontiguousarray(samples)
    if source.orientation in _TRANSPOSED:
        width, height = height, width
    return Raster(samples, opacity, width, height, source.part)


_TRANSPOSED = frozenset({5, 6, 7, 8})
_TURNS = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda a: np.rot90(a, 1),
}
"""How samples are turned upright, by the orientation of EXIF and TIFF."""


class _Source:
    """A file that libvips has opened: its header is known, no pixel is decoded."""

    words = 1
    """Samples of libvips to a sample of the file."""

    def __init__(self, data: bytes, file_format: str, **options: Any) -> None:
        self._data = data
        self._format = file_format
        self._options = options
        self.image = self._open()
        self.width: int = self.image.width
        self.height: int = self.image.height
        self.orientation = self._field("orientation", 1)
        self.frames = self._field("n-pages", 1)
        self.part: str | None = None

    def _open(self, **options: Any) -> pyvips.Image:
        load = getattr(pyvips.Image, _LOADERS[self._format])
        return load(self._data, access="sequential", fail_on="truncated", **self._options, **options)

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
        """Estimate the bytes that decoding takes, from the header."""
        pixels = self.width * self.height
        pixel_bytes = self.image.bands * np.dtype(_TYPES[self.image.format]).itemsize
        return self._held_whole(pixels, pixel_bytes) + _working_bytes(pixels // side**2, self.image)

    def _held_whole(self, pixels: int, pixel_bytes: int) -> int:
        """Bytes that the decoder holds of the whole picture."""
        if self._field("jpeg-multiscan", 0):
            chroma = self.image.get("jpeg-chroma-subsample") if self.image.get_typeof("jpeg-chroma-subsample") else ""
            return pixels * 2 * self.image.bands // (2 if chroma == "4:2:0" else 1)
        if self._format == "PNG" and self._field("interlaced", 0):
            return pixels * pixel_bytes
        if self._format == "GIF":
            return pixels * 8
        if self._format == "WEBP":
            # whole canvases of an animation; else one in whole of a lossless picture, and a reduced one
            lossy = b"VP8L" not in self._data[12:4096]
            return pixels * 12 if self.frames > 1 else (0 if lossy else pixels * 4)
        return 0

    def samples(self, side: int) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
        """Decode, reduced by blocks of ``side``; returns samples and opacity."""
        if self.frames > 1:
            return self._first_frame_that_shows(side)
        shrink = 1
        if self._format == "JPEG" and side > 1:
            shrink = min(8, 1 << (side.bit_length() - 1))
            self.image = self._open(shrink=shrink)
        if self._format == "WEBP" and side > 1:
            self.image = self._open(scale=1 / side)
            side = 1
        return self._read(self.image, math.ceil(side / shrink))

    def _first_frame_that_shows(self, side: int) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
        """Take the first frame that is not all one colour: many animations begin with a black one."""
        number = 0
        found = self._read(self.image, side)
        while np.ptp(found[0]) == 0 and number + 1 < min(self.frames, _MOST_FRAMES):
            number += 1
            found = self._read(self._open(page=number), side)
        self.part = f"frame {number + 1} of {self.frames}"
        return found

    def _read(self, image: pyvips.Image, side: int) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
        width, height, dtype = image.width // self.words, image.height, np.dtype(_TYPES[image.format])
        cmyk = image.interpretation == "cmyk" and image.bands >= 4  # noqa: PLR2004 - its planes
        alpha = not cmyk and bool(image.hasalpha())
        planes = 3 if cmyk else image.bands - alpha
        region = pyvips.Region.new(image)
        size = (math.ceil(height / side), math.ceil(width / side))
        samples = np.empty((*size, planes), np.uint8 if dtype == np.uint8 else np.float32)
        opacity = np.empty((*size, 1), np.float32) if alpha else None
        step = strip_rows(image.width * image.bands * dtype.itemsize, side)
        for row in range(0, height, step):
            rows = min(step, height - row)
            strip = self._shaped(np.frombuffer(region.fetch(0, row, image.width, rows), dtype), rows, image)
            place = slice(row // side, row // side + math.ceil(rows / side))
            if cmyk:
                strip = _rgb_of_cmyk(strip)
            if opacity is None:
                samples[place] = _rounded(block_means(strip, side), samples.dtype)
                continue
            cover = strip[..., -1:].astype(np.float32) / np.float32(_full_scale(strip.dtype))
            if side == 1 or cover.min() == cover.max():
                samples[place] = _rounded(block_means(strip[..., :-1], side), samples.dtype)
                opacity[place] = cover if side == 1 else cover.max()
                continue
            means = block_means(strip[..., :-1], side, cover)
            samples[place] = _rounded(
                np.nan_to_num(means, nan=0.0) if samples.dtype == np.uint8 else means, samples.dtype
            )
            opacity[place] = block_means(cover, side)
        return samples, opacity

    def _shaped(self, strip: NDArray[Any], rows: int, image: pyvips.Image) -> NDArray[Any]:
        return strip.reshape(rows, image.width, image.bands)


def _working_bytes(pixels: int, image: pyvips.Image) -> int:
    """Bytes of the reduced picture, its copies and a few strips."""
    deep = image.format != "uchar"
    alpha = 8 if image.hasalpha() else 0
    return pixels * ((4 * image.bands + 19) if deep else 12) + pixels * alpha + 8_000_000


def _full_scale(dtype: np.dtype[Any]) -> float:
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0


def _rounded(means: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    return means if means.dtype == dtype or dtype != np.uint8 else np.rint(means)


def _rgb_of_cmyk(strip: NDArray[Any]) -> NDArray[Any]:
    """Convert without a profile, as Pillow and browsers do: what the inks let through, times what black lets through."""
    white = np.float32(_full_scale(strip.dtype))
    clear = white - strip[..., :4].astype(np.float32)
    return _rounded(clear[..., :3] * (clear[..., 3:] / white), strip.dtype).astype(strip.dtype)


class _Tiff(_Source):
    """A TIFF file, of which the largest page is read, under other tags where libvips knows its samples not."""

    def __init__(self, data: bytes) -> None:
        found = tiff.pages(data)
        if not found:
            raise errors.BadImage("The image file is damaged or truncated in its first bytes.")
        self._page = page = tiff.largest(found)
        self._width = page.get(tiff.WIDTH)
        bits, kind = page.get(tiff.BITS), page.get(tiff.SAMPLE_FORMAT)
        self._view: np.dtype[Any] | None = None
        self._convert: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None
        changes: dict[int, tuple[int, ...]] = {}
        each = page.get(tiff.SAMPLES)
        if bits == 64:  # noqa: PLR2004 - what is read as twice as many samples of 32
            if page.get(tiff.PREDICTOR) != 1 or kind not in _KINDS or not 0 < each <= _MOST_SAMPLES:
                raise errors.BadImage("TIFF samples of 64 bits are read without a predictor only.")
            self._view = np.dtype(f"{_KINDS[kind]}8")
            self.words = 2
            changes = {tiff.WIDTH: (2 * self._width,), tiff.BITS: (32,) * each, tiff.SAMPLE_FORMAT: (1,) * each}
            if page.get(tiff.TILE_WIDTH):
                changes[tiff.TILE_WIDTH] = (2 * page.get(tiff.TILE_WIDTH),)
        elif bits == 16 and kind == tiff.FLOAT and 0 < each <= _MOST_SAMPLES:  # noqa: PLR2004 - half precision
            self._view = np.dtype("f2")
            changes = {tiff.SAMPLE_FORMAT: (1,) * each}
        elif (
            page.get(tiff.PHOTOMETRIC) == tiff.YCBCR
            and page.get(tiff.COMPRESSION) != tiff.JPEG
            and each >= 3
            and bits == 8
        ):  # noqa: PLR2004
            if page.numbers.get(tiff.SUBSAMPLING, 1) != 1:
                raise errors.BadImage("TIFF with subsampled YCbCr is read from JPEG compression only.")
            self._convert = _rgb_of_ycbcr
        elif page.get(tiff.PHOTOMETRIC) == tiff.LAB and bits == 8 and each >= 3:  # noqa: PLR2004 - L, a and b in bytes
            changes = {tiff.PHOTOMETRIC: (2,)}
        if tiff.PHOTOMETRIC in changes:
            self._convert = _rgb_of_lab
        if self._width > _WIDEST:
            raise errors.BadImage(f"The image is {self._width} pixels wide, which no picture of a galaxy is.")
        self._retagged = bool(changes)
        if changes:
            super().__init__(tiff.retagged(data, page, changes), "TIFF")
        else:
            super().__init__(data, "TIFF", page=page.number)
        self.width = self._width
        self.frames = 1
        if len(found) > 1:
            self.part = f"page {page.number + 1} of {len(found)}"

    def _held_whole(self, pixels: int, pixel_bytes: int) -> int:
        held = 3 * self._page.chunk_bytes if self._page.get(tiff.TILE_WIDTH) else self._page.chunk_bytes
        return held + (len(self._data) if self._retagged else 0)

    def _shaped(self, strip: NDArray[Any], rows: int, image: pyvips.Image) -> NDArray[Any]:
        strip = super()._shaped(strip, rows, image)
        if self._convert is not None:
            return self._convert(strip)
        if self._view is None:
            return strip
        if self._view.itemsize == 2:  # noqa: PLR2004 - bytes
            return strip.view(self._view).astype(np.float32)
        if self._page.get(tiff.PLANAR) == 1:
            words = strip.reshape(rows, self._width, image.bands, 2)
        else:
            words = strip.reshape(rows, self._width, 2, image.bands).transpose(0, 1, 3, 2)
        if self._data.startswith(b"MM"):
            words = words[..., ::-1]
        return np.ascontiguousarray(words).view(self._view)[..., 0]


_KINDS = {1: "u", tiff.SIGNED: "i", tiff.FLOAT: "f"}
_MOST_SAMPLES = 16
_WIDEST = 1 << 20


def _rgb_of_lab(strip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert CIE L*a*b* in bytes, a and b signed."""
    light = strip[..., :1].astype(np.float32) * np.float32(100 / 255)
    colour = strip[..., 1:3].view(np.int8).astype(np.float32)
    lab = np.concatenate([light, colour], axis=2)
    image = pyvips.Image.new_from_memory(lab.tobytes(), lab.shape[1], lab.shape[0], 3, "float")
    rgb = image.copy(interpretation="lab").colourspace("srgb")
    return np.frombuffer(rgb.write_to_memory(), np.uint8).reshape(lab.shape)


def _rgb_of_ycbcr(strip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert by ITU-R BT.601, full range, as JPEG does."""
    light, blue, red = (strip[..., index].astype(np.float32) for index in range(3))
    blue, red = blue - 128, red - 128
    rgb = np.stack([light + 1.402 * red, light - 0.344136 * blue - 0.714136 * red, light + 1.772 * blue], axis=2)
    return np.rint(np.clip(rgb, 0, 255)).astype(np.uint8)
