"""Wide photographs of the sky: a small galaxy off centre among stars, as telescopes show it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from gateway.images.ellipse import fit_ellipse

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BRIGHTEST = 900.0
_FAINTEST = 6.0
_RINGS, _LAG = 30, 4
_COUNTS_SLOPE = 0.9
"""Slope of the stars' number counts: as many as f^-slope are brighter than f, as at high galactic latitudes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StarField:
    """A field, and the true position of the galaxy in it.

    Attributes
    ----------
    rgb : uint8 [H, W, 3]
    x, y : float
        Middle of the pasted stamp, pixels.
    side : float
        Side of the stamp, pixels.
    """

    rgb: NDArray[np.uint8]
    x: float
    y: float
    side: float

    def negative(self) -> StarField:
        """Return the same field, dark on white."""
        return replace(self, rgb=255 - self.rgb)


def starfield(
    stamp: NDArray[np.uint8],
    rng: np.random.Generator,
    *,
    wider: float,
    stars: float = 1.0,
    aspect: float = 1.0,
    place: tuple[float, float] | None = None,
) -> StarField:
    """Paste a square picture of a galaxy into a field of its own sky, with stars and far galaxies.

    Parameters
    ----------
    stamp : uint8 [S, S, 3]
    rng : numpy.random.Generator
    wider : float
        Size of the field, the geometric mean of its sides, in sides of the stamp.
    stars : float
        Number of stars, in units of a usual field's.
    aspect : float
        Width over height.
    place : (float, float), optional
        Middle of the stamp as fractions of width and height; a random place where it fits unless given.
    """
    size = len(stamp)
    height, width = round(size * wider / np.sqrt(aspect)), round(size * wider * np.sqrt(aspect))
    sky = _Background.of(stamp)
    noise = max(1.0, float(np.sqrt(np.trace(sky.covariance) / 3)))
    slope = rng.normal(0, 0.5 * noise, 2)
    down, right = np.mgrid[:height, :width]
    tilt = slope[0] * (down / height - 0.5) + slope[1] * (right / width - 0.5)
    canvas = sky.level + sky.grain(rng, height, width) + tilt[..., None]
    _add_stars(canvas, rng, stars, noise)
    _add_far_galaxies(canvas, rng, size, noise)
    margin_x, margin_y = min(size / 2, width / 2), min(size / 2, height / 2)
    if place is None:
        middle = (rng.uniform(margin_x, width - margin_x), rng.uniform(margin_y, height - margin_y))
    else:
        middle = (place[0] * width, place[1] * height)
    left, top = round(middle[0] - size / 2), round(middle[1] - size / 2)
    middle_x, middle_y = left + (size - 1) / 2, top + (size - 1) / 2
    canvas += sky.light(np.hypot(*np.tensordot(sky.shape, [right - middle_x, down - middle_y], 1)))
    _blend(canvas, stamp.astype(float), left, top)
    rgb = np.clip(np.rint(canvas), 0, 255).astype(np.uint8)
    return StarField(rgb=rgb, x=left + size / 2, y=top + size / 2, side=float(size))


def stars_alone(rng: np.random.Generator, *, side: int, stars: float = 1.0, far: bool = True) -> NDArray[np.uint8]:
    """Return a field without a galaxy to measure, uint8 ``[side, side, 3]``."""
    noise = rng.uniform(1.5, 6)
    canvas = rng.uniform(8, 40) + rng.normal(0, noise, (side, side, 3))
    _add_stars(canvas, rng, stars, noise)
    if far:
        _add_far_galaxies(canvas, rng, side // 6, noise)
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class _Background:
    """Model of a galaxy's picture beyond its border: its sky, and the galaxy's own outskirts.

    Attributes
    ----------
    level : float64 [3]
        Level of the sky, counts.
    covariance : float64 [3, 3]
        Covariance of the sky's grain between planes, counts^2.
    reach : float
        Standard deviation of a gaussian that smooths white noise to that grain, pixels.
    shape : float64 [2, 2]
        Matrix from an offset from the middle, pixels, to one in which the galaxy is round.
    radii, profile : float64 [N], [N, 3]
        Light of the galaxy above the sky, counts, at round radii.
    """

    level: NDArray[np.float64]
    covariance: NDArray[np.float64]
    reach: float
    shape: NDArray[np.float64]
    radii: NDArray[np.float64]
    profile: NDArray[np.float64]

    @classmethod
    def of(cls, stamp: NDArray[np.uint8]) -> _Background:
        size = len(stamp)
        fitted = fit_ellipse(stamp)
        ratio, angle = (fitted.axis_ratio, np.deg2rad(fitted.angle_deg)) if fitted else (1.0, 0.0)
        shape = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle) / ratio, np.cos(angle) / ratio]])
        down, right = np.mgrid[:size, :size] + 0.5 - size / 2
        radius = np.hypot(*np.tensordot(shape, [right, down], 1))
        # the same number of pixels in each ring; the outermost ring, along the minor axis, is sky
        rings = np.array_split(np.argsort(radius, axis=None), _RINGS)
        pixels = stamp.reshape(-1, 3).astype(float)
        medians = np.array([np.median(pixels[ring], axis=0) for ring in rings])
        falling = np.minimum.accumulate(medians)
        level = falling[-1]
        radii = np.array([np.median(radius.ravel()[ring]) for ring in rings])
        made = cls(level, np.eye(3), 0.0, shape, radii, falling - level)
        rest = stamp - level - made.light(radius)
        brightness = np.abs(rest - np.median(rest, axis=(0, 1))).max(axis=2)
        outer = radius > np.quantile(radius, 2 / 3)
        calm = outer & (brightness < 3 * 1.4826 * np.median(brightness[outer]))
        near, far = (_differences(rest, calm, lag) for lag in (1, _LAG))
        covariance = np.cov(far.T) / 2 + 1e-6 * np.eye(3)
        alike = 1 - float(np.mean(near**2) / np.mean(far**2))
        reach = 0.5 / np.sqrt(np.log(1 / alike)) if 0.1 < alike < 1 else 0.3
        return replace(made, covariance=covariance, reach=min(float(reach), 3.0))

    def light(self, radius: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the galaxy's light, counts ``[..., 3]``, at round radii."""
        return np.stack([np.interp(radius, self.radii, plane) for plane in self.profile.T], axis=-1)

    def grain(self, rng: np.random.Generator, height: int, width: int) -> NDArray[np.float64]:
        """Return noise like the sky's, counts ``[height, width, 3]``."""
        rows, columns = np.fft.fftfreq(height), np.fft.rfftfreq(width)
        smoothing = np.exp(-2 * (np.pi * self.reach) ** 2 * (rows[:, None] ** 2 + columns**2))
        white = np.fft.rfft2(rng.normal(0, 1, (3, height, width)))
        planes = np.fft.irfft2(white * smoothing, s=(height, width))
        planes /= planes.std(axis=(1, 2), keepdims=True)
        return np.moveaxis(np.tensordot(np.linalg.cholesky(self.covariance), planes, 1), 0, -1)


def _differences(rest: NDArray[np.float64], calm: NDArray[np.bool_], lag: int) -> NDArray[np.float64]:
    """Return the differences of calm pixels over ``lag`` columns: grain, without a gradient of the sky."""
    return (rest[:, lag:] - rest[:, :-lag])[calm[:, lag:] & calm[:, :-lag]]


def _add_stars(canvas: NDArray[np.float64], rng: np.random.Generator, stars: float, noise: float) -> None:
    """Add stars with a Moffat profile, clipped at white, the brightest with a halo and spikes."""
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
    """Paste the stamp into the field unchanged, except for its outermost eighth, which fades into the field."""
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
