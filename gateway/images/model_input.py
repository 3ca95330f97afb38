"""Makes the model input: pads a picture to a square and reduces it to 128x128.

Training uses :func:`model_input` on every image, so that a network is trained on exactly the input it will be given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from gateway.core.manifest import INPUT_SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _resampled(image: Image.Image, box: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = np.array(image.resize((INPUT_SIDE, INPUT_SIDE), Image.Resampling.BILINEAR, box=box))
    return pixels


def background(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture's background, uint8 ``[3]``: the median of its outermost pixels, plane by plane."""
    border = np.concatenate([rgb[0], rgb[-1], rgb[1:-1, 0], rgb[1:-1, -1]])
    colour: NDArray[np.uint8] = np.rint(np.median(border, axis=0)).astype(np.uint8)
    return colour


def model_input(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the model input: the picture padded to a square with its own background, resampled to 128x128.

    The picture is never stretched, and stays centred to a fraction of a pixel, so that the model input of a picture
    turned by 90 deg is the turned model input (to one count, the rounding error of the resampling; a filter with
    negative lobes would clip differently in rows and columns). The reduction averages pixels (antialiasing).

    Parameters
    ----------
    rgb : uint8 [H, W, 3]

    Returns
    -------
    uint8 [128, 128, 3]
    """
    height, width = rgb.shape[:2]
    side = max(height, width)
    image = Image.fromarray(rgb)
    if height == width:
        return _resampled(image, (0, 0, side, side))
    # one pixel more than needed on each side, so that the square below is centred whatever the parities are
    pad = ((side - height + 1) // 2 + 1, (side - width + 1) // 2 + 1)
    canvas = Image.new("RGB", (width + 2 * pad[1], height + 2 * pad[0]), tuple(int(c) for c in background(rgb)))
    canvas.paste(image, (pad[1], pad[0]))
    left, top = (canvas.width - side) / 2, (canvas.height - side) / 2
    return _resampled(canvas, (left, top, left + side, top + side))
