"""Sheets of galaxies: simulated beside real ones, augmented versions of one, and those with large errors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_GAP = 4
_CAPTION = 18
_INK = "#222222"
_PALE = "#777777"


@dataclass(frozen=True, slots=True)
class CaptionedImage:
    """A picture with its captions.

    Attributes
    ----------
    image : uint8 ``[H, W, 3]``
    lines : tuple of str
        Lines of text below the picture.
    corner : str
        Text in its upper left corner.
    """

    image: NDArray[np.uint8]
    lines: tuple[str, ...] = ()
    corner: str = ""


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    # matplotlib ships this font, so a sheet looks the same on every machine
    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)


def _paste(sheet: Image.Image, shown: CaptionedImage, at: tuple[int, int], side: int) -> None:
    sheet.paste(Image.fromarray(shown.image).resize((side, side), Image.Resampling.LANCZOS), at)
    pen = ImageDraw.Draw(sheet)
    if shown.corner:
        where = (at[0] + 4, at[1] + 2)
        pen.text(where, shown.corner, fill="white", font=_font(11), stroke_width=1, stroke_fill="black")
    for number, line in enumerate(shown.lines):
        pen.text((at[0] + 1, at[1] + side + 2 + 13 * number), line, fill=_INK, font=_font(10))


def grid(shown: Sequence[CaptionedImage], path: Path, *, title: str, columns: int, side: int = 128) -> None:
    """Draw pictures in lines of ``columns``, each ``side`` pixels wide, with their captions."""
    depth = side + _GAP + 13 * max((len(one.lines) for one in shown), default=0) + 4
    lines = max(1, -(-len(shown) // columns))
    sheet = Image.new("RGB", (columns * (side + _GAP) + _GAP, _CAPTION + 2 * _GAP + lines * depth), "white")
    ImageDraw.Draw(sheet).text((_GAP, 3), title, fill=_INK, font=_font(12))
    for place, one in enumerate(shown):
        at = (_GAP + place % columns * (side + _GAP), _CAPTION + _GAP + place // columns * depth)
        _paste(sheet, one, at, side)
    sheet.save(path, quality=88)


def contact_sheet(
    rows: Sequence[tuple[str, NDArray[np.uint8], Sequence[float]]], path: Path, *, columns: int, side: int = 96
) -> None:
    """Draw model inputs in captioned blocks, each sorted by inclination, with the degrees in every corner.

    Parameters
    ----------
    rows : sequence of (caption, uint8 ``[N, 128, 128, 3]``, N inclinations)
    path : Path
        JPEG or PNG file.
    columns : int
        Pictures per line.
    side : int
        Side of each picture as drawn, pixels.
    """
    cell = side + _GAP
    lines = [-(-len(images) // columns) for _, images, _ in rows]
    height = sum(_CAPTION + _GAP + n * cell for n in lines)
    sheet = Image.new("RGB", (columns * cell + _GAP, height + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    top = 0
    for (caption, images, inclinations), count in zip(rows, lines, strict=True):
        pen.text((_GAP, top + 3), caption, fill=_INK, font=_font(12))
        for place, member in enumerate(np.argsort(inclinations)):
            at = (_GAP + place % columns * cell, top + _CAPTION + _GAP + place // columns * cell)
            _paste(sheet, CaptionedImage(images[member], corner=f"{inclinations[member]:.0f}"), at, side)
        top += _CAPTION + _GAP + count * cell
    sheet.save(path, quality=88)


def augmentation_sheet(
    rows: Sequence[tuple[str, NDArray[np.uint8], NDArray[np.uint8]]], path: Path, *, side: int = 96
) -> None:
    """Draw one galaxy per line: the original picture, and augmented versions of it.

    Parameters
    ----------
    rows : sequence of (caption, uint8 ``[128, 128, 3]``, uint8 ``[N, 128, 128, 3]``)
        Caption, original, and versions; the same N in every row.
    path : Path
        JPEG or PNG file.
    side : int
        Side of each picture as drawn, pixels.
    """
    cell = side + _GAP
    versions = max(len(made) for _, _, made in rows)
    aside = 3 * _GAP
    sheet = Image.new("RGB", ((versions + 1) * cell + aside + _GAP, _CAPTION + len(rows) * cell + 2 * _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    pen.text((_GAP, 3), "as it is", fill=_PALE, font=_font(11))
    pen.text((cell + aside + _GAP, 3), "as networks see it while they learn", fill=_PALE, font=_font(11))
    for line, (caption, original, made) in enumerate(rows):
        top = _CAPTION + _GAP + line * cell
        _paste(sheet, CaptionedImage(original, corner=caption), (_GAP, top), side)
        for place, version in enumerate(made):
            _paste(sheet, CaptionedImage(version), ((place + 1) * cell + aside + _GAP, top), side)
    sheet.save(path, quality=88)
