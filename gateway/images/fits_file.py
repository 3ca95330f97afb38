"""The structure of a FITS file, read as a stream: headers and rows of samples, never the whole file."""

from __future__ import annotations

import bz2
import gzip
import io
import math
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from gateway.core import errors
from gateway.images.fits_samples import TYPES, Scaling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_SIMPLE = b"SIMPLE  ="
_GZIP, _BZIP2 = b"\x1f\x8b", b"BZh"
_BLOCK = 2880
_CARD = 80
_MOST_BLOCKS = 1000
_MOST_UNITS = 2000
_MOST_AXES = 16
_CHUNK = 1 << 20
_HEAD = 4096
_HEAD_OF_BZIP2 = 1 << 20
"""Block size of bzip2, bytes: it unpacks nothing of a shorter part."""
MOST_WHOLE = 32_000_000
"""Most bytes of a packed file that are unpacked at once: for a tile-compressed image in a packed file."""
_BZIP2_SHARE = 4
"""Factor by which the limit is smaller for bzip2, which unpacks at a tenth of gzip's speed."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One header and data unit.

    Attributes
    ----------
    number : int
        Index in the file; 0 is the primary unit.
    header : astropy.io.fits.Header
        Header of the unit.
    shape : tuple of int
        Shape in numpy's order; the image's own if it is tile-compressed; empty where there is no image.
    bitpix : int
        FITS code of the samples' type.
    start : int
        Offset of the data, bytes from the beginning of the (unpacked) file.
    compressed : bool
        Whether the image is tile-compressed in a table.
    """

    number: int
    header: Any
    shape: tuple[int, ...]
    bitpix: int
    start: int
    compressed: bool

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the samples in the file, if it is not compressed."""
        return np.dtype(TYPES[self.bitpix])

    @property
    def name(self) -> str:
        """EXTNAME, upper case; empty where the header has none."""
        name = str(self.header.get("EXTNAME", "")).strip().upper()
        return "" if name == "COMPRESSED_IMAGE" else name

    def text(self, *keys: str) -> str:
        """Return the value of the first of these keywords that is set, as text."""
        return next((str(self.header[key]).strip() for key in keys if self.header.get(key) not in {None, ""}), "")


def looks_like_fits(data: bytes) -> bool:
    """Return whether ``data`` starts as a FITS file does, packed by gzip or bzip2 or not."""
    return _unpacked_head(data).lstrip()[: len(_SIMPLE)] == _SIMPLE


def _unpacked_head(data: bytes) -> bytes:
    try:
        if data.startswith(_GZIP):
            return zlib.decompressobj(wbits=31).decompress(data, 64)
        if data.startswith(_BZIP2):
            return bz2.BZ2Decompressor().decompress(data, 64)
    except (zlib.error, OSError, EOFError):
        return b""
    return data[:64]


class FitsFile:
    """A FITS file, plain or packed, of which only the requested parts are read and unpacked.

    Parameters
    ----------
    data : bytes or seekable binary file
        The file.
    most : int
        Most bytes that are unpacked; a quarter of that for bzip2.
    """

    def __init__(self, data: bytes | BinaryIO, most: int) -> None:
        self._file = io.BytesIO(data) if isinstance(data, bytes) else data
        self._file.seek(0)
        start = self._file.read(_HEAD)
        self._kind = next((kind for kind in (_GZIP, _BZIP2) if start.startswith(kind)), b"")
        self.packed = bool(self._kind)
        self._most = most // _BZIP2_SHARE if self._kind == _BZIP2 else most
        head = _unpacked_head(start + self._file.read(_HEAD_OF_BZIP2) if self._kind == _BZIP2 else start)
        # mail programs and editors put a line break before the first card
        self._skip = len(head) - len(head.lstrip())
        self._stream = self._open()
        self._at = 0
        self._hdus: Any = None

    def _open(self) -> Any:
        self._file.seek(0)
        if self._kind == _GZIP:
            return gzip.GzipFile(fileobj=self._file)
        return bz2.BZ2File(self._file) if self._kind == _BZIP2 else self._file

    def units(self) -> list[Unit]:
        """Return the units whose headers can be read; those after damage or the file's end are left out."""
        found: list[Unit] = []
        place = self._skip
        while len(found) < _MOST_UNITS:
            try:
                read = self._header(place)
            except (OSError, EOFError, zlib.error, ValueError):
                break
            if read is None:
                break
            header, start = read
            found.append(_unit(len(found), header, start))
            place = start + math.ceil(_data_bytes(header) / _BLOCK) * _BLOCK
        return found

    def rows(self, unit: Unit, skipped: int, row_samples: int, height: int, step: int) -> Iterator[NDArray[Any]]:
        """Yield the physical values of one plane, ``step`` rows at a time, in the file's order.

        BZERO and BSCALE are applied; BLANK becomes NaN.

        Parameters
        ----------
        unit : Unit
            Unit with an image that is not tile-compressed.
        skipped : int
            Samples before the plane.
        row_samples, height : int
            Shape of the plane.
        step : int
            Rows per strip.

        Raises
        ------
        EOFError
            The file ends before the plane does.
        """
        dtype, scaling = unit.dtype, Scaling.of(unit.header, unit.bitpix)
        for row in range(0, height, step):
            place = unit.start + (skipped + row * row_samples) * dtype.itemsize
            raw = self.read_at(place, min(step, height - row) * row_samples * dtype.itemsize)
            yield scaling.applied(np.frombuffer(raw, dtype)).reshape(-1, row_samples)

    def read_at(self, place: int, size: int) -> bytes:
        """Return ``size`` bytes from an offset in the (unpacked) file.

        Raises
        ------
        EOFError
            The file ends before the last of these bytes.
        """
        self._seek(place)
        data = self._read(size)
        if len(data) < size:
            raise EOFError("the file is truncated")
        return data

    def unpacked(self) -> bytes:
        """Return the whole file.

        Raises
        ------
        errors.ImageTooLarge
            The file has more than :data:`MOST_WHOLE` bytes.
        """
        self._seek(0)
        most = min(MOST_WHOLE, self._most)
        data = self._read(most + 1)
        if len(data) > most:
            raise _too_large(most)
        return data

    @contextmanager
    def hdus(self) -> Iterator[Any]:
        """Yield the file as astropy opens it, whose ``.section`` of an image reads no more than it needs.

        A packed file is unpacked as a whole, and its copy is freed at the end of the context.

        Raises
        ------
        errors.ImageTooLarge
            A packed file has more than :data:`MOST_WHOLE` bytes.
        """
        if self.packed or self._skip:
            with _opened(io.BytesIO(self.unpacked()[self._skip :])) as hdus:
                yield hdus
            return
        if self._hdus is None:
            self._file.seek(0)
            # astropy reads data later through this file, so it stays open
            self._hdus = _opened(self._file)
        yield self._hdus

    def _header(self, place: int) -> tuple[Any, int] | None:
        """Return the header at an offset and the offset of its data; None where there is no header."""
        from astropy.io import fits

        self._seek(place)
        text = b""
        for _ in range(_MOST_BLOCKS):
            block = self._read(_BLOCK)
            text += block
            if not text.startswith((_SIMPLE, b"XTENSION=")):
                return None
            if any(block[at : at + 8].rstrip() == b"END" for at in range(0, len(block), _CARD)):
                return fits.Header.fromstring(text.decode("ascii", "replace")), place + len(text)
            if len(block) < _BLOCK:
                return None
        return None

    def _seek(self, place: int) -> None:
        if not self.packed:
            self._stream.seek(place)
            self._at = place
            return
        if place < self._at:
            self._stream, self._at = self._open(), 0
        while self._at < place and self._read(min(_CHUNK, place - self._at)):
            pass

    def _read(self, size: int) -> bytes:
        if self.packed and self._at + size > self._most + _BLOCK:
            raise _too_large(self._most)
        data: bytes = self._stream.read(size)
        self._at += len(data)
        return data


def _opened(stream: BinaryIO) -> Any:
    from astropy.io import fits  # takes 0.3 s and 30 MB, so it is imported only for FITS files

    return fits.open(stream, memmap=False, lazy_load_hdus=True, ignore_missing_simple=True)


def _too_large(most: int) -> errors.ImageTooLarge:
    return errors.ImageTooLarge(f"The packed FITS file unpacks to more than {most:,} bytes.")


def _unit(number: int, header: Any, start: int) -> Unit:
    kind = str(header.get("XTENSION", "IMAGE")).strip().upper()
    if kind == "BINTABLE" and header.get("ZIMAGE") is True:
        return Unit(number, header, _axes(header, "ZNAXIS"), int(header.get("ZBITPIX", 0)), start, compressed=True)
    shape = () if kind != "IMAGE" or header.get("GROUPS") is True else _axes(header, "NAXIS")
    bitpix = int(header.get("BITPIX", 0))
    return Unit(number, header, shape if bitpix in TYPES else (), bitpix, start, compressed=False)


def _axes(header: Any, key: str) -> tuple[int, ...]:
    count = int(header.get(key, 0))
    if not 0 <= count <= _MOST_AXES:
        return ()
    return tuple(max(0, int(header.get(f"{key}{axis}", 0))) for axis in range(count, 0, -1))


def _data_bytes(header: Any) -> int:
    axes = _axes(header, "NAXIS")
    if not axes:
        return 0
    groups = header.get("GROUPS") is True and axes[-1] == 0
    samples = math.prod(axes[:-1] if groups else axes)
    each = max(1, int(header.get("GCOUNT", 1))) * (max(0, int(header.get("PCOUNT", 0))) + samples)
    return abs(int(header.get("BITPIX", 8))) // 8 * each
