"""Headers of TIFF files: which page to read, the memory that it takes, and how libvips can be made to read it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BIG = (b"II+\0", b"MM\0+")
_MOST_PAGES = 256
_MOST_ENTRIES = 512

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, ROWS, PLANAR = 256, 257, 258, 259, 262, 277, 278, 284
ORIENTATION = 274
SUBFILE, PREDICTOR, TILE_WIDTH, TILE_HEIGHT, SAMPLE_FORMAT, SUBSAMPLING = 254, 317, 322, 323, 339, 530
_SHORT, _LONG = 3, 4
_NUMBERS = {1: "B", _SHORT: "H", _LONG: "I", 16: "Q"}
_DEFAULTS = {BITS: 1, COMPRESSION: 1, PHOTOMETRIC: 1, SAMPLES: 1, PLANAR: 1, SAMPLE_FORMAT: 1, PREDICTOR: 1, SUBFILE: 0}
_DEFAULTS[ORIENTATION] = 1
TRANSPOSED = frozenset({5, 6, 7, 8})
"""Orientations of EXIF and TIFF in which rows are columns."""

YCBCR, LAB = 6, 8
JPEG = 7
_REDUCED, _MASK = 1, 4
FLOAT, SIGNED = 3, 2


@dataclass(frozen=True, slots=True)
class Page:
    """One image of a TIFF file.

    Attributes
    ----------
    number : int
        Index in the file, from 0.
    numbers : dict
        First value of each integer tag, by tag.
    entries : tuple of bytes
        Entries of the directory, as they are in the file.
    """

    number: int
    numbers: dict[int, int]
    entries: tuple[bytes, ...]

    def get(self, tag: int) -> int:
        """Return the value of a tag, or the standard's default where it is missing."""
        return self.numbers.get(tag, _DEFAULTS.get(tag, 0))

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.get(WIDTH) * self.get(HEIGHT)

    @property
    def bytes_per_pixel(self) -> int:
        """Bytes of a pixel with all of its samples."""
        return max(1, self.get(BITS) * self.get(SAMPLES) // 8)

    @property
    def chunk_bytes(self) -> int:
        """Bytes that are decompressed at once: a row of tiles or a strip."""
        width, height = self.get(WIDTH), self.get(HEIGHT)
        if self.get(TILE_WIDTH) and self.get(TILE_HEIGHT):
            across = -(-width // self.get(TILE_WIDTH)) * self.get(TILE_WIDTH)
            return across * self.get(TILE_HEIGHT) * self.bytes_per_pixel
        return width * min(self.numbers.get(ROWS, height), height) * self.bytes_per_pixel


def pages(data: bytes) -> list[Page]:
    """Return the pages of a TIFF file in their order, up to the first that can't be read."""
    order, big = _order(data), data[:4] in _BIG
    found: list[Page] = []
    seen: set[int] = set()
    try:
        offset = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
        while offset and offset not in seen and len(found) < _MOST_PAGES:
            seen.add(offset)
            page, offset = _page(data, len(found), offset, order, big=big)
            found.append(page)
    # an offset of BigTIFF may be too large for an index of Python
    except (struct.error, ValueError, OverflowError):
        pass
    return found


def largest(found: list[Page]) -> Page:
    """Return the page with most pixels, the first of equal ones; thumbnails and masks only without any other page."""
    images = [page for page in found if not page.get(SUBFILE) & (_REDUCED | _MASK)]
    return max(images or found, key=lambda page: page.pixels)


def retagged(data: bytes, page: Page, changes: dict[int, tuple[int, ...]]) -> bytes:
    """Return the file with a changed directory for one page, its only one: the same samples under other tags.

    libvips reads no samples of 64 bits, halves or CIE L*a*b*, but libtiff also unpacks their bytes under other tags.

    Parameters
    ----------
    data : bytes
        Content of the file.
    page : Page
        The page that stays.
    changes : dict
        New values by tag, integers of at most 32 bits.
    """
    order, big = _order(data), data[:4] in _BIG
    room, head = (8, "HHQ") if big else (4, "HHI")
    entries = {struct.unpack_from(order + "H", entry)[0]: entry for entry in page.entries}
    start = len(data) + len(data) % 2
    count = len(entries.keys() | changes.keys())
    extra_at = start + (16 if big else 6) + count * (12 + room) if big else start + 6 + count * 12
    extra = b""
    for tag, values in changes.items():
        kind = "I" if max(values) > 0xFFFF else "H"  # the largest SHORT
        body = struct.pack(f"{order}{len(values)}{kind}", *values)
        if len(body) > room:
            place = struct.pack(order + ("Q" if big else "I"), extra_at + len(extra))
            extra += body + b"\0" * (len(body) % 2)
        else:
            place = body.ljust(room, b"\0")
        entries[tag] = struct.pack(order + head, tag, _LONG if kind == "I" else _SHORT, len(values)) + place
    directory = struct.pack(order + ("Q" if big else "H"), count) + b"".join(entries[tag] for tag in sorted(entries))
    directory += bytes(8 if big else 4)
    first = struct.pack(order + ("Q" if big else "I"), start)
    at = 8 if big else 4
    return data[:at] + first + data[at + len(first) :] + b"\0" * (start - len(data)) + directory + extra


def _order(data: bytes) -> Literal["<", ">"]:
    return "<" if data.startswith(b"II") else ">"


def _page(data: bytes, number: int, offset: int, order: str, *, big: bool) -> tuple[Page, int]:
    count = struct.unpack_from(order + ("Q" if big else "H"), data, offset)[0]
    if count > _MOST_ENTRIES:
        raise ValueError("no directory")
    first, size, head = offset + (8 if big else 2), 20 if big else 12, "HHQ" if big else "HHI"
    numbers: dict[int, int] = {}
    entries = []
    for index in range(count):
        at = first + index * size
        tag, kind, values = struct.unpack_from(order + head, data, at)
        entries.append(data[at : at + size])
        if kind in _NUMBERS and values:
            inline = struct.calcsize(order + head) + at
            if values * struct.calcsize(_NUMBERS[kind]) > size - struct.calcsize(order + head):
                inline = struct.unpack_from(order + ("Q" if big else "I"), data, inline)[0]
            numbers[tag] = struct.unpack_from(order + _NUMBERS[kind], data, inline)[0]
    following = struct.unpack_from(order + ("Q" if big else "I"), data, first + count * size)[0]
    return Page(number, numbers, tuple(entries)), following
