"""Compares fitted ellipses with people's inclinations and the catalogue: ``python -m benchmarks.ellipse``.

Every method for the axis ratio uses the same galaxies of EFIGI that people measured (``../shared/galaxies``), those
with even and odd PGC numbers separately: all choices were made on the even ones. Inclinations follow from the axis
ratio with r = 0.3, and with r = 0.2, the scale of people's labels.
"""

from __future__ import annotations

import csv
import math
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import sep

from gateway.images import ellipse
from gateway.images.decode import decode
from training.data.dataset import read_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SHARED = Path(__file__).resolve().parents[2] / "shared"
_ASKED = 40
_REPEATS = 5


def _signal(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    """Return the counts above the sky of a small picture, and the noise."""
    counts, unseen = ellipse._reduced(rgb, None)  # noqa: SLF001 - the other methods get the same sky
    sky, noise = ellipse._sky_and_noise(counts, unseen)  # noqa: SLF001 - as above
    return (counts - sky).astype(np.float32), noise


def _region(rgb: NDArray[np.uint8], sigma: float) -> float:
    """Return the axis ratio of the region above an isophote, unweighted: at 3 sigma, the former method."""
    signal, noise = _signal(rgb)
    region = ellipse._central(*ellipse._extracted(signal, sigma * noise, None))  # noqa: SLF001 - as above
    if region is None:
        return math.nan
    return ellipse._Moments.of(region, np.ones_like(signal), 0.0).axis_ratio  # noqa: SLF001 - as above


def _light(rgb: NDArray[np.uint8], sigma: float) -> float:
    """Return the axis ratio of the moments of the light above an isophote: sep's own a and b."""
    signal, noise = _signal(rgb)
    objects, regions = sep.extract(signal, sigma * noise, minarea=20, segmentation_map=True)
    label = int(regions[signal.shape[0] // 2, signal.shape[1] // 2])
    return float(objects["b"][label - 1] / objects["a"][label - 1]) if label else math.nan


def _adaptive(rgb: NDArray[np.uint8]) -> float:
    """Return the axis ratio of adaptive moments, elliptically weighted (HSM; Hirata & Seljak 2003, MNRAS 343, 459)."""
    import galsim  # in the training extra

    signal, _ = _signal(rgb)
    found = galsim.hsm.FindAdaptiveMom(galsim.Image(signal), guess_sig=8.0, strict=False)
    return math.nan if found.error_message else float(found.observed_shape.q)


def _shipped(rgb: NDArray[np.uint8]) -> float:
    fitted = ellipse.fit_ellipse(rgb)
    return math.nan if fitted is None else fitted.axis_ratio


METHODS: dict[str, Callable[[NDArray[np.uint8]], float]] = {
    "shipped": _shipped,
    **{f"region above {sigma:g} sigma": partial(_region, sigma=sigma) for sigma in (1.5, 2, 3, 5)},
    **{f"sep's moments above {sigma:g} sigma": partial(_light, sigma=sigma) for sigma in (1.5, 2.5, 4)},
    "adaptive moments (GalSim's HSM)": _adaptive,
}


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.nanmean(values**2)))


def _inclination(ratio: NDArray[np.float64], r: float) -> NDArray[np.float64]:
    return np.array([math.nan if math.isnan(q) else ellipse.inclination_deg(min(q, 1.0), r) for q in ratio])


def _catalogue() -> dict[int, float]:
    with (SHARED / "catalog" / "hyperleda_d25_over_1arcmin.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["minorDiameter"]]
    return {int(row["name"].split()[1]): float(row["minorDiameter"]) / float(row["diameter"]) for row in rows}


def _milliseconds(method: Callable[[Any], Any], pictures: list[NDArray[np.uint8]]) -> float:
    spent = []
    for _ in range(_REPEATS):
        started = time.process_time()
        for rgb in pictures:
            method(rgb)
        spent.append((time.process_time() - started) / len(pictures))
    return 1e3 * min(spent)


def main() -> None:
    """Print the table."""
    table = SHARED / "galaxies" / "efigi.csv"
    if not table.exists():
        sys.exit(f"{table} is missing.")
    galaxies = [g for g in read_table(table) if g.measured]
    pictures = [decode(g.path.read_bytes()).rgb for g in galaxies]
    people = np.array([g.inclination_deg for g in galaxies])
    even = np.array([g.pgc % 2 == 0 for g in galaxies])
    known = _catalogue()
    axes = np.array([known.get(g.pgc, math.nan) for g in galaxies])
    sys.stdout.write(
        f"{len(galaxies)} galaxies; degrees rms about people, q about the catalogue's ({np.isfinite(axes).sum()})\n"
        f"{'':34s}{'even':>6s}{'odd':>6s}{'r=0.2':>7s}{'rms q':>8s}{'mean q':>8s}{'none':>5s}{'ms':>6s}\n"
    )
    for name, method in {**METHODS, "catalogue": None}.items():
        ratio = axes if method is None else np.array([method(rgb) for rgb in pictures])
        off, other = _inclination(ratio, 0.3) - people, _inclination(ratio, 0.2) - people
        spent = f"{_milliseconds(method, pictures[:_ASKED]):6.2f}" if method else ""
        sys.stdout.write(
            f"{name:34s}{_rms(off[even]):6.2f}{_rms(off[~even]):6.2f}{_rms(other):7.2f}{_rms(ratio - axes):8.3f}"
            f"{np.nanmean(ratio - axes):+8.3f}{np.isnan(ratio).sum():5d}{spent}\n"
        )
    for side in (88, 512, 2048):
        sys.stdout.write(f"shipped, {side} pixels: {_milliseconds(_shipped, _enlarged(pictures[:8], side)):.2f} ms\n")


def _enlarged(pictures: list[NDArray[np.uint8]], side: int) -> list[NDArray[np.uint8]]:
    from PIL import Image

    return [np.asarray(Image.fromarray(rgb).resize((side, side), Image.Resampling.BICUBIC)) for rgb in pictures]


if __name__ == "__main__":
    main()
