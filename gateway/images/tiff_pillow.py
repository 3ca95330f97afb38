"""Reads whole TIFF files with Pillow, of the kinds that libvips does not read."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pyvips
from PIL import Image

from gateway.core import errors
from gateway.images import tiff
from gateway.images.vips import of_rows, read_strips

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gateway.images.tiff import Page

# warnings about odd tags, which do not affect the pixels
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")

_BYTE = 8
_MEASURED = frozenset({"F", "I", "I;16", "I;16B", "I;16L"})
"""Pillow's modes of one plane with more than 8 bits."""
_SHOWN = {"1": "L", "L": "L", "LA": "LA", "La": "LA", "PA": "RGBA", "RGBA": "RGBA", "RGBa": "RGBA"}
"""Pillow's mode to which pictures of a mode are converted; all others become RGB."""
_GRAY_ALPHA = 2
_COPIES = 3
"""Copies of the pixels in memory: Pillow's own, one turned upright or converted, and an array."""


class PillowTiff:
    """A page of a TIFF file for Pillow; no pixel is decoded yet.

    Parameters
    ----------
    data : bytes
        Content of the file.
    page : gateway.images.tiff.Page
        The page to read.
    why : str
        The feature that libvips does not read, as part of a sentence.
    """

    kind = "TIFF"
    orientation = 1
    """Orientation that remains to be applied: none, since Pillow turns the picture upright."""
    part: str | None = None

    def __init__(self, data: bytes, page: Page, why: str) -> None:
        self._data, self._page, self._why = data, page, why
        self.width, self.height = page.get(tiff.WIDTH), page.get(tiff.HEIGHT)
        if page.get(tiff.ORIENTATION) in tiff.TRANSPOSED:
            self.width, self.height = self.height, self.width

    def cost(self, side: int) -> int:
        """Return an estimate of the bytes of memory that decoding takes, from the header."""
        return self._page.pixels * (_COPIES * max(4, self._page.bytes_per_pixel) + 24 // side**2) + 8_000_000

    def samples(self, side: int) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
        """Decode, reduced by blocks of ``side``; return samples and opacity.

        Raises
        ------
        errors.BadImage
            Pillow can't read the file either, or not with all its bits.
        """
        try:
            with Image.open(io.BytesIO(self._data), formats=["TIFF"]) as image:
                image.seek(self._page.number)
                image.load()
        # Pillow raises exceptions of any kind for unknown files
        except Exception as error:
            raise errors.BadImage(f"TIFF {self._why} is not read, or the file is damaged.") from error
        if self._page.get(tiff.BITS) > _BYTE and image.mode not in _MEASURED:
            raise errors.BadImage(f"TIFF {self._why} is read with up to 8 bits a sample only.")
        planes = _planes(image)
        height, width, bands = planes.shape
        kind = "float" if planes.dtype == np.float32 else "uchar"
        whole = pyvips.Image.new_from_memory(planes, width, height, bands, kind)
        whole = whole.copy(interpretation="srgb" if bands > _GRAY_ALPHA else "b-w")
        return read_strips(whole, side, planes.dtype, of_rows)


def _planes(image: Image.Image) -> NDArray[Any]:
    """Return the pixels of a decoded picture, uint8 or float32 ``[H, W, C]``."""
    if image.mode in _MEASURED:
        samples: NDArray[Any] = np.asarray(image, np.float32)
    else:
        mode = _SHOWN.get(image.mode, "RGB")
        samples = np.asarray(image if image.mode == mode else image.convert(mode))
    return samples.reshape(*samples.shape[:2], -1)
