"""Reads the science image of a FITS file, in strips and within limits."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.core import errors
from gateway.images.bands import red_green_blue, wavelength_nm
from gateway.images.fits_file import FitsFile, Unit, looks_like_fits
from gateway.images.fits_plan import Plan, band, plane_shape, squeezed
from gateway.images.limits import SMALLEST_SIDE, Share, check_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FitsImage", "looks_like_fits", "read"]

_SAMPLE_BYTES = 8
_HEADROOM = 1 << 20
_SCIENCE = frozenset({"SCI", "SCIENCE"})
_USUAL = frozenset({"IMAGE", "DATA", "COADD", "STACK", "MOSAIC", "SIGNAL", "FLUX", "INTENSITY", "PRIMARY", "OBJECT"})
_NOT_SCIENCE = frozenset(
    [
        "MASK",
        "MASKED",
        "DQ",
        "WHT",
        "WT",
        "WEIGHT",
        "WEIGHTS",
        "ERR",
        "ERROR",
        "ERRORS",
        "VAR",
        "VARIANCE",
        "IVAR",
        "INVVAR",
        "PSF",
        "PSFEX",
        "EXP",
        "EXPOSURE",
        "EXPTIME",
        "EXPMAP",
        "CON",
        "CTX",
        "CONTEXT",
        "SEG",
        "SEGM",
        "SEGMENTATION",
        "SEGMAP",
        "BPM",
        "BADPIX",
        "FLAG",
        "FLAGS",
        "RMS",
        "NOISE",
        "UNC",
        "UNCERT",
        "UNCERTAINTY",
        "STD",
        "STDDEV",
        "SIGMA",
        "SKY",
        "BKG",
        "BCKGR",
        "BACKGROUND",
        "BACK",
        "QUALITY",
        "QUAL",
        "COVERAGE",
        "COV",
        "CVG",
        "NEXP",
        "SAMP",
        "TIME",
        "MAXMASK",
        "MASKBITS",
        "NIMAGE",
        "DEPTH",
        "PSFSIZE",
        "MODEL",
        "RESIDUAL",
        "RESID",
        "CHI",
        "CHI2",
        "SNR",
        "SN",
        "AREA",
        "FLAT",
        "BIAS",
        "DARK",
        "NUMIM",
        "HITS",
    ],
)
_ROLES = ("DATA_TYPE", "DATATYPE", "IMTYPE", "EXTTYPE", "HDUCLAS2", "PRODTYPE")
_DIMENSIONS = (2, 3)
_RGB = 3


@dataclass(frozen=True, slots=True)
class FitsImage:
    """The science image that was read.

    Attributes
    ----------
    planes : float32 [P, H, W]
        One plane, or red, green and blue; the first row is the uppermost; NaN and infinity where the file has them.
    width, height : int
        Size in the file, pixels.
    part : str or None
        Name of the image, where the file has several or has planes.
    warnings : tuple of str
        Assumptions that were made, in plain words.
    """

    planes: NDArray[np.float32]
    width: int
    height: int
    part: str | None
    warnings: tuple[str, ...]


def read(data: bytes, *, max_pixels: int, share: Share) -> FitsImage:
    """Read the science image of a FITS file.

    Parameters
    ----------
    data : bytes
        The file, plain or packed by gzip or bzip2; tile-compressed images are unpacked.
    max_pixels : int
        Most pixels of a plane; more are refused from the header.
    share : Share
        Share of the decoders' memory, from which the needed memory is requested.

    Raises
    ------
    errors.BadImage, errors.ImageTooLarge, errors.DeadlineExceeded
    """
    try:
        file = FitsFile(data, max_pixels * _SAMPLE_BYTES + _HEADROOM)
        units = file.units()
        return _first_that_shows(file, units, max_pixels, share)
    except errors.GatewayError:
        raise
    except (EOFError, zlib.error) as error:
        raise errors.BadImage("The FITS file is truncated.") from error
    # astropy raises a dozen kinds of error for damaged files; none of its warnings matters to a picture
    except Exception as error:
        raise errors.BadImage("The FITS file is truncated or damaged and can't be read.") from error


def _first_that_shows(file: FitsFile, units: Sequence[Unit], max_pixels: int, share: Share) -> FitsImage:
    if not units:
        raise errors.BadImage("The FITS file is truncated or damaged in its header.")
    candidates = _candidates(units)
    colours = _coloured_extensions(candidates)
    nothing = None
    for index, unit in enumerate(candidates):
        plan = Plan(unit, units, colours if index == 0 else None)
        check_size(plan.width, plan.height, max_pixels)
        share.ask(plan.cost(file), f"FITS image of {plan.size} pixels")
        planes, few_values = plan.read(file)
        image = FitsImage(planes, plan.width, plan.height, plan.part, plan.warnings)
        if not few_values:
            return image
        nothing = nothing or image
    assert nothing is not None  # there is a candidate  # noqa: S101
    return nothing


def _candidates(units: Sequence[Unit]) -> list[Unit]:
    """Return the images that can be science, the most probable first."""
    images = [unit for unit in units if unit.shape and all(unit.shape)]
    if not images:
        raise errors.BadImage("The FITS file holds no image, only headers or tables.")
    science = [unit for unit in images if not _is_auxiliary(unit)]
    if not science:
        names = ", ".join(sorted({_label(unit) for unit in images}))
        raise errors.BadImage(f"The FITS file holds no science image, only {names}.")
    pictures = [unit for unit in science if _is_picture(unit)]
    if not pictures:
        unit = science[0]
        shape = squeezed(unit) or (1,)
        if len(shape) in _DIMENSIONS or len(shape) == 1:
            check_size(shape[-1], shape[-2] if len(shape) > 1 else 1, shape[-1] * (shape[-2] if len(shape) > 1 else 1))
        size = " x ".join(str(n) for n in reversed(shape))
        raise errors.BadImage(f"The FITS image is {size}; images of two axes, or three with planes, are read.")
    largest = {rank: max(_area(unit) for unit in pictures if _rank(unit) == rank) for rank in map(_rank, pictures)}
    # a preview must not be preferred to the image that it shows
    return sorted(pictures, key=lambda unit: (_rank(unit), _area(unit) * 4 < largest[_rank(unit)], unit.number))


def science_images(units: Sequence[Unit]) -> list[Unit]:
    """Return the images that are as probably science as the first: the bands or detectors of a file.

    Raises
    ------
    errors.BadImage
        The file has no image.
    """
    candidates = _candidates(units)
    alike = [unit for unit in candidates if _rank(unit) == _rank(candidates[0])]
    return [unit for unit in alike if _area(unit) * 4 >= max(map(_area, alike))]


def beside(unit: Unit, units: Sequence[Unit], names: frozenset[str]) -> Unit | None:
    """Return the image of the same size that has one of these names, such as a mask; None without one.

    Of several, as in files of several detectors, it is the one of the same EXTVER, else the next one.
    """
    size = plane_shape(squeezed(unit))
    found = [one for one in units if one.shape and _words(one) & names and squeezed(one) == size]
    same = [one for one in found if one.header.get("EXTVER", 1) == unit.header.get("EXTVER", 1)] or found
    return min(same, key=lambda one: (one.number < unit.number, abs(one.number - unit.number)), default=None)


def _words(unit: Unit) -> set[str]:
    return {word.rstrip("0123456789") for word in re.split(r"[^A-Z0-9]+", unit.name) if word}


def _is_auxiliary(unit: Unit) -> bool:
    if _words(unit) & _NOT_SCIENCE:
        return True
    return not unit.name and bool(set(re.split(r"[^A-Z]+", unit.text(*_ROLES).upper())) & _NOT_SCIENCE)


def _rank(unit: Unit) -> int:
    words = _words(unit)
    if words & _SCIENCE:
        return 0
    usual = not words or words & _USUAL or wavelength_nm(unit.name) is not None
    return 1 if usual else 2


def _is_picture(unit: Unit) -> bool:
    shape = squeezed(unit)
    return len(shape) in _DIMENSIONS and min(plane_shape(shape)) >= SMALLEST_SIDE


def _area(unit: Unit) -> int:
    height, width = plane_shape(squeezed(unit))
    return height * width


def _label(unit: Unit) -> str:
    return unit.name or ("the primary image" if unit.number == 0 else f"extension {unit.number}")


def _coloured_extensions(candidates: Sequence[Unit]) -> tuple[list[Unit], list[str]] | None:
    """Return the extensions of the first candidate's shape, if each is one band, and their bands."""
    first = candidates[0]
    alike = [unit for unit in candidates if unit.shape == first.shape and len(squeezed(unit)) == 2]
    bands = [(unit, name) for unit in alike if (name := band(unit)) is not None]
    names = [band for _, band in bands]
    telescope = first.text("TELESCOP")
    if len(set(names)) < _RGB or first not in [unit for unit, _ in bands] or red_green_blue(names, telescope) is None:
        return None
    return [unit for unit, _ in bands], names
