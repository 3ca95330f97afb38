"""A decoded picture as a PNG with the mark that no part of it is empty, whatever its colour.

In a picture of 8 bits, colour alone can't distinguish a sky that was clipped to black from the corners of a turned
picture (:mod:`gateway.images.corners`). The program that made the picture knows.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image
from PIL.PngImagePlugin import PngInfo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEY, TEXT = "inclinet", "no empty part"
"""Keyword and text of the ``tEXt`` chunk."""

_CHUNK = f"tEXt{KEY}\0{TEXT}".encode("latin-1")
_HEAD_BYTES = 4096
"""Number of first bytes in which the mark is searched; it comes before the pixels."""


def complete_png(rgb: NDArray[np.uint8]) -> bytes:
    """Return a picture, uint8 ``[H, W, 3]``, as a PNG with the mark."""
    written, text = io.BytesIO(), PngInfo()
    text.add_text(KEY, TEXT)
    # stronger compression takes longer than it saves in sending
    Image.fromarray(rgb).save(written, "PNG", compress_level=1, pnginfo=text)
    return written.getvalue()


def is_complete(png: bytes) -> bool:
    """Return whether a PNG has the mark that no part of it is empty."""
    return _CHUNK in png[:_HEAD_BYTES]
