"""Tests whether the service's choice of frame helps: ``python -m benchmarks.frame``, with the shared galaxies.

Labelled galaxies are measured as they are, where the errors must not grow, and embedded in larger, starry fields, where
the frame has to restore the accuracy of a well framed picture. Fields without a galaxy must stay whole.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gateway.core.manifest import read_manifest
from gateway.core.models import AUTO, WHOLE, Framing
from gateway.images.decode import decode
from gateway.images.frame import Framed, Square, cut, framed
from gateway.images.model_input import model_input
from tests.support.starfields import StarField, scaled, starfield, stars_alone
from training.data.dataset import RealGalaxy, read_table
from training.evaluation.evaluate import Predictions, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "galaxies"
MANIFEST = ROOT / "model_repo" / "manifest.json"
_AT_ONCE = 64
_TURNED = 44182  # its corners are white, and would be pasted too
_CAPTIONS = (48307, 71866)
"""Turned pictures with captions, both outside of 1.4 of their 2 D25. Others would lose stars beside the galaxy."""


def main() -> None:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--galaxies", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    efigi, giz = (
        [galaxy for galaxy in read_table(SHARED / f"{name}.csv") if galaxy.measured] for name in ("efigi", "giz512")
    )
    some = [efigi[at] for at in rng.permutation(len(efigi))[: asked.galaxies]]
    ask = opened(read_manifest(MANIFEST), MANIFEST.parent)
    print(f"{'':44}{'n':>5}{'MAE':>8}{'rms':>8}{'rejected':>10}{'framed':>8}")
    for name, galaxies, times in (
        ("EFIGI as they are", some, 1.0),
        ("EFIGI at 352 pixels", some, 4.0),
        ("giz512 as they are", giz, 1.0),
        ("giz512 at 256 pixels", giz, 0.5),
    ):
        pictures = [_picture(galaxy, times) for galaxy in galaxies]
        _well_framed(name, ask, galaxies, pictures)
    for name, galaxies in (("EFIGI", some), ("giz512", [one for one in giz if one.pgc != _TURNED] * 4)):
        _in_fields(name, ask, galaxies, rng)
    _cut_beside(ask, [one for one in giz if one.pgc not in (_TURNED, *_CAPTIONS)])
    _empty(rng)
    _cost(some, rng)


def _picture(galaxy: RealGalaxy, times: float) -> NDArray[np.uint8]:
    rgb = decode(galaxy.path.read_bytes()).rgb
    return rgb if times == 1 else scaled(rgb, times)


def _line(
    name: str,
    ask: Callable[[NDArray[np.uint8]], Predictions],
    galaxies: Sequence[RealGalaxy],
    pictures: Sequence[NDArray[np.uint8]],
    chosen: int,
) -> NDArray[np.float64]:
    inputs = [model_input(rgb) for rgb in pictures]
    said = [ask(np.stack(inputs[at : at + _AT_ONCE])) for at in range(0, len(inputs), _AT_ONCE)]
    off = np.concatenate([one.median for one in said]) - np.array([galaxy.inclination_deg for galaxy in galaxies])
    rejection = np.concatenate([one.rejection for one in said if one.rejection is not None])
    mae, rms = np.abs(off).mean(), np.sqrt((off**2).mean())
    print(f"{name:44}{len(off):5d}{mae:8.3f}{rms:8.3f}{(rejection >= 0.5).mean():10.2f}{chosen:8d}", flush=True)
    return np.asarray(off, np.float64)


def _well_framed(
    name: str,
    ask: Callable[[NDArray[np.uint8]], Predictions],
    galaxies: Sequence[RealGalaxy],
    pictures: Sequence[NDArray[np.uint8]],
) -> None:
    _line(f"{name}, whole", ask, galaxies, pictures, 0)
    automatic = [framed(rgb, AUTO) for rgb in pictures]
    chosen = sum(one.square is not None for one in automatic)
    _line(f"{name}, auto", ask, galaxies, [one.rgb for one in automatic], chosen)


def _in_fields(
    name: str,
    ask: Callable[[NDArray[np.uint8]], Predictions],
    galaxies: Sequence[RealGalaxy],
    rng: np.random.Generator,
) -> None:
    stamps = [_stamp(galaxy, rng) for galaxy in galaxies]
    shown = [_field(stamp, width, rng) for stamp, width in stamps]
    fields = [field for field, _ in shown]
    well = [_middle(same, min(1, 1.4 / width)) for (_, same), (_, width) in zip(shown, stamps, strict=True)]
    best = np.abs(_line(f"{name}, well framed", ask, galaxies, well, 0))
    _line(f"{name} in fields, whole", ask, galaxies, [field.rgb for field in fields], 0)
    true = [cut(field.rgb, Square(field.x, field.y, 1.2 * field.side)) for field in fields]
    by_truth = np.abs(_line(f"{name} in fields, framed by the truth", ask, galaxies, true, len(true)))
    _beyond("the well framed", by_truth - best)
    automatic = [framed(field.rgb, AUTO) for field in fields]
    chosen = sum(one.square is not None for one in automatic)
    off = _line(f"{name} in fields, auto", ask, galaxies, [one.rgb for one in automatic], chosen)
    _beyond("the well framed", np.abs(off) - best)
    _beyond("those framed by the truth", np.abs(off) - by_truth)
    _missed(fields, automatic)
    wider = np.array([max(field.rgb.shape) / field.side for field in fields])
    for low, high in ((2, 3), (3, 4), (4, 7)):
        part = np.abs(off[(wider >= low) & (wider < high)])
        if len(part):
            print(f"    {low} to {high} times wider: MAE {part.mean():.3f}, n {len(part)}")


def _beyond(what: str, more: NDArray[np.float64]) -> None:
    print(f"    MAE beyond {what}: {more.mean():+.3f} +- {more.std() / np.sqrt(len(more)):.3f}")


def _stamp(galaxy: RealGalaxy, rng: np.random.Generator) -> tuple[NDArray[np.uint8], float]:
    """Return a picture for embedding, and its side in D25."""
    rgb = decode(galaxy.path.read_bytes()).rgb
    if len(rgb) < 256:  # EFIGI's pictures, 1 x D25 wide
        return (scaled(rgb, rng.uniform(1, 2)) if rng.random() < 0.3 else rgb), 1.0
    if galaxy.pgc in _CAPTIONS:
        rgb = _middle(rgb, 0.7)
    width = 1.4 if galaxy.pgc in _CAPTIONS else 2.0
    return scaled(rgb, rng.uniform(0.3, 0.7) * 512 * width / 2 / len(rgb)), width


def _cut_beside(ask: Callable[[NDArray[np.uint8]], Predictions], galaxies: Sequence[RealGalaxy]) -> None:
    """Measure the four corners of the real pictures, 1.5 of their 2 D25: the galaxy is off centre with neighbours."""
    four = [galaxy for galaxy in galaxies for _ in range(4)]
    parts = []
    for galaxy in galaxies:
        rgb = _picture(galaxy, 1.0)
        left = len(rgb) // 4
        parts += [rgb[y:, x:][: 3 * left, : 3 * left] for y in (0, left) for x in (0, left)]
    name = "giz512 cut beside the galaxy"
    _well_framed(name, ask, four, [np.ascontiguousarray(part) for part in parts])


def _middle(rgb: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    return cut(rgb, Square(len(rgb) / 2, len(rgb) / 2, share * len(rgb)))


def _field(stamp: NDArray[np.uint8], width: float, rng: np.random.Generator) -> tuple[StarField, NDArray[np.uint8]]:
    """Embed a picture ``width`` D25 wide in a field 2 to 6 D25 wide; a fifth of both are shown as negatives."""
    field = starfield(
        stamp,
        rng,
        wider=rng.uniform(max(2, width), 6) / width,
        stars=float(rng.choice([0.3, 1, 1, 3])),
        aspect=float(rng.choice([0.7, 1, 1, 1.5])),
    )
    field = replace(field, side=field.side / width)
    if rng.random() < 0.2:
        return field.negative(), 255 - stamp
    return field, stamp


def _missed(fields: Sequence[StarField], automatic: Sequence[Framed]) -> None:
    numbers = []
    for number, (field, one) in enumerate(zip(fields, automatic, strict=True)):
        square = one.square
        if square is None or np.hypot(square.x - field.x, square.y - field.y) > field.side / 4:
            numbers.append(number)
    print(f"    left whole, or more than a quarter of the galaxy beside it: {len(numbers)} {numbers[:12]}")


def _empty(rng: np.random.Generator) -> None:
    wrongly = sum(
        framed(stars_alone(rng, side=int(rng.integers(200, 700)), stars=float(rng.choice([0.3, 1, 3]))), AUTO).square
        is not None
        for _ in range(100)
    )
    print(f"fields of stars and faint galaxies alone that were framed: {wrongly} of 100")


def _cost(galaxies: Sequence[RealGalaxy], rng: np.random.Generator) -> None:
    small = [_picture(galaxy, 1.0) for galaxy in galaxies[:40]]
    full = [scaled(rgb, 512 / len(rgb)) for rgb in small]
    fields = [starfield(rgb, rng, wider=512 / len(rgb)).rgb for rgb in small]
    for name, pictures in (("88 pixels", small), ("512 pixels, filled", full), ("512 pixels, a field", fields)):
        extra = [_seconds(rgb, AUTO) - _seconds(rgb, WHOLE) for rgb in pictures]
        print(f"cost beyond a whole picture's, {name}: {1000 * np.median(extra):.2f} ms")


def _seconds(rgb: NDArray[np.uint8], asked: Framing) -> float:
    took = []
    for _ in range(3):
        started = time.perf_counter()
        model_input(framed(rgb, asked).rgb)
        took.append(time.perf_counter() - started)
    return min(took)


if __name__ == "__main__":
    main()
