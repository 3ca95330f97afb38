"""Makes pictures that people would reject from pictures that they accepted.

People rejected one galaxy in twenty for other reasons than being face-on: disturbed, several galaxies in one, lost in
the noise, beside a bright star. Fifty examples are too few to learn from, so more are made of real pictures, which
otherwise look like those that were accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Picture = NDArray[np.float32]

_BORDER = 6
_KINDS = ("crowded", "disturbed", "faint", "spoiled")
_RATES = (0.3, 0.35, 0.2, 0.15)


def spoil(kept: NDArray[np.uint8], *, count: int, seed: int) -> NDArray[np.uint8]:
    """Return ``count`` pictures that people would reject, made of pictures that they accepted.

    Parameters
    ----------
    kept : uint8 ``[N, 128, 128, 3]``
    count : int
    seed : int

    Returns
    -------
    uint8 ``[count, 128, 128, 3]``
    """
    made = np.empty((count, *kept.shape[1:]), np.uint8)
    for place in range(count):
        rng = np.random.default_rng(np.random.SeedSequence([seed, place]))
        one, other = (kept[rng.integers(len(kept))].astype(np.float32) for _ in range(2))
        kind = str(rng.choice(_KINDS, p=_RATES))
        changed = crowded(one, other, rng) if kind == "crowded" else _ALONE[kind](one, rng)
        made[place] = np.rint(np.clip(changed, 0, 255))
    return made


def _sky(picture: Picture) -> Picture:
    edge = np.concatenate([picture[:_BORDER].reshape(-1, 3), picture[-_BORDER:].reshape(-1, 3)])
    return np.asarray(np.median(edge, axis=0), np.float32)


def crowded(picture: Picture, other: Picture, rng: np.random.Generator) -> Picture:
    """Lay another galaxy over this one, beside its centre: two of similar size that touch."""
    side = picture.shape[0]
    angle, scale = rng.uniform(0, 2 * np.pi), rng.uniform(0.7, 1.5)
    away, where = side * rng.uniform(0.18, 0.45), rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    centre = np.full(2, (side - 1) / 2)
    shift = centre - turn @ (centre + away * np.array([np.sin(where), np.cos(where)]))
    light = np.maximum(other - _sky(other), 0)
    # it fades towards its frame, so that no straight edge betrays it
    ramp = np.minimum(np.minimum(np.arange(side), np.arange(side)[::-1]) / 16, 1).astype(np.float32)
    light *= (ramp[:, None] * ramp[None, :])[..., None]
    planes = [ndimage.affine_transform(light[..., n], turn, shift, order=1) for n in range(3)]
    return np.asarray(picture + np.stack(planes, axis=-1), np.float32)


def disturbed(picture: Picture, rng: np.random.Generator) -> Picture:
    """Distort a galaxy by a smooth random displacement, as a passing neighbour does."""
    side = picture.shape[0]
    reach, how_far = side * rng.uniform(0.09, 0.18), side * rng.uniform(0.035, 0.11)
    field = ndimage.gaussian_filter(rng.standard_normal((2, side, side)), (0, reach, reach))
    field *= how_far / np.sqrt((field**2).mean())
    rows, columns = np.mgrid[:side, :side] + field
    planes = [ndimage.map_coordinates(picture[..., n], [rows, columns], order=1, mode="nearest") for n in range(3)]
    # new noise, since the displacement stretches the sky's own into streaks
    noise = rng.standard_normal(picture.shape) * np.abs(picture[:_BORDER] - _sky(picture)).mean()
    return np.asarray(np.stack(planes, axis=-1) + noise, np.float32)


def faint(picture: Picture, rng: np.random.Generator) -> Picture:
    """Hide a galaxy in noise, blurred a little and bluer, as irregular dwarfs are."""
    sky = _sky(picture)
    light = ndimage.gaussian_filter(picture - sky, (rng.uniform(0.5, 3), rng.uniform(0.5, 3), 0))
    peak = max(float(np.quantile(light, 0.98)), 1.0)
    shown = light * (rng.uniform(18, 55) / peak) * np.array([0.8, 0.9, 1.25], np.float32)
    noise = ndimage.gaussian_filter(rng.standard_normal(picture.shape), (0.8, 0.8, 0)) * 2.5 * rng.uniform(5, 11)
    return np.asarray(sky + shown + noise, np.float32)


def spoiled(picture: Picture, rng: np.random.Generator) -> Picture:
    """Put a star that outshines the galaxy before it, with its halo and spikes."""
    side = picture.shape[0]
    away, where = side * rng.uniform(0.08, 0.4), rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    dy, dx = rows - away * np.sin(where), columns - away * np.cos(where)
    distance = np.hypot(dx, dy)
    core, halo = side * rng.uniform(0.03, 0.07), side * rng.uniform(0.1, 0.35)
    light = 400 * np.exp(-((distance / core) ** 2)) + rng.uniform(60, 200) * np.exp(-distance / halo)
    for along, across in ((dx, dy), (dy, dx)):
        light += 250 * np.exp(-np.abs(along) / halo - np.abs(across) / 0.8)
    colour = np.array([1.0, rng.uniform(0.4, 1.0), rng.uniform(0.2, 1.0)])
    return np.asarray(picture + light[..., None] * colour, np.float32)


_ALONE: dict[str, Callable[[Picture, np.random.Generator], Picture]] = {
    "disturbed": disturbed,
    "faint": faint,
    "spoiled": spoiled,
}
