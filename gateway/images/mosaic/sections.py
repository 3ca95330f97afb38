"""Reads parts of the images of a FITS file: only the rows of samples, or the compressed tiles, that hold them.

Astropy's ``.section`` gives the same values. For a tile-compressed image it checks the whole header for every part, and
reads some of it for every tile: a galaxy in three bands with masks takes 13 ms, but only 3 in the compiled codecs,
which are called here directly (astropy 7.2; ``tests/unit/images/mosaic/test_mosaic_sections.py``).
"""

from __future__ import annotations

import itertools
import math
import re
from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gateway.images.fits_file import MOST_WHOLE
from gateway.images.fits_plan import plane_shape, squeezed
from gateway.images.fits_samples import TYPES, Scaling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gateway.images.fits_file import FitsFile, Unit

CACHE_BYTES = 32_000_000
"""Size limit of the cache of unpacked tiles, bytes: those around a galaxy in three bands, and the next one's."""

_COLUMN = re.compile(r"(\d*)([LBIJKAEDCMPQ])([BIJKED]?)")
_COLUMN_TYPES = {"L": "i1", "B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "A": "S1", "E": ">f4", "D": ">f8"}
_COLUMN_TYPES |= {"C": ">c8", "M": ">c16", "P": ">i4", "Q": ">i8"}
_TILE_BYTES = 24
"""Bytes for each pixel of a tile: unpacked, scaled, and a copy in double precision."""
_DATA, _GZIPPED, _PLAIN = "COMPRESSED_DATA", "GZIP_COMPRESSED_DATA", "UNCOMPRESSED_DATA"


class TileCache:
    """A cache of the last unpacked tiles of images.

    Parameters
    ----------
    limit : int
        Size limit of all tiles together, bytes.
    """

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit, self._bytes = limit, 0
        self._tiles: OrderedDict[tuple[object, int], NDArray[Any]] = OrderedDict()

    def get(self, image: object, number: int) -> NDArray[Any] | None:
        """Return a tile of an image; None where it is not in the cache."""
        tile = self._tiles.get((image, number))
        if tile is not None:
            self._tiles.move_to_end((image, number))
        return tile

    def put(self, image: object, number: int, tile: NDArray[Any]) -> None:
        """Store a tile; the least recently used tiles are evicted."""
        self._tiles[image, number] = tile
        self._bytes += tile.nbytes
        while self._bytes > self._limit:
            self._bytes -= self._tiles.popitem(last=False)[1].nbytes

    def bytes_of(self, file: FitsFile, place: int, size: int) -> bytes:
        """Return bytes of a file; a file that is packed as a whole is unpacked, and cached like a tile.

        Raises
        ------
        EOFError
            The file ends before the last of these bytes.
        errors.ImageTooLarge
            The unpacked file is too large.
        """
        if not file.packed:
            return file.read_at(place, size)
        whole = self.get(file, 0)
        if whole is None:
            whole = np.frombuffer(file.unpacked(), np.uint8)
            self.put(file, 0, whole)
        if len(whole) < place + size:
            raise EOFError("the file is truncated")
        return whole[place : place + size].tobytes()


class ImagePlane:
    """A plane of an image in a FITS file, which can be read in parts.

    Parameters
    ----------
    file : FitsFile
        File of the image.
    unit : Unit
        Unit of an image, plain or tile-compressed.
    number : int
        Index of the plane; 0 for an image that is no cube.
    cache : TileCache
        Cache of unpacked tiles.
    """

    def __init__(self, file: FitsFile, unit: Unit, number: int, cache: TileCache) -> None:
        self.file, self.unit, self.number = file, unit, number
        self.shape = plane_shape(squeezed(unit))
        self._cache = cache

    def section(self, rows: slice, columns: slice) -> NDArray[Any]:
        """Return the physical values of a part, float32 or, where the samples need it, float64 ``[rows, columns]``.

        Raises
        ------
        EOFError
            The file ends before the part does.
        """
        bounds = [*((self._at(n), self._at(n) + 1) for n in self.unit.shape[:-2])]
        bounds += [(rows.start, rows.stop), (columns.start, columns.stop)]
        samples = self._tiles.section(bounds) if self.unit.compressed else self._rows(bounds)
        return self._scaling.applied(samples.reshape(samples.shape[-2:]))

    def _at(self, length: int) -> int:
        return self.number if length > 1 else 0

    @cached_property
    def cost(self) -> int:
        """Return the bytes of memory that unpacking takes at a time, by the header."""
        unpacked = 2 * MOST_WHOLE if self.file.packed else 0
        return unpacked + (_TILE_BYTES * math.prod(self._tiles.shape) if self.unit.compressed else 0)

    @cached_property
    def _scaling(self) -> Scaling:
        return Scaling.of(self.unit.header, self.unit.bitpix)

    @cached_property
    def _tiles(self) -> _Tiles:
        return _Tiles(self.file, self.unit, self._cache)

    def _rows(self, bounds: Sequence[tuple[int, int]]) -> NDArray[Any]:
        (first, last), (left, right) = bounds[-2:]
        plane = int(np.ravel_multi_index([low for low, _ in bounds[:-2]], self.unit.shape[:-2])) if bounds[:-2] else 0
        height, width = self.unit.shape[-2:]
        size = self.unit.dtype.itemsize
        starts = (((plane * height + row) * width + left) * size for row in range(first, last))
        length = (right - left) * size
        read = b"".join(self._cache.bytes_of(self.file, self.unit.start + start, length) for start in starts)
        return np.frombuffer(read, self.unit.dtype).reshape(last - first, right - left)


class _Tiles:
    """The tiles of a compressed image (FITS standard 4.0, section 10)."""

    def __init__(self, file: FitsFile, unit: Unit, cache: TileCache) -> None:
        # private to astropy, and the same in all versions that the service allows: a test compares the public result
        from astropy.io.fits.hdu.compressed import _quantization as quantization
        from astropy.io.fits.hdu.compressed import _tiled_compression as codecs

        self._file, self._unit, self._cache, self._codecs = file, unit, cache, codecs
        header = dict(unit.header)
        axes = range(len(unit.shape), 0, -1)
        self.shape = tuple(
            min(n, max(1, int(header.get(f"ZTILE{axis}", n if axis == 1 else 1))))
            for axis, n in zip(axes, unit.shape, strict=True)
        )
        self._counts = tuple(-(-n // side) for n, side in zip(unit.shape, self.shape, strict=True))
        self._dtype = np.dtype(TYPES[unit.bitpix]).newbyteorder("=")
        self._algorithm = str(header["ZCMPTYPE"])
        self._settings = codecs._header_to_settings(header)  # noqa: SLF001 - see above
        self._columns, self._types = _table(file, unit, header, cache)
        self._heap = unit.start + int(header.get("THEAP", int(header["NAXIS1"]) * int(header["NAXIS2"])))
        self._blank = header.get("ZBLANK", header.get("BLANK"))
        dither = quantization.DITHER_METHODS[header.get("ZQUANTIZ", "NO_DITHER")]
        self._quantize = quantization.Quantize
        self._dither, self._seed = dither, int(header.get("ZDITHER0", 0)) if dither != -1 else 0

    def section(self, bounds: Sequence[tuple[int, int]]) -> NDArray[Any]:
        """Return the samples between limits on each axis."""
        found = np.empty([high - low for low, high in bounds], self._dtype)
        sides = zip(bounds, self.shape, strict=True)
        for index in itertools.product(*(range(low // side, -(-high // side)) for (low, high), side in sides)):
            into, part = [], []
            for at, side, (low, high) in zip(index, self.shape, bounds, strict=True):
                first, last = max(low, at * side), min(high, (at + 1) * side)
                into.append(slice(first - low, last - low))
                part.append(slice(first - at * side, last - at * side))
            found[tuple(into)] = self._tile(index)[tuple(part)]
        return found

    def _tile(self, index: tuple[int, ...]) -> NDArray[Any]:
        number = 0
        for at, count in zip(index, self._counts, strict=True):
            number = number * count + at
        tile = self._cache.get(self, number)
        if tile is None:
            ends = zip(index, self.shape, self._unit.shape, strict=True)
            tile = self._unpacked(number, tuple(min(side, n - at * side) for at, side, n in ends))
            tile = tile.astype(self._dtype, copy=False)
            self._cache.put(self, number, tile)
        return tile

    def _unpacked(self, number: int, shape: tuple[int, ...]) -> NDArray[Any]:
        packed = self._read(_DATA, number)
        if not packed.size:
            # values that quantize badly are stored unquantized
            if _GZIPPED in self._columns:
                return self._decoded(self._read(_GZIPPED, number), "GZIP_1", shape, {}, lossless=True)
            return self._read(_PLAIN, number).reshape(shape)
        quantized = "ZSCALE" in self._columns
        tile = self._decoded(packed, self._algorithm, shape, dict(self._settings), lossless=not quantized)
        blank = self._columns["ZBLANK"][number][0] if "ZBLANK" in self._columns else self._blank
        unknown = None if blank is None or self._unit.bitpix > 0 else tile == blank
        if quantized:
            row = number + self._seed if self._dither != -1 else 0
            quantize = self._quantize(
                row=row, dither_method=self._dither, quantize_level=None, bitpix=self._unit.bitpix
            )
            scale, zero = (float(self._columns[name][number][0]) for name in ("ZSCALE", "ZZERO"))
            tile = np.asarray(quantize.decode_quantized(tile, scale, zero)).reshape(shape)
        return tile if unknown is None else np.where(unknown, np.nan, tile)

    def _decoded(
        self, packed: NDArray[Any], algorithm: str, shape: tuple[int, ...], settings: dict[str, Any], *, lossless: bool
    ) -> NDArray[Any]:
        codecs = self._codecs
        settings = codecs._update_tile_settings(settings, algorithm, shape)  # noqa: SLF001 - see above
        if algorithm == "GZIP_2":
            whole = codecs._decompress_tile(packed, algorithm="GZIP_1")  # noqa: SLF001
            settings["itemsize"] = len(whole) // math.prod(shape)
        buffer = codecs._decompress_tile(packed, algorithm=algorithm, **settings)  # noqa: SLF001
        tile: NDArray[Any] = codecs._finalize_array(  # noqa: SLF001
            buffer, bitpix=self._unit.bitpix, tile_shape=shape, algorithm=algorithm, lossless=lossless
        )
        return tile

    def _read(self, column: str, number: int) -> NDArray[Any]:
        count, offset = (int(one) for one in self._columns[column][number])
        dtype = self._types[column]
        return np.frombuffer(self._cache.bytes_of(self._file, self._heap + offset, count * dtype.itemsize), dtype)


def _table(
    file: FitsFile, unit: Unit, header: dict[str, Any], cache: TileCache
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the columns of a table, and the types of the arrays that columns of variable length point to."""
    fields, types = [], {}
    for at in range(1, int(header["TFIELDS"]) + 1):
        found = _COLUMN.match(str(header[f"TFORM{at}"]).strip())
        if found is None:
            raise ValueError(f"TFORM{at} is no format of a column")
        repeat, kind, pointed = int(found[1] or 1), found[2], found[3]
        name = str(header.get(f"TTYPE{at}", at)).strip()
        fields.append((name, _COLUMN_TYPES[kind], (2 if kind in "PQ" else repeat,)))
        if kind in "PQ":
            types[name] = np.dtype(_COLUMN_TYPES[pointed])
    read = cache.bytes_of(file, unit.start, int(header["NAXIS1"]) * int(header["NAXIS2"]))
    rows = np.frombuffer(read, np.dtype(fields))
    return {name: rows[name] for name in rows.dtype.names or ()}, types
