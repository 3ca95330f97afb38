"""FITS images and other measured pixels: read them within limits, and stretch them as survey pictures are."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from gateway import errors

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

    from gateway.preprocess import check_size  # noqa: PLC0415 - one rule for every format; it imports this module

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


def stretch(planes: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Turn measured pixels into a picture by an asinh stretch (Lupton et al. 2004, PASP 116, 133).

    Sky and noise are those of the picture itself (median, and 1.4826 times the median absolute deviation of what lies
    below it), the white point is its 99.8 percentile, and every plane is scaled by the same function of the mean
    intensity, so that colours are kept.

    Parameters
    ----------
    planes : float32 [P, H, W]
        One plane or three; NaN and infinities become sky.

    Returns
    -------
    uint8 [H, W, 3]
    """
    planes = np.where(np.isfinite(planes), planes, np.nan)
    sky = np.nanmedian(planes, axis=(1, 2), keepdims=True)
    signal = np.nan_to_num(planes - sky, nan=0.0)
    intensity = signal.mean(axis=0)
    below = intensity[intensity < 0]
    noise = 1.4826 * float(np.median(-below)) if below.size else 0.0
    white = float(np.quantile(intensity, 0.998))
    if white <= 0:
        white = float(intensity.max())
    if white <= 0:
        raise errors.BadImage("The image holds nothing brighter than its background.")
    noise = max(noise, white * 1e-3)
    shifted = np.maximum(intensity + noise, 0)
    curve = np.arcsinh(shifted / (2 * noise)) / np.arcsinh((white + noise) / (2 * noise))
    factor = curve / np.maximum(shifted, 1e-6 * white)
    rgb = np.clip((signal + noise) * factor, 0, 1)
    picture = np.rint(255 * np.moveaxis(rgb, 0, -1)).astype(np.uint8)
    return np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture
