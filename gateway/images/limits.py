"""Limits on the size of an image, checked before a pixel is decoded."""

from __future__ import annotations

from gateway import errors

MAX_PIXELS = 40_000_000
SMALLEST_SIDE = 16


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Refuse images that are too large or too small to hold a galaxy, from their size alone."""
    if width * height > max_pixels:
        raise errors.ImageTooLarge(
            f"The image has {width} x {height} pixels; at most {max_pixels:,} pixels are read.",
            max_pixels=max_pixels,
        )
    if min(width, height) < SMALLEST_SIDE:
        raise errors.BadImage(f"The image has {width} x {height} pixels; at least {SMALLEST_SIDE} each way are needed.")
