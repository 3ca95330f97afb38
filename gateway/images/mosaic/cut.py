"""Cuts the picture of a galaxy from a user's images by its position on the sky."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gateway.core import errors
from gateway.core.field_of_view import ImagingCutout, SkyField, side_pixels
from gateway.images.bands import red_green_blue, wavelength_nm
from gateway.images.decode import make_picture
from gateway.images.limits import MAX_PIXELS, MEMORY, SMALLEST_SIDE, Memory, Share
from gateway.images.mosaic.celestial import directions, pixels, refined
from gateway.images.mosaic.files import band_images, damage_as_bad_image, opened
from gateway.images.mosaic.parts import part_of
from gateway.images.mosaic.resample import Canvas, Places
from gateway.images.mosaic.unsized import cut_unsized
from gateway.images.stretch import ASINH, FITS_SCALES, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gateway.core.field_of_view import SkyPoint
    from gateway.core.models import Deadline
    from gateway.images.decode import Picture
    from gateway.images.mosaic.files import BandImage, Source
    from gateway.images.mosaic.parts import ImageSection

_GRID = 17
"""Cells each way of the coarse grid by which a field is located in an image."""
_AROUND_ARCMIN = 0.1
"""Side of the field in which the images' pixel size is measured where no field is given, arcmin."""
_MOST_MISSING = 0.5
_FEW_MISSING = 0.005
_SAME_PIXELS = 1.0
_ROUNDING = 1e-3
_COLOURS = 3
_PER_AREA = ("/sr", "sr-1", "sr^-1", "arcsec")
"""Parts of the names of surface brightness units; all other units count as light per pixel."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """An image, the part of it that shows the field, and the positions of a coarse grid over the field in it."""

    image: BandImage
    part: ImageSection
    cells: NDArray[np.float64]
    pixel_arcsec: float


def cut(
    sources: Sequence[Source],
    field: SkyField | SkyPoint,
    *,
    bands: Sequence[str] = (),
    max_pixels: int = MAX_PIXELS,
    memory: Memory = MEMORY,
    deadline: Deadline | None = None,
) -> tuple[Picture, ImagingCutout]:
    """Cut a field from FITS images that have a celestial WCS.

    Images of one band are averaged, weighted by their weights if all of them have any. One band is shown in gray;
    of two, the longer is red and the shorter blue; of more, three are chosen as for any FITS file
    (:func:`gateway.images.bands.red_green_blue`). The picture is stretched as any FITS image is
    (:mod:`gateway.images.stretch`). Parts of the field that no image shows become sky, with a warning.

    Parameters
    ----------
    sources : sequence of bytes, path or URL
        FITS files, plain, tile-compressed, or packed by gzip or bzip2 (up to 32 MB unpacked). Only the part that the
        field needs is read. URLs are opened by fsspec.
    field : SkyField or SkyPoint
        Field to cut; only a position for a galaxy of unknown size (:func:`.unsized.cut_unsized`).
    bands : sequence of str
        Band of each file, or of each image or plane of a single file; from the headers where empty.
    max_pixels : int
        Most pixels of an image's part that shows the field; all parts together may have three times as many.
    memory, deadline
        See :func:`gateway.images.decode.decode`.

    Returns
    -------
    picture : Picture
        Square picture of 128 to 256 pixels.
    cutout : ImagingCutout
        Bands, scale and pixels of the cutout.

    Raises
    ------
    errors.WcsError
        The images do not show the field, or their headers lack needed facts.
    errors.ImageError
        A file can't be used.
    errors.BadTarget
        The field is only a few pixels of the images, or no galaxy with sky around it is found at the position.
    OSError, ImportError
        A file does not exist, or fsspec's driver of its store is missing.
    """
    with ExitStack() as stack, damage_as_bad_image(files=not all(isinstance(source, bytes) for source in sources)):
        share = stack.enter_context(Share(memory, deadline))
        streams = [opened(source, stack) for source in sources]
        images = band_images(streams, bands, max_pixels)
        if isinstance(field, SkyField):
            return _cut(images, field, max_pixels, share)
        around = _overlaps(images, field.field(_AROUND_ARCMIN), max_pixels)
        finest = min(one.pixel_arcsec for one in around)
        return cut_unsized(lambda wider: _cut(images, wider, max_pixels, share), field, finest)


def cut_opened(
    images: Sequence[BandImage],
    field: SkyField,
    *,
    max_pixels: int = MAX_PIXELS,
    memory: Memory = MEMORY,
    deadline: Deadline | None = None,
) -> tuple[Picture, ImagingCutout]:
    """Cut a field as :func:`cut` does, from calibrated images whose files stay open for the next field.

    The pixels always count as measured (linear). The values are not used to guess that they are a finished picture's,
    because the choice for a survey must not depend on the galaxy.
    """
    with Share(memory, deadline) as share, damage_as_bad_image(files=True):
        return _cut(images, field, max_pixels, share, scales=())


def _cut(
    images: Sequence[BandImage],
    field: SkyField,
    max_pixels: int,
    share: Share,
    scales: Sequence[float] = FITS_SCALES,
) -> tuple[Picture, ImagingCutout]:
    order = _order(images)
    overlaps = _overlaps([image for image in images if image.band in order], field, max_pixels)
    finest = min(one.pixel_arcsec for one in overlaps)
    across = field.fov_arcmin * 60 / finest
    if across < SMALLEST_SIDE:
        raise errors.BadTarget(
            f"The field of {field.fov_arcmin:g} arcmin is {across:.2g} pixels of the images wide; "
            f"{SMALLEST_SIDE} are needed."
        )
    side = side_pixels(field.fov_arcmin, finest)
    places = _places(overlaps, field, side)
    found = [_plane([one for one in places if one[0].image.band == band], side, finest, share) for band in order]
    if len(found) == _COLOURS - 1:
        found.insert(1, np.mean(found, axis=0))
    planes = np.stack(found)[:, ::-1]
    # pixels missing in one band would have the colour of the others
    unknown, saturated = ~np.isfinite(planes).all(axis=0), np.isposinf(planes).any(axis=0)
    planes[:, unknown] = np.nan
    planes[:, saturated] = np.inf
    missing = float((unknown & ~saturated).mean())
    if missing > _MOST_MISSING:
        raise errors.OutsideImages(
            f"The images show {1 - missing:.0%} of the field of {field.fov_arcmin:g} arcmin around {_place(field)}: at "
            f"least {1 - _MOST_MISSING:.0%} is needed.",
            shown=round(1 - missing, 3),
        )
    planes = np.ascontiguousarray(planes)
    rgb, stretch, outside, warnings = render(planes, scales)
    if missing > _FEW_MISSING:
        warnings = (f"{missing:.0%} of the field has no data: it was filled with the sky's colour.", *warnings)
    names = tuple(name for name in order if name is not None)
    part = f"{', '.join(names)} as {_SHOWN[len(names)]}" if names else None
    picture = make_picture(
        rgb,
        "FITS",
        side,
        side,
        stretch=stretch,
        part=part,
        outside=outside,
        warnings=warnings,
        measured=planes if stretch == ASINH else None,
    )
    return picture, ImagingCutout(field, names, finest, picture.rgb)


_SHOWN = {1: "gray", 2: "red and blue", 3: "red, green, blue"}


def _order(images: Sequence[BandImage]) -> list[str | None]:
    """Return the bands that are shown, the longest wavelength first."""
    telescope = images[0].unit.text("TELESCOP")
    waves = {image.band: wavelength_nm(image.band or "", telescope) or 0.0 for image in images}
    names = sorted(waves, key=lambda name: -waves[name])
    if len(set(waves.values())) < len(waves):
        raise errors.BandsDuplicate(f"One band came under several names: {', '.join(map(str, names))}.")
    chosen = red_green_blue([str(name) for name in names], telescope)
    return [names[index] for index in chosen] if chosen else names


def _overlaps(images: Sequence[BandImage], field: SkyField, max_pixels: int) -> list[Overlap]:
    """Return the images that show a part of the field; each band has to show its centre."""
    grid = directions(field, _GRID)
    found: list[Overlap] = []
    seen: list[tuple[BandImage, NDArray[np.float64]]] = []
    area = 0
    for image in images:
        columns, rows = cells = pixels(image.wcs, grid, image.shape)
        part = part_of(columns, rows, image.shape)
        if part is None:
            continue
        if not part.cell_pixels > 0:
            raise errors.WcsUnusable(f"The WCS of {image.inside} can't be used: it has no inverse.")
        area += part.pixels
        if part.pixels > max_pixels or area > _COLOURS * max_pixels:
            raise errors.ImageTooLarge(
                f"The field of {field.fov_arcmin:g} arcmin takes more than {max_pixels:,} pixels of an image, or more "
                f"than {_COLOURS * max_pixels:,} of all: ask for a smaller field.",
                max_pixels=max_pixels,
            )
        twin = next((other for other, its in seen if other.band == image.band and _same(cells, its)), None)
        if twin is None:
            seen.append((image, cells))
            # rounded, so that the picture's size does not depend on the last digits of a WCS
            scale = float(f"{field.fov_arcmin * 60 / _GRID / part.cell_pixels:.5g}")
            found.append(Overlap(image, part, cells, scale))
        # of two versions in one file, such as before and after a correction, the first is used
        elif twin.pixels.file is not image.pixels.file or twin.pixels.number != image.pixels.number:
            raise errors.BandsDuplicate(
                f"The same part of the sky came twice in {image.band or 'one band'}, in {twin.inside} and "
                f"{image.inside}: give it once."
            )
    _check_centre(images, found, field)
    units = sorted({one.image.physical_unit for one in found} - {""})
    if len(units) > 1:
        raise errors.UnitsDiffer(f"The pixels of the images are in different units (BUNIT): {', '.join(units)}.")
    return found


def _same(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    apart = np.abs(one - other)
    return bool(np.isfinite(apart).any() and np.nanmax(apart) < _SAME_PIXELS)


def _check_centre(images: Sequence[BandImage], found: Sequence[Overlap], field: SkyField) -> None:
    showing = [str(band) for band in dict.fromkeys(one.image.band for one in found if one.part.holds_centre)]
    if not showing:
        raise errors.OutsideImages(f"None of the images shows {_place(field)}.")
    others = [band for band in dict.fromkeys(str(image.band) for image in images) if band not in showing]
    if others:
        raise errors.BandsApart(
            f"The bands don't overlap at {_place(field)}: the images of {', '.join(showing)} show it, those of "
            f"{', '.join(others)} don't."
        )


def _places(overlaps: Sequence[Overlap], field: SkyField, side: int) -> list[tuple[Overlap, Places]]:
    """Return the positions of the picture's pixels in each image. Bands of one detector or coadd share them."""
    found: list[tuple[Overlap, Places]] = []
    for one in overlaps:
        alike = (places for other, places in found if other.part == one.part and np.array_equal(other.cells, one.cells))
        if (places := next(alike, None)) is None:
            where = refined(one.cells, one.image.wcs, field, side, one.image.shape)
            places = Places(where, one.part, int(_ROUNDING + _GRID * one.part.cell_pixels / side))
        found.append((one, places))
    return found


def _plane(overlaps: Sequence[tuple[Overlap, Places]], side: int, finest: float, share: Share) -> NDArray[np.float32]:
    """Return the mean of the images of one band, float32 ``[side, side]``, the lowest row first."""
    canvas = Canvas(side)
    weighted = all(one.image.weight is not None for one, _ in overlaps)
    for one, places in overlaps:
        image = one.image if weighted or one.image.weight is None else replace(one.image, weight=None)
        per_area = any(word in image.physical_unit for word in _PER_AREA)
        canvas.add(image, places, factor=1.0 if per_area else (finest / one.pixel_arcsec) ** 2, share=share)
    return canvas.light()


def _place(field: SkyField) -> str:
    return f"ra {field.ra_deg:.5f}, dec {field.dec_deg:+.5f} deg"
