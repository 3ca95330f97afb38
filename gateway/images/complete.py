"""A decoded picture as a file that says: no part of it is empty, whatever its colour.

In a picture of 8 bits nothing else tells a sky that was cut off at black from the corners of a turned one
(:mod:`gateway.images.corners`). Whoever made the picture knows.
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
"""Where it is looked for: before the pixels."""


def complete_png(rgb: NDArray[np.uint8]) -> bytes:
    """Write a picture, uint8 ``[H, W, 3]``, as a PNG without an empty part."""
    written, text = io.BytesIO(), PngInfo()
    text.add_text(KEY, TEXT)
    # to deflate more takes longer than to send
    Image.fromarray(rgb).save(written, "PNG", compress_level=1, pnginfo=text)
    return written.getvalue()


def is_complete(png: bytes) -> bool:
    """Tell whether a PNG says that it has no empty part."""
    return _CHUNK in png[:_HEAD_BYTES]
