from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import ndimage

from training.data import dataset
from training.simulation import sample, stretch, surroundings, tone_curves
from training.simulation.surveys import SURVEYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

pytestmark = pytest.mark.slow

SHARED = Path(__file__).parents[5] / "shared" / "galaxies"
SIDE = 128


def shown(planes: NDArray[np.float32], tone_curve: tone_curves.ToneCurve) -> NDArray[np.float64]:
    """Return the counts of one picture of g, r, i."""
    drawn = {
        name: np.asarray(value, np.float32)[None]
        for name, value in surroundings.tone_curve_parameters(tone_curve).items()
    }
    counts = stretch.stretch(np.asarray(planes, np.float32)[None], drawn)
    return np.asarray(np.asarray(counts)[0], np.float64)


def colourless(tone_curve: tone_curves.ToneCurve) -> tone_curves.ToneCurve:
    """Return a tone_curve that does nothing to colours but to balance the bands."""
    return dataclasses.replace(
        tone_curve, saturation=1.0, pedestal=(0.0, 0.0, 0.0), tint=(1.0, 1.0, 1.0), chroma_blur=0.01, hue_kept=True
    )


def test_the_server_keeps_the_colour_of_pixels_too_bright_to_show() -> None:
    planes = np.ones((3, 2, 2), np.float32) * np.array([1e2, 1e4], np.float32)[None, :, None]
    planes[0] /= 4  # a red source: little light in g
    counts = shown(planes, colourless(tone_curves.server(np.random.default_rng(1), SURVEYS["sdss"])))
    assert counts[1, 0].max() == 255
    expected = stretch.GAINS[2] / stretch.GAINS[1] / 4
    assert (counts[:, 0, 2] / counts[:, 0, 1]).tolist() == pytest.approx([expected] * 2, rel=0.02)


def test_a_power_law_shows_light_of_a_hundredth_of_white_as_its_root() -> None:
    tone_curve = colourless(tone_curves.efigi(np.random.default_rng(1)))
    white = 10 ** (0.4 * (22.5 - tone_curve.white_mag))
    gray = white * 0.01 / np.array(stretch.GAINS[::-1])[:, None, None]
    assert np.abs(shown(np.tile(gray, (1, 2, 2)), tone_curve) - 255 * 0.01 ** (1 / 2.2)).max() <= 1


def test_light_below_the_sky_is_black_and_no_colour() -> None:
    planes = np.full((3, 4, 4), -0.5, np.float32)
    servers = [partial(tone_curves.server, survey=survey) for survey in SURVEYS.values()]
    makers: list[Callable[[np.random.Generator], tone_curves.ToneCurve]] = [
        tone_curves.efigi,
        tone_curves.anything,
        *servers,
    ]
    for make in makers:
        tone_curve = dataclasses.replace(make(np.random.default_rng(2)), pedestal=(0.0, 0.0, 0.0))
        assert shown(planes, tone_curve).max() == 0


def measures(image: NDArray[np.uint8]) -> dict[str, float]:
    """Return what the eye tells pictures apart by: the sky, its grain, and the galaxy's brightness, colour and size."""
    counts = image.astype(np.float64)
    edge = np.concatenate([part.reshape(-1, 3) for part in (counts[:6], counts[-6:], counts[:, :6], counts[:, -6:])])
    sky = np.median(edge, axis=0)
    grain = 1.48 * np.median(np.abs(edge - sky), axis=0)
    across = np.arange(SIDE) - (SIDE - 1) / 2
    radius = np.hypot(across[None, :], across[:, None])
    light = ndimage.gaussian_filter(counts.mean(axis=2), 1.5) - sky.mean()
    parts, _ = ndimage.label(light > max(6.0, 2 * grain.mean()))
    galaxy = parts == parts[SIDE // 2, SIDE // 2] if parts[SIDE // 2, SIDE // 2] else radius < 3
    rows, columns = np.nonzero(galaxy)
    colour = counts[galaxy].mean(axis=0) - sky
    strip = counts[:8] - ndimage.gaussian_filter(counts[:8], (0, 3, 0))
    return {
        "sky": sky.mean(),
        "grain": grain.mean(),
        "grain next to grain": np.corrcoef(strip[:, :-1].ravel(), strip[:, 1:].ravel())[0, 1],
        "brightness": colour.mean(),
        "middle": counts[radius < 3].mean(),
        "blue less red": colour[2] - colour[0],
        "half length": 2 * np.sqrt(np.linalg.eigvalsh(np.cov(columns, rows))[1]) / (SIDE / 2),
    }


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared galaxies are not at hand")
def test_simulated_pictures_have_the_sky_the_grain_and_the_galaxies_of_real_ones() -> None:
    real = [g for g in dataset.select(dataset.read_table(SHARED / "efigi.csv"), "train") if g.measured][:200]
    made = sample.simulate(seed=4, count=500)
    alike = [row["tone_curve"] == "efigi" and row["reject"] == "" for row in made.truth]
    ours, theirs = ([measures(i) for i in images] for images in (made.images[alike], dataset.images(real)))
    allowed = {
        "sky": 4,
        "grain": 2,
        "grain next to grain": 0.08,
        "brightness": 6,
        "middle": 20,
        "blue less red": 6,
        "half length": 0.08,
    }
    for name, within in allowed.items():
        expected, found = (np.percentile([one[name] for one in some], [16, 50, 84]) for some in (theirs, ours))
        assert found[1] == pytest.approx(expected[1], abs=within), name
        assert 0.5 < (found[2] - found[0]) / (expected[2] - expected[0]) < 2, name
