"""Pictures of a simple galaxy, in every format that people use."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray


def disc(
    side: int = 96, axis_ratio: float = 0.5, angle_deg: float = 30.0, width: int | None = None
) -> NDArray[np.uint8]:
    """Return an inclined exponential disc on a noisy sky, uint8 ``[side, width, 3]``; equal arguments, equal disc."""
    width = width or side
    y, x = np.mgrid[:side, :width]
    x, y = x - (width - 1) / 2, (side - 1) / 2 - y
    angle = np.deg2rad(angle_deg)
    along, across = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    radius = np.hypot(along, across / axis_ratio) / (min(side, width) / 12)
    light = 220 * np.exp(-radius)
    noise = np.random.default_rng(1).normal(12, 1.5, (side, width))
    colours = np.array([1.0, 0.9, 0.75])
    pixels: NDArray[np.uint8] = np.clip(noise[..., None] + light[..., None] * colours, 0, 255).astype(np.uint8)
    return pixels


def encoded(pixels: NDArray[Any], file_format: str, **options: Any) -> bytes:
    """Return pixels as a file in a format of Pillow."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, file_format, **options)
    return buffer.getvalue()


def fits_file(samples: NDArray[Any], *, compress: bool = False) -> bytes:
    """Return samples as the primary image of a FITS file."""
    buffer = io.BytesIO()
    fits.PrimaryHDU(samples).writeto(buffer)
    return gzip.compress(buffer.getvalue(), mtime=0) if compress else buffer.getvalue()
