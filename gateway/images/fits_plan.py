"""Chooses which planes of a FITS image become one picture, and which is red, green and blue; then reads them."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from gateway.images.bands import red_green_blue, wavelength_nm
from gateway.images.fits_file import MOST_WHOLE
from gateway.images.fits_samples import Softening
from gateway.images.limits import SMALLEST_SIDE
from gateway.images.reduce import block_means, block_side, strip_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from gateway.images.fits_file import FitsFile, Unit

_BAND_KEYS = ("FILTER", "FILTNAM", "FILTNAM1", "BAND", "FILTERS", "INSFILTE", "FILTER1", "FILTER2", "FPA.FILTERID")
_SPECTRAL = ("WAVE", "AWAV", "FREQ", "VELO", "VRAD", "VOPT", "ZOPT", "ENER", "WAVN", "LAMBDA", "FELO")
_MADE_IN_COLOUR = re.compile(r"siril|pixinsight|astro ?pixel ?processor|deepskystacker|maxim|nebulosity", re.IGNORECASE)
_CUBE = 3
_CHANNELS = (3, 4)
_RGB = 3
_MASK_VALUES = 16
"""An image with no more than this number of values is a mask or a map, not a picture of the sky."""
_LARGEST, _SMALLEST = 1e30, 1e-30
"""Limits beyond which samples are scaled by a power of two, so that their squares fit single precision."""
_PICTURE_BITS = 8
_TILE_BYTES = 24
"""Bytes for each pixel of a row of tiles: unpacked, scaled, and a copy in double precision."""


def squeezed(unit: Unit) -> tuple[int, ...]:
    """Return the shape without axes of length 1."""
    return tuple(n for n in unit.shape if n != 1)


def is_channel_last(shape: tuple[int, ...]) -> bool:
    """Return whether colours are the fastest axis (NAXIS1 = 3 or 4), as in pictures."""
    return len(shape) == _CUBE and shape[-1] in _CHANNELS and min(shape[:2]) >= SMALLEST_SIDE


def plane_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return height and width of one plane."""
    return (shape[0], shape[1]) if is_channel_last(shape) else (shape[-2], shape[-1])


def band(unit: Unit) -> str | None:
    """Return the band of an image, by its name or by its filter's; None where neither is a band."""
    telescope = unit.text("TELESCOP")
    for name in (unit.name, *(unit.text(key) for key in _BAND_KEYS)):
        if name and wavelength_nm(name, telescope) is not None:
            return name
    return None


def label(unit: Unit, units: Sequence[Unit]) -> str | None:
    """Return a name for this unit of a file; None where the file has no other unit."""
    if len(units) == 1 or (len(units) == 2 and not units[0].shape and not unit.name):  # an empty primary unit
        return unit.name or None
    where = "primary" if unit.number == 0 else f"extension {unit.number} of {len(units) - 1}"
    return f"{unit.name}, {where}" if unit.name else where


class Plan:
    """Plan for reading an image: its planes and their colours.

    Parameters
    ----------
    unit : Unit
        Unit that holds the image.
    units : sequence of Unit
        All units of the file.
    colours : (list of Unit, list of str), optional
        Extensions of one band each, ``unit`` among them, and their bands.
    """

    def __init__(
        self, unit: Unit, units: Sequence[Unit], colours: tuple[Sequence[Unit], Sequence[str]] | None = None
    ) -> None:
        self.unit = unit
        self.shape = squeezed(unit)
        self.height, self.width = plane_shape(self.shape)
        self.channel_last = is_channel_last(self.shape)
        self.warnings: tuple[str, ...] = ()
        self.part = label(unit, units)
        self.sources: list[tuple[Unit, int]] = [(unit, 0)]
        self.rgb = False
        self._power: float | None = None
        if colours is not None:
            self._take_extensions(*colours)
        elif len(self.shape) == _CUBE:
            self._take_planes()

    @property
    def size(self) -> str:
        """The image's axes in words."""
        return " x ".join(str(n) for n in reversed(self.shape))

    @property
    def side(self) -> int:
        """Side of the blocks by which the image is reduced, pixels."""
        return block_side(self.width, self.height)

    def _take_extensions(self, units: Sequence[Unit], names: Sequence[str]) -> None:
        order = red_green_blue(names, self.unit.text("TELESCOP"))
        assert order is not None  # the caller has checked it  # noqa: S101
        self.rgb, self.sources = True, [(units[index], 0) for index in order]
        self.part = f"extensions {', '.join(names[index] for index in order)} as red, green, blue"

    def _take_planes(self) -> None:
        count = self.shape[-1] if self.channel_last else self.shape[0]
        names = plane_bands(self.unit, count)
        order = red_green_blue(names, self.unit.text("TELESCOP")) if names else None
        what = "" if self.part is None else f"{self.part}; "
        if order is not None and names is not None:
            self.part = f"{what}planes {', '.join(names[index] for index in order)} as red, green, blue"
        elif count in _CHANNELS and (self.channel_last or says_rgb(self.unit)):
            order = (0, 1, 2)
            self.part = f"{what}planes 1, 2, 3 as red, green, blue"
        elif self.unit.text("CTYPE3").upper().startswith("STOKES"):
            self.part = f"{what}plane 1 of {count} (Stokes)"
            return
        if order is not None:
            self.rgb, self.sources = True, [(self.unit, index) for index in order]
            return
        self.sources = [(self.unit, index) for index in range(count)]
        self.part = f"{what}mean of {count} planes"
        if not self.unit.text("CTYPE3").upper().startswith(_SPECTRAL):
            self.warnings = (
                f"Nothing in the file says which bands its {count} planes are: their mean was measured, in gray.",
            )

    def cost(self, file: FitsFile) -> int:
        """Return an estimate of the bytes of memory that reading takes, from the headers."""
        pixels = self.width * self.height // self.side**2
        planes = _RGB if self.rgb else 1
        working = pixels * 4 * planes + 8_000_000
        # the picture, its intensity, and the result of the stretch, after everything is read
        stretching = pixels * 19
        if not self.unit.compressed:
            return working + stretching
        taken = max(stretching, tile_row_bytes(self.unit, self.unit.shape[-1]))
        return working + taken + (2 * MOST_WHOLE if file.packed else 0)

    def read(self, file: FitsFile) -> tuple[NDArray[np.float32], bool]:
        """Read the planes, float32 ``[P, H, W]``, reduced; also return whether they have as few values as a mask."""
        side = self.side
        size = (math.ceil(self.height / side), math.ceil(self.width / side))
        planes = np.zeros((len(self.sources) if self.rgb else 1, *size), np.float32)
        counts = None if self.rgb else np.zeros(size, np.uint16)
        few = True
        if self.channel_last and self.rgb:
            # one pass through the file, in the order of its samples
            for place, strip in self._reduced(file, self.unit, 0, self.shape[-1]):
                planes[:, place] = np.moveaxis(strip[..., :_RGB], 2, 0)
            return planes[:, ::-1], _values(planes) <= _MASK_VALUES
        for index, (unit, number) in enumerate(self.sources):
            into = planes[index] if self.rgb else planes[0]
            plane = into if counts is None or len(self.sources) == 1 else np.empty(size, np.float32)
            for place, strip in self._reduced(file, unit, number, 1):
                plane[place] = self._scaled(strip[..., 0])
            few = few and _values(plane) <= _MASK_VALUES
            if plane is not into and counts is not None:
                known = np.isfinite(plane)
                into[known] += plane[known]
                counts += known
        if counts is not None and len(self.sources) > 1:
            planes[0][counts == 0] = np.nan
            planes[0] /= np.maximum(counts, 1)
        return planes[:, ::-1], few

    def _reduced(self, file: FitsFile, unit: Unit, number: int, channels: int) -> Iterator[tuple[slice, NDArray[Any]]]:
        """Yield the position of reduced rows, and these rows, ``[rows, columns, channels]``."""
        row = 0
        for strip in _in_blocks(self._rows(file, unit, number, channels * self.width), self.side):
            means = block_means(strip.reshape(len(strip), self.width, channels), self.side)
            yield slice(row, row + len(means)), means
            row += len(means)

    def _scaled(self, light: NDArray[Any]) -> NDArray[Any]:
        """Divide by a power of two where samples are too large or too small for single precision."""
        if self._power is None:
            finite = np.abs(light[np.isfinite(light)])
            most = float(finite.max()) if finite.size else 0.0
            if not most:
                return light
            self._power = 1.0 if _SMALLEST < most < _LARGEST else 2.0 ** math.floor(math.log2(most))
        return light if self._power == 1 else light / self._power

    def _rows(self, file: FitsFile, unit: Unit, number: int, row_samples: int) -> Iterator[NDArray[Any]]:
        step = strip_rows(row_samples * 8, self.side)
        if not unit.compressed:
            yield from file.rows(unit, number * self.width * self.height, row_samples, self.height, step)
            return
        yield from _compressed_rows(file, unit, number, row_samples, step)


def _compressed_rows(file: FitsFile, unit: Unit, number: int, row_samples: int, step: int) -> Iterator[NDArray[Any]]:
    """Yield the rows of a tile-compressed image, whole tiles at a time."""
    # colours on the fastest axis belong to one row
    axis = 3 if is_channel_last(squeezed(unit)) else 2
    tile, height = max(1, int(unit.header.get(f"ZTILE{axis}", 1))), unit.shape[-axis]
    step = tile * max(1, step // tile)
    softening = Softening.of(unit.header)
    with file.hdus() as hdus:
        section = hdus[unit.number].section
        leading = [0] * (len(unit.shape) - axis)
        if number:
            leading[next(axis for axis, n in enumerate(unit.shape) if n > 1)] = number
        for row in range(0, height, step):
            strip = np.asarray(section[(*leading, slice(row, min(row + step, height)))])
            yield (strip if softening is None else softening.light(strip)).reshape(-1, row_samples)


def tile_row_bytes(unit: Unit, width: int) -> int:
    """Return an estimate of the bytes for unpacking ``width`` pixels of a row of a tile-compressed image's tiles."""
    header, across = unit.header, unit.shape[-1]
    tiles = [
        min(n, max(1, int(header.get(f"ZTILE{axis}", n if axis == 1 else 1))))
        for axis, n in enumerate(reversed(unit.shape), 1)
    ]
    return _TILE_BYTES * math.prod(tiles) * min(math.ceil(across / tiles[0]), math.ceil(width / tiles[0]) + 1)


def says_rgb(unit: Unit) -> bool:
    """Return whether the header declares the planes to be red, green and blue."""
    if unit.bitpix == _PICTURE_BITS or unit.text("CTYPE3", "COLORSPC", "COLORTYP").upper().startswith("RGB"):
        return True
    return bool(_MADE_IN_COLOUR.search(" ".join(unit.text(key) for key in ("PROGRAM", "CREATOR", "SWCREATE"))))


def plane_bands(unit: Unit, count: int) -> list[str] | None:
    """Return the bands of a cube's planes; None where the header does not give them."""
    whole = unit.text("BANDS", "FILTERS", "FILTER", "BAND")
    for names in (re.split(r"[\s,;/|+-]+", whole), list(whole)):
        if len(names) == count:
            return list(names)
    for key in ("BAND", "FILTER", "FILT", "BAND_", "FILTER_", "CHANNEL", "PLANE"):
        for start in (0, 1):
            names = [unit.text(f"{key}{index}") for index in range(start, start + count)]
            if all(names):
                return names
    return None


def _in_blocks(strips: Iterator[NDArray[Any]], side: int) -> Iterator[NDArray[Any]]:
    """Yield the same rows in strips of whole blocks; only the last strip may hold a partial block."""
    rest: NDArray[Any] | None = None
    for strip in strips:
        joined = strip if rest is None else np.concatenate([rest, strip])
        whole = len(joined) - len(joined) % side
        rest = joined[whole:] if whole < len(joined) else None
        if whole:
            yield joined[:whole]
    if rest is not None:
        yield rest


def _values(plane: NDArray[Any]) -> int:
    """Return the number of different values of a plane, in a part of it if it is large."""
    flat = plane.ravel()
    flat = flat[:: 1 + flat.size // (1 << 16)]
    return len(np.unique(flat[np.isfinite(flat)]))
