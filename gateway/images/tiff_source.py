"""Reads the largest page of TIFF files: with libvips, under other tags for some kinds of samples, else with Pillow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyvips

from gateway.core import errors
from gateway.images import tiff
from gateway.images.tiff_pillow import PillowTiff
from gateway.images.vips import VipsImage

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Convert = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]

_KINDS = {1: "u", tiff.SIGNED: "i", tiff.FLOAT: "f"}
_BYTE, _HALF, _DOUBLE = 8, 16, 64
_COLOURS = 3
_MOST_SAMPLES = 16
_WIDEST = 1 << 20
_BITS = frozenset({1, 2, 4, 8, 16, 32, 64})
_COMPRESSIONS = frozenset({1, 2, 3, 4, 5, 7, 8, 32773, 32946, 50001})
"""Compressions that this libvips decodes: none, CCITT, LZW, JPEG, Deflate, PackBits and WebP."""
_NAMES = {6: "old-style JPEG", 34661: "JBIG", 34887: "LERC", 34925: "LZMA", 50000: "Zstandard"}


def opened(data: bytes) -> TiffSource | PillowTiff:
    """Open the largest page of a TIFF file with the library that reads its kind.

    Raises
    ------
    errors.BadImage
        No page is found, or its kind of samples is not supported.
    pyvips.Error
    """
    found = tiff.pages(data)
    if not found:
        raise errors.BadImage("The image file is damaged or truncated in its first bytes.")
    page = tiff.largest(found)
    if page.get(tiff.WIDTH) > _WIDEST:
        raise errors.BadImage(f"The image is {page.get(tiff.WIDTH)} pixels wide, which no picture of a galaxy is.")
    why = _beyond_libvips(page)
    source = TiffSource(data, page) if why is None else PillowTiff(data, page, why)
    if len(found) > 1:
        source.part = f"page {page.number + 1} of {len(found)}"
    return source


def _beyond_libvips(page: tiff.Page) -> str | None:
    compression = page.get(tiff.COMPRESSION)
    if compression not in _COMPRESSIONS:
        return f"compressed by {_NAMES.get(compression, f'method {compression}')}"
    if page.get(tiff.TILE_WIDTH) and page.get(tiff.PLANAR) != 1 and page.get(tiff.SAMPLES) > 1:
        return "in tiles of one plane each"
    if page.get(tiff.BITS) not in _BITS:
        return f"of {page.get(tiff.BITS)} bits a sample"
    return None


class TiffSource(VipsImage):
    """A page of a TIFF file that libvips has opened.

    Raises
    ------
    errors.BadImage
        Its kind of samples is not supported.
    pyvips.Error
    """

    def __init__(self, data: bytes, page: tiff.Page) -> None:
        self._page = page
        self._view = _view(page)
        self._convert = _conversion(page)
        changes = _changes(page, self._view)
        self._retagged = bool(changes)
        if changes:
            super().__init__(tiff.retagged(data, page, changes), "TIFF")
        else:
            super().__init__(data, "TIFF", page=page.number)
        if self._view is not None and self._view.itemsize == _DOUBLE // 8:
            self.words = 2
            self.width //= 2
        self.frames = 1

    def held_whole(self, pixels: int) -> int:  # noqa: ARG002 - the strips or tiles of a page decide it
        """Return the bytes of the strips or tiles that are decompressed at once, and of the file under other tags."""
        held = 3 * self._page.chunk_bytes if self._page.get(tiff.TILE_WIDTH) else self._page.chunk_bytes
        return held + (len(self._data) if self._retagged else 0)

    def shaped(self, strip: NDArray[Any], rows: int, bands: int) -> NDArray[Any]:
        """Return the decoded samples of some rows as an array ``[rows, columns, bands]``."""
        strip = super().shaped(strip, rows, bands)
        if self._convert is not None:
            return self._convert(strip)
        if self._view is None:
            return strip
        if self.words == 1:
            return strip.view(self._view).astype(np.float32)
        if self._page.get(tiff.PLANAR) == 1:
            words = strip.reshape(rows, -1, bands, 2)
        else:
            words = strip.reshape(rows, -1, 2, bands).transpose(0, 1, 3, 2)
        if self._data.startswith(b"MM"):
            words = words[..., ::-1]
        samples: NDArray[Any] = np.ascontiguousarray(words).view(self._view)[..., 0]
        return samples


def _view(page: tiff.Page) -> np.dtype[Any] | None:
    """Return the type of the samples, where libvips does not read it."""
    bits, kind = page.get(tiff.BITS), page.get(tiff.SAMPLE_FORMAT)
    if bits == _HALF and kind == tiff.FLOAT:
        return np.dtype("f2")
    if bits != _DOUBLE:
        return None
    if page.get(tiff.PREDICTOR) != 1 or kind not in _KINDS or not 0 < page.get(tiff.SAMPLES) <= _MOST_SAMPLES:
        raise errors.BadImage("TIFF samples of 64 bits are read as whole or real numbers without a predictor only.")
    return np.dtype(f"{_KINDS[kind]}8")


def _changes(page: tiff.Page, view: np.dtype[Any] | None) -> dict[int, tuple[int, ...]]:
    """Return the tags under which libvips reads the same bytes: 64 bits as two words, halves as integers."""
    each = page.get(tiff.SAMPLES)
    if view is not None and each <= _MOST_SAMPLES:
        changes: dict[int, tuple[int, ...]] = {tiff.SAMPLE_FORMAT: (1,) * each}
        if view.itemsize == _DOUBLE // 8:
            changes |= {tiff.WIDTH: (2 * page.get(tiff.WIDTH),), tiff.BITS: (_DOUBLE // 2,) * each}
            if page.get(tiff.TILE_WIDTH):
                changes[tiff.TILE_WIDTH] = (2 * page.get(tiff.TILE_WIDTH),)
        return changes
    if _conversion(page) is _rgb_of_lab:
        return {tiff.PHOTOMETRIC: (2,)}
    return {} if tiff.PHOTOMETRIC in page.numbers else {tiff.PHOTOMETRIC: (2 if each >= _COLOURS else 1,)}


def _conversion(page: tiff.Page) -> Convert | None:
    if page.get(tiff.BITS) != _BYTE or page.get(tiff.SAMPLES) < _COLOURS:
        return None
    if page.get(tiff.PHOTOMETRIC) == tiff.LAB:
        return _rgb_of_lab
    if page.get(tiff.PHOTOMETRIC) != tiff.YCBCR or page.get(tiff.COMPRESSION) == tiff.JPEG:
        return None
    if page.numbers.get(tiff.SUBSAMPLING, 1) != 1:
        raise errors.BadImage("TIFF with subsampled YCbCr is read from JPEG compression only.")
    return _rgb_of_ycbcr


def _rgb_of_lab(strip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert CIE L*a*b* of 8 bits, a and b signed, to RGB."""
    light = strip[..., :1].astype(np.float32) * np.float32(100 / 255)
    colour = strip[..., 1:3].view(np.int8).astype(np.float32)
    lab = np.concatenate([light, colour], axis=2)
    image = pyvips.Image.new_from_memory(lab.tobytes(), lab.shape[1], lab.shape[0], 3, "float")
    rgb = image.copy(interpretation="lab").colourspace("srgb")
    return np.frombuffer(rgb.write_to_memory(), np.uint8).reshape(lab.shape)


def _rgb_of_ycbcr(strip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert YCbCr to RGB by ITU-R BT.601, full range, as JPEG does."""
    light, blue, red = (strip[..., index].astype(np.float32) for index in range(3))
    blue, red = blue - 128, red - 128
    rgb = np.stack([light + 1.402 * red, light - 0.344136 * blue - 0.714136 * red, light + 1.772 * blue], axis=2)
    counts: NDArray[np.uint8] = np.rint(np.clip(rgb, 0, 255)).astype(np.uint8)
    return counts
