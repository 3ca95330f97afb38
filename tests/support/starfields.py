"""Wide photographs of the sky: a galaxy that is small and out of the middle among stars, the way telescopes show it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BRIGHTEST = 900.0
_FAINTEST = 6.0
_COUNTS_SLOPE = 0.9
"""Stars brighter than f are as many as f to the minus this, 0.36 dex a magnitude, as at high galactic latitudes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field and the truth about the galaxy in it.

    Attributes
    ----------
    rgb : uint8 [H, W, 3]
    x, y : float
        Middle of what was pasted, pixels.
    side : float
        Its side, pixels.
    """

    rgb: NDArray[np.uint8]
    x: float
    y: float
    side: float

    def negative(self) -> Field:
        """The same, dark on white."""
        return replace(self, rgb=255 - self.rgb)


def starfield(
    stamp: NDArray[np.uint8],
    rng: np.random.Generator,
    *,
    wider: float,
    stars: float = 1.0,
    aspect: float = 1.0,
    place: tuple[float, float] | None = None,
) -> Field:
    """Paste a square picture of a galaxy into a field of its own sky, with stars and far galaxies.

    Parameters
    ----------
    stamp : uint8 [S, S, 3]
    rng : numpy.random.Generator
    wider : float
        Sides of the field, the geometric mean of both, in sides of the stamp.
    stars : float
        How many, in units of a usual field's.
    aspect : float
        Width over height.
    place : (float, float), optional
        Middle of the stamp as fractions of width and height; anywhere whole inside unless given.
    """
    size = len(stamp)
    height, width = round(size * wider / np.sqrt(aspect)), round(size * wider * np.sqrt(aspect))
    level, noise = sky_of(stamp)
    grain = rng.normal(0, 1, (height, width, 3)) * 0.7 + rng.normal(0, 1, (height, width, 1)) * 0.7
    # the grain of a picture that was resampled and compressed reaches a little further than a pixel
    grain = (grain + 0.5 * np.roll(grain, 1, 0) + 0.5 * np.roll(grain, 1, 1)) / np.sqrt(1.5)
    slope = rng.normal(0, 0.5 * noise, 2)
    down, right = np.mgrid[:height, :width]
    tilt = slope[0] * (down / height - 0.5) + slope[1] * (right / width - 0.5)
    canvas = level + noise * grain + tilt[..., None]
    _add_stars(canvas, rng, stars, noise)
    _add_far_galaxies(canvas, rng, size, noise)
    margin_x, margin_y = min(size / 2, width / 2), min(size / 2, height / 2)
    if place is None:
        middle = (rng.uniform(margin_x, width - margin_x), rng.uniform(margin_y, height - margin_y))
    else:
        middle = (place[0] * width, place[1] * height)
    left, top = round(middle[0] - size / 2), round(middle[1] - size / 2)
    _blend(canvas, stamp.astype(float), left, top)
    rgb = np.clip(np.rint(canvas), 0, 255).astype(np.uint8)
    return Field(rgb=rgb, x=left + size / 2, y=top + size / 2, side=float(size))


def stars_alone(rng: np.random.Generator, *, side: int, stars: float = 1.0, far: bool = True) -> NDArray[np.uint8]:
    """Paint a field in which there is no galaxy to measure, uint8 ``[side, side, 3]``."""
    noise = rng.uniform(1.5, 6)
    canvas = rng.uniform(8, 40) + rng.normal(0, noise, (side, side, 3))
    _add_stars(canvas, rng, stars, noise)
    if far:
        _add_far_galaxies(canvas, rng, side // 6, noise)
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)


def sky_of(stamp: NDArray[np.uint8]) -> tuple[NDArray[np.float64], float]:
    """Return the colour of a picture's sky and its noise, counts: of the fainter half of its outermost pixels."""
    rgb = stamp.astype(float)
    edges = (rgb[:3], rgb[-3:], rgb[:, :3], rgb[:, -3:])
    border = np.concatenate([edge.reshape(-1, 3) for edge in edges])
    light = border.sum(axis=1)
    sky = border[light <= np.quantile(light, 0.5)]
    level = np.median(sky, axis=0)
    steps = np.concatenate([np.diff(edge.mean(axis=2), axis=1).ravel() for edge in edges[:2]])
    return level, max(1.0, float(np.median(np.abs(steps))) * 1.4826)


def _add_stars(canvas: NDArray[np.float64], rng: np.random.Generator, stars: float, noise: float) -> None:
    """Add stars with a Moffat profile, cut off at white, the brightest with a halo and spikes."""
    height, width = canvas.shape[:2]
    count = rng.poisson(stars * 1.2e-3 * height * width)
    fluxes = np.minimum(max(_FAINTEST, noise) * rng.random(count) ** (-1 / _COUNTS_SLOPE), _BRIGHTEST * 8)
    fwhm = rng.uniform(1.8, 3.6)
    beta = 3.0
    core = fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))
    for flux in fluxes:
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        reach = int(np.ceil(core * np.sqrt(max((flux / (0.3 * noise)) ** (1 / beta) - 1, 1)))) + 2
        x0, x1 = max(0, int(x) - reach), min(width, int(x) + reach + 1)
        y0, y1 = max(0, int(y) - reach), min(height, int(y) + reach + 1)
        dy, dx = np.mgrid[y0:y1, x0:x1]
        dx, dy = dx - x, dy - y
        light = flux * (1 + (dx**2 + dy**2) / core**2) ** -beta
        if flux > _BRIGHTEST:
            near, far = np.minimum(np.abs(dx), np.abs(dy)), np.maximum(np.abs(dx), np.abs(dy))
            light = light + 0.1 * min(flux, 3000) * np.exp(-near / 0.7 - far / (2.5 * fwhm))
        colour = np.clip(1 + rng.normal(0, 0.18) * np.array([1, 0, -1]), 0.4, 1.6)
        canvas[y0:y1, x0:x1] += light[..., None] * colour


def _add_far_galaxies(canvas: NDArray[np.float64], rng: np.random.Generator, size: int, noise: float) -> None:
    height, width = canvas.shape[:2]
    for _ in range(rng.poisson(6)):
        scale = size * rng.uniform(0.008, 0.03)
        q, angle = rng.uniform(0.2, 1), rng.uniform(0, np.pi)
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        reach = int(7 * scale) + 2
        x0, x1 = max(0, int(x) - reach), min(width, int(x) + reach + 1)
        y0, y1 = max(0, int(y) - reach), min(height, int(y) + reach + 1)
        dy, dx = np.mgrid[y0:y1, x0:x1]
        dx, dy = dx - x, dy - y
        along, across = dx * np.cos(angle) + dy * np.sin(angle), (-dx * np.sin(angle) + dy * np.cos(angle)) / q
        light = rng.uniform(3, 25) * noise * np.exp(-np.hypot(along, across) / scale)
        canvas[y0:y1, x0:x1] += light[..., None] * np.array([1.0, 0.85, 0.65])


def _blend(canvas: NDArray[np.float64], stamp: NDArray[np.float64], left: int, top: int) -> None:
    """Lay the stamp over the field: as it is but for its outermost eighth, which fades into the field."""
    size = len(stamp)
    height, width = canvas.shape[:2]
    across = np.abs(np.arange(size) + 0.5 - size / 2) / (size / 2)
    ramp = np.clip((1 - across) / 0.12, 0, 1)
    weight = np.minimum.outer(ramp, ramp)[..., None]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + size, width), min(top + size, height)
    part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    there = canvas[y0:y1, x0:x1]
    canvas[y0:y1, x0:x1] = there * (1 - weight[part]) + stamp[part] * weight[part]


def scaled(stamp: NDArray[np.uint8], times: float) -> NDArray[np.uint8]:
    """Resample a square picture to another side."""
    side = round(len(stamp) * times)
    return np.asarray(Image.fromarray(stamp).resize((side, side), Image.Resampling.BICUBIC))
