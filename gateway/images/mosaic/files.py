"""The images in a user's files, with their bands, positions on the sky, masks and weights."""

from __future__ import annotations

import io
import math
import os
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from gateway.core import errors
from gateway.images import fits
from gateway.images.bands import wavelength_nm
from gateway.images.fits_file import FitsFile
from gateway.images.fits_plan import band, is_channel_last, plane_bands, says_rgb, squeezed
from gateway.images.limits import MAX_PIXELS
from gateway.images.mosaic.celestial import celestial
from gateway.images.mosaic.masks import ImageMask
from gateway.images.mosaic.sections import ImagePlane, TileCache

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import ExitStack

    from astropy.wcs import WCS

    from gateway.images.fits_file import Unit

Source = bytes | str | os.PathLike[str]
"""A FITS file: its bytes, its path, or its address in any store of fsspec (``https://``, ``s3://``...)."""

BLOCK_BYTES = 1 << 18
"""Block size for a remote file, bytes: a few rows of a mosaic, and never much more than needed."""
TILES_BYTES = 1 << 16
"""Block size for a remote file that is tile-compressed, bytes: the few tiles of a row that show a field."""
_MOST_IMAGES = 300
"""Most images: three bands of a camera of a hundred detectors; the search in each takes some milliseconds."""
_SAMPLE_BYTES = 8
_HEADROOM = 1 << 20

_MASKS = frozenset({"MASK", "DQ", "BPM", "BADPIX", "FLAG", "FLAGS", "QUALITY", "QUAL"})
_WEIGHTS = frozenset({"WHT", "WT", "WEIGHT", "WEIGHTS", "IVAR", "INVVAR"})


@dataclass(frozen=True, slots=True, eq=False)
class BandImage:
    """An image of one band.

    Attributes
    ----------
    what : str
        Description of the image.
    pixels : ImagePlane
        Pixels of the image.
    band : str or None
        Band; None where it is unknown.
    wcs : astropy.wcs.WCS
        WCS of its two celestial axes.
    mask : ImageMask or None
    weight : ImagePlane or None
    saturation : float
        Value from which pixels are saturated (SATURATE); infinite where it is unknown.
    """

    what: str
    pixels: ImagePlane
    band: str | None
    wcs: WCS
    mask: ImageMask | None
    weight: ImagePlane | None
    saturation: float

    @property
    def unit(self) -> Unit:
        """Unit of its file."""
        return self.pixels.unit

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width, pixels."""
        return self.pixels.shape

    @property
    def physical_unit(self) -> str:
        """BUNIT in lower case; empty where it is missing."""
        return self.unit.text("BUNIT").lower()

    @property
    def inside(self) -> str:
        """Description of the image, for use within a sentence."""
        return self.what[0].lower() + self.what[1:]


def band_images(
    streams: Sequence[BinaryIO], bands: Sequence[str], max_pixels: int, tiles: TileCache | None = None
) -> tuple[BandImage, ...]:
    """Return the images of bands in files.

    Parameters
    ----------
    streams : sequence of seekable binary files
        FITS files.
    bands : sequence of str
        Band of each file, or of each image or plane of a single file; from the headers where empty.
    max_pixels : int
        Limits the unpacked size of a packed file.
    tiles : TileCache, optional
        Cache of unpacked tiles, shared with other files.

    Raises
    ------
    errors.ImageError
    OSError
        A file can't be read.
    """
    found: list[BandImage] = []
    files = []
    tiles = TileCache() if tiles is None else tiles
    for number, stream in enumerate(streams, 1):
        what = "The FITS file" if len(streams) == 1 else f"File {number} of {len(streams)}"
        try:
            images = list(_images(stream, what, max_pixels, tiles))
        except (EOFError, zlib.error) as error:
            raise errors.BadImage(f"{what} is truncated.") from error
        found += images
        if len(found) > _MOST_IMAGES:
            raise errors.BadImage(f"The files hold more than {_MOST_IMAGES} images: give those that show the galaxy.")
        files += [number] * len(images)
    return tuple(_named(found, files, bands, len(streams)))


@contextmanager
def damage_as_bad_image(*, files: bool) -> Iterator[None]:
    """Raise damage found in a ``with`` block as :class:`errors.BadImage`.

    Parameters
    ----------
    files : bool
        Whether an OSError comes from the store, and not from damaged bytes in memory.
    """
    try:
        yield
    except (errors.GatewayError, ImportError):
        raise
    # astropy raises a dozen kinds of error for damaged files
    except Exception as error:
        if files and isinstance(error, OSError):
            raise
        raise errors.BadImage("A FITS file is truncated or damaged and can't be read.") from error


def opened(source: Source, stack: ExitStack, block_bytes: int = BLOCK_BYTES) -> BinaryIO:
    """Open a file for reading; ``stack`` closes it. A remote file is read in blocks of at least ``block_bytes``.

    Raises
    ------
    OSError
        The file can't be opened.
    ImportError
        fsspec, or its driver for the store, is not installed.
    """
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if "://" not in str(source):
        return stack.enter_context(Path(source).open("rb"))
    import fsspec  # an extra, for remote files only

    store, path = fsspec.core.url_to_fs(str(source))
    file: BinaryIO = stack.enter_context(store.open(path, "rb", block_size=block_bytes, cache_type="readahead"))
    return file


def _images(stream: BinaryIO, what: str, max_pixels: int, tiles: TileCache) -> Iterator[BandImage]:
    head = stream.read(4096)
    if not head:
        raise errors.BadImage(f"{what} is empty.")
    if not fits.looks_like_fits(head + stream.read(1 << 20) if head.startswith(b"BZh") else head):
        raise errors.UnsupportedImage(f"{what} is no FITS: a galaxy is found by its position in FITS images alone.")
    file = FitsFile(stream, max_pixels * _SAMPLE_BYTES + _HEADROOM)
    units = file.units()
    if not units:
        raise errors.BadImage(f"{what} is truncated or damaged in its header.")
    for unit in fits.science_images(units):
        where = celestial(unit.header, file, what)
        beside = [fits.beside(unit, units, names) for names in (_MASKS, _WEIGHTS)]
        mask, weight = (None if one is None else ImagePlane(file, one, 0, tiles) for one in beside)
        saturation = _saturation(unit)
        for plane, name in enumerate(_bands_of(unit, units[0], what)):
            pixels = ImagePlane(file, unit, plane, tiles)
            masked = None if mask is None else ImageMask.of(mask, name)
            yield BandImage(what, pixels, name, where, masked, weight, saturation)


def _saturation(unit: Unit) -> float:
    said = unit.header.get("SATURATE")
    is_level = isinstance(said, int | float) and not isinstance(said, bool) and said > 0
    return float(said) if is_level else math.inf


def with_companions(image: BandImage, mask: BinaryIO | None, weight: BinaryIO | None, tiles: TileCache) -> BandImage:
    """Return an image with the mask and the weights of separate files.

    Raises
    ------
    errors.BadImage
        A file holds no image of the same size.
    """
    if mask is not None:
        image = replace(image, mask=ImageMask.of(_alone(mask, image, tiles), image.band))
    return image if weight is None else replace(image, weight=_alone(weight, image, tiles))


def _alone(stream: BinaryIO, image: BandImage, tiles: TileCache) -> ImagePlane:
    file = FitsFile(stream, MAX_PIXELS * _SAMPLE_BYTES + _HEADROOM)
    unit = next((one for one in file.units() if squeezed(one) == image.shape), None)
    if unit is None:
        raise errors.BadImage("A file of a mask or of weights holds no image of the size of the one that it is beside.")
    return ImagePlane(file, unit, 0, tiles)


def _bands_of(unit: Unit, primary: Unit, what: str) -> Sequence[str | None]:
    """Return the band of each plane. Facts about a whole file are often in its first header only."""
    shape = squeezed(unit)
    if len(shape) == 2:
        return (band(unit) or band(primary),)
    if is_channel_last(shape):
        raise errors.BadImage(
            f"{what} has its colours along the first axis; a galaxy is cut by its position from images of a band each."
        )
    names = plane_bands(unit, shape[0])
    return names or (("RED", "GREEN", "BLUE") if shape[0] == 3 and says_rgb(unit) else [None] * shape[0])


def _named(found: Sequence[BandImage], files: Sequence[int], bands: Sequence[str], count: int) -> Iterator[BandImage]:
    """Yield the images with the bands that the caller named; raise an error where a band is unknown."""
    for name in bands:
        if wavelength_nm(name) is None:
            raise errors.BandsUnknown(f"No band is called {name!r} here. Those of surveys are: u, g, r, i, z, y.")
    if not bands:
        # several detectors in one file without a band share one band
        several = count > 1 or any(image.pixels.number for image in found)
        if several and any(image.band is None for image in found):
            raise errors.BandsUnknown(
                "The headers do not say which bands the images are (FILTER, BAND or BANDS): name them in their order, "
                "such as bands=g,r,i."
            )
        yield from found
        return
    if len(bands) == len(found):
        chosen = list(bands)
    elif len(bands) == count:
        chosen = [bands[number - 1] for number in files]
    else:
        raise errors.BandsUnknown(
            f"{len(bands)} bands are named, and there are {len(found)} images in {count} files: name one for each."
        )
    for image, name in zip(found, chosen, strict=True):
        yield replace(image, band=name)
