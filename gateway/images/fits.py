"""Read FITS images within limits."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from gateway import errors
from gateway.images.limits import check_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FITS_MAGIC = b"SIMPLE  ="
_GZIP_MAGIC = b"\x1f\x8b"
_HEADROOM = 1 << 20
_PLANES = (1, 3)
_DIMENSIONS = (2, 3)


def looks_like_fits(data: bytes) -> bool:
    """Tell whether ``data`` starts as a FITS file does, gzipped or not."""
    return data.startswith(_FITS_MAGIC) or (data.startswith(_GZIP_MAGIC) and _gunzip(data, 16)[:9] == _FITS_MAGIC)


def _gunzip(data: bytes, limit: int) -> bytes:
    """Unpack at most ``limit`` bytes, so that a bomb costs no more than that."""
    try:
        return zlib.decompressobj(wbits=31).decompress(data, limit)
    except zlib.error:
        return b""


def read(data: bytes, *, max_pixels: int) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Read the first image of a FITS file.

    Parameters
    ----------
    data : bytes
        The file, plain or gzipped; tile-compressed images are unpacked.
    max_pixels : int
        Refused above this, from the header.

    Returns
    -------
    planes : float32 [P, H, W]
        One plane or three (red, green, blue), first row at the top, NaN where the file has none.
    size : (int, int)
        Width and height, pixels.

    Raises
    ------
    errors.BadImage, errors.ImageTooLarge
    """
    from astropy.io import fits  # noqa: PLC0415 - 0.3 s and 30 MB that only a FITS file is worth

    if data.startswith(_GZIP_MAGIC):
        limit = max_pixels * 8 + _HEADROOM
        data = _gunzip(data, limit)
        if len(data) >= limit:
            raise errors.ImageTooLarge(f"The gzipped FITS file unpacks to more than {limit:,} bytes.")
    try:
        with fits.open(io.BytesIO(data), memmap=False, lazy_load_hdus=True, ignore_missing_simple=False) as hdus:
            for hdu in hdus:
                shape = tuple(n for n in getattr(hdu, "shape", ()) if n != 1)
                if not hdu.is_image or not shape:
                    continue
                check_size(shape[-1], shape[-2] if len(shape) > 1 else 1, max_pixels)
                return _planes(hdu, shape), (shape[-1], shape[-2])
    except errors.InclinetError:
        raise
    # astropy meets damage with a dozen kinds of error, and warns of none that matters to a picture
    except Exception as error:
        raise errors.BadImage("The FITS file is truncated or damaged and can't be read.") from error
    raise errors.BadImage("The FITS file holds no image, only headers or tables.")


def _planes(hdu: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    if len(shape) not in _DIMENSIONS or (len(shape) == 3 and shape[0] not in _PLANES):  # noqa: PLR2004 - a cube
        size = " x ".join(str(n) for n in reversed(shape))
        raise errors.BadImage(
            f"The FITS image is {size}; one plane, or three (red, green, blue) along the third axis, are read.",
        )
    samples = np.asarray(hdu.data, dtype=np.float32).reshape(-1, *shape[-2:])
    if not np.isfinite(samples).any():
        raise errors.BadImage("The FITS image holds no finite value.")
    return samples[:, ::-1]
