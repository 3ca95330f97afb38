"""Pictures for people: simulated beside real galaxies, and how predictions compare with labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_GAP = 4
_CAPTION = 14


def contact_sheet(
    rows: Sequence[tuple[str, NDArray[np.uint8], Sequence[float]]], path: Path, *, columns: int, side: int = 96
) -> None:
    """Draw model inputs in captioned blocks, each sorted by inclination, the number of degrees in every corner.

    Parameters
    ----------
    rows : sequence of (caption, uint8 ``[N, 128, 128, 3]``, N inclinations)
    path : Path
        A JPEG or PNG file.
    columns : int
        Pictures to a line.
    side : int
        Of each picture as drawn, pixels.
    """
    cell = side + _GAP
    lines = [-(-len(images) // columns) for _, images, _ in rows]
    height = sum(_CAPTION + _GAP + n * cell for n in lines)
    sheet = Image.new("RGB", (columns * cell + _GAP, height + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    top = 0
    for (caption, images, inclinations), count in zip(rows, lines, strict=True):
        pen.text((_GAP, top + 2), caption, fill="black")
        for place, member in enumerate(np.argsort(inclinations)):
            picture = Image.fromarray(images[member]).resize((side, side), Image.Resampling.LANCZOS)
            at = (_GAP + place % columns * cell, top + _CAPTION + _GAP + place // columns * cell)
            sheet.paste(picture, at)
            pen.text((at[0] + 3, at[1] + 1), f"{inclinations[member]:.0f}", fill="white")
        top += _CAPTION + _GAP + count * cell
    sheet.save(path, quality=88)


def comparison(
    labels: NDArray[np.float64], predicted: dict[str, NDArray[np.float64]], path: Path, *, title: str
) -> None:
    """Plot predicted minus measured against measured, one panel for each way to predict, with its rms and fit."""
    figure = Figure(figsize=(4.2 * len(predicted), 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = np.atleast_1d(figure.subplots(1, len(predicted), sharex=True, sharey=True))
    for panel, (name, values) in zip(panels, predicted.items(), strict=True):
        error = values - labels
        panel.axhline(0, color="0.6", lw=1)
        panel.plot(labels, error, "o", ms=3.5, alpha=0.6, mew=0)
        line = np.polyfit(labels, error, 1)
        ends = np.array([labels.min(), labels.max()])
        panel.plot(ends, np.polyval(line, ends), color="C3", lw=1.2)
        rms, bias = np.sqrt(np.mean(error**2)), error.mean()
        panel.set_title(f"{name}: rms {rms:.2f}°, bias {bias:+.2f}°, {len(labels)} galaxies", fontsize=9)
        panel.set_xlabel("measured by people (deg)")
    panels[0].set_ylabel("predicted minus measured (deg)")
    figure.suptitle(title, fontsize=10)
    figure.savefig(path, dpi=110)
