"""Source extraction on a picture of the sky: finds its extended objects, without stars and trails."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import sep
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORKING_SIDE = 192
"""Largest working size, pixels. At 256 no more galaxies are found in wide fields, in twice the time."""

DETECTION_SIGMA = 2.0
_MIN_AREA = 12
_DEBLENDING_LEVELS = 8
_DEBLENDING_CONTRAST = 0.005

_CELLS = 8
_SAMPLES = 100
"""Samples of a cell of the mesh: enough for its median and grain, and a third of the time of all its pixels."""
_FEWEST_CELLS = 12

_NEAR = 0.3
"""Distance from the middle, in sides of the picture, at which an object counts half as much as in the middle."""
_TRAIL = 0.08
"""Axis ratio below which an object is a satellite's trail or a spike; galaxies seen edge-on have 0.1 and more."""
_SMALLEST = 0.082
"""Diameter, in longer sides, below which an object may be two merged stars: a person has to point at it."""
_MANY = 90
"""Area of an object, pixels, that two merged stars do not reach."""
_BRIGHT = 0.2
"""Share of an object's brightest pixel above which a pixel belongs to its bright part."""
_EDGE = 0.4
"""Share of one edge of the picture from which an object on it is a border, a caption, or a glow from outside."""
_ROUND, _BRIGHTEST, _PLATEAU = 0.6, 0.92, 0.12
"""Axis ratio, share of the peak, and share of the area at that level, from which an object is a saturated star."""
_LEAST_WEIGHT = 0.2
"""Least weight of a round object, which may be a bright star in its halo, against an oblong one, which can't be."""
_PLANES = (1 / 3, 1 / 3, 1 / 3, 0)
"""Weights of the planes. The eye's weights would lose blue discs seen edge-on, and the grain of their sky."""
_STARS, _STAR_SIZES = 5, 2.5
"""With this many other objects, a round one must be this many times wider than their median."""


@dataclass(frozen=True, slots=True)
class DetectedSource:
    """An extended object: its centre and its isophotal diameter along the major axis, pixels of the picture."""

    x: float
    y: float
    diameter: float


def main_source(rgb: NDArray[np.uint8], outside: NDArray[np.bool_] | None = None) -> DetectedSource | None:
    """Return the largest extended object of a picture, preferring objects near the middle.

    The size is the number of pixels brighter than a fifth of the object's brightest, of which a star with a halo has
    few. It is weighted by 1 - q^2 with the axis ratio q, since a round object may be a star.

    The sky is a plane fitted to the cells of a mesh, without those that hold light. Objects are the regions 2 sigma
    above it after a grey opening, which removes most small stars and thin trails. A picture whose objects are darker
    than its sky is treated as a negative.

    Parameters
    ----------
    rgb : uint8 [H, W, 3]
    outside : bool [H, W], optional
        Pixels that show no sky.

    Returns
    -------
    DetectedSource or None
        None when no object looks like a galaxy.
    """
    sky = _Sky(rgb, outside)
    objects, regions = sky.objects()
    if not len(objects):
        return None
    height, width = regions.shape
    axis_ratio = objects["b"] / np.maximum(objects["a"], 1e-6)
    distance = np.hypot(objects["x"] / width - 0.5, objects["y"] / height - 0.5)
    extended = (4 * objects["a"] > _SMALLEST * max(height, width)) | (objects["npix"] >= _MANY)
    size = np.maximum(1 - axis_ratio**2, _LEAST_WEIGHT) * _bright_area(sky.light, regions, len(objects))
    score = np.where(extended & (axis_ratio > _TRAIL), size / (1 + (distance / _NEAR) ** 2), 0)
    for index in np.argsort(-score):
        if score[index] <= 0:
            return None
        if _at_edge(regions, index + 1):
            continue
        if axis_ratio[index] > _ROUND and _is_star(sky.light, objects, regions, int(index)):
            continue
        return sky.source(objects[index])
    return None


def source_at(
    rgb: NDArray[np.uint8], x: float, y: float, outside: NDArray[np.bool_] | None = None
) -> DetectedSource | None:
    """Return the object, of any kind, stars too, whose isophote covers a position in pixels of the picture."""
    sky = _Sky(rgb, outside)
    objects, _ = sky.objects()
    if not len(objects):
        return None
    distance = np.hypot((objects["x"] + 0.5) * sky.scale - x, (objects["y"] + 0.5) * sky.scale - y)
    radius = 2 * objects["a"] * sky.scale
    # distance in units of the object's radius, so that a star in a large galaxy's outskirts does not win
    index = int((distance / radius).argmin())
    return sky.source(objects[index]) if distance[index] <= radius[index] else None


class _Sky:
    """A reduced picture minus its sky: ``light`` float32 ``[h, w]``, its noise, and the reduction factor."""

    def __init__(self, rgb: NDArray[np.uint8], outside: NDArray[np.bool_] | None) -> None:
        height, width = rgb.shape[:2]
        # an integer factor, which takes a quarter of the time of any other resampling
        self.scale = math.ceil(max(height, width) / WORKING_SIDE)
        gray = Image.fromarray(rgb).convert("L", matrix=_PLANES)
        pixels = np.asarray(gray.reduce(self.scale)).astype(np.float32)
        if outside is not None:
            beyond = np.asarray(Image.fromarray(outside).resize(pixels.shape[::-1], Image.Resampling.NEAREST))
            pixels[beyond] = np.median(pixels[~beyond]) if not beyond.all() else 0
        self.light, self.noise = _less_sky(pixels)

    def objects(self) -> tuple[Any, NDArray[np.int32]]:
        """Return sep's table of objects, and the object's number (from 1) at each pixel."""
        objects, regions = sep.extract(
            np.ascontiguousarray(_opened(self.light)),
            DETECTION_SIGMA * self.noise,
            minarea=_MIN_AREA,
            deblend_nthresh=_DEBLENDING_LEVELS,
            deblend_cont=_DEBLENDING_CONTRAST,
            segmentation_map=True,
        )
        return objects, regions

    def source(self, found: Any) -> DetectedSource:
        """Return an object of the table in pixels of the picture."""
        return DetectedSource(
            x=float(found["x"] + 0.5) * self.scale,
            y=float(found["y"] + 0.5) * self.scale,
            diameter=4 * float(found["a"]) * self.scale,
        )


def _less_sky(pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """Return the light above the sky, and its noise; a negative is inverted."""
    height, width = pixels.shape
    tall, wide = height // _CELLS, width // _CELLS
    if not tall or not wide:
        return pixels - np.median(pixels), max(float(np.std(pixels)), 0.5)
    blocks = pixels[: tall * _CELLS, : wide * _CELLS].reshape(_CELLS, tall, _CELLS, wide)
    cells = blocks.transpose(0, 2, 1, 3).reshape(_CELLS**2, -1)
    cells = cells[:, :: max(1, cells.shape[1] // _SAMPLES)]
    medians = np.median(cells, axis=1)
    noises = 1.2533 * np.mean(np.abs(cells - medians[:, None]), axis=1)
    beyond = pixels - np.median(medians)
    limit = 5 * max(float(np.median(noises)), 0.5)
    if -beyond[beyond < -limit].sum() > beyond[beyond > limit].sum():
        pixels, medians = 255 - pixels, 255 - medians
    middles = (np.arange(_CELLS) + 0.5) / _CELLS - 0.5
    design = np.stack([np.ones(_CELLS**2), np.tile(middles, _CELLS), np.repeat(middles, _CELLS)], axis=1)
    dark = medians <= np.median(medians)
    for _ in range(4):
        plane = np.linalg.lstsq(design[dark], medians[dark], rcond=None)[0]
        rest = medians - design @ plane
        scatter = 1.4826 * float(np.median(np.abs(rest[dark])))
        kept = rest <= 2.5 * max(scatter, 0.1 * float(np.median(noises[dark])), 0.2)
        if (kept == dark).all() or kept.sum() < _FEWEST_CELLS:
            break
        dark = kept
    right, down = (np.arange(width) + 0.5) / width - 0.5, (np.arange(height) + 0.5) / height - 0.5
    sky = plane[0] + plane[1] * right[None] + plane[2] * down[:, None]
    # unevenness of the sky counts as noise, so that it does not look like an object
    return pixels - sky.astype(np.float32), max(float(np.median(noises[dark])), scatter, 0.5)


def _opened(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the grey opening by a square of 2 x 2 pixels: for each pixel the largest of its squares' smallest values.

    A square of 3 x 3 would also remove thin discs seen edge-on.
    """
    least = np.minimum(light[:-1], light[1:])
    # pixels beyond the border count as dark, also for a picture of one row
    around = np.pad(np.minimum(least[:, :-1], least[:, 1:]), 1)
    most = np.maximum(around[:-1], around[1:])
    opened: NDArray[np.float32] = np.maximum(most[:, :-1], most[:, 1:])
    return opened


def _bright_area(light: NDArray[np.float32], regions: NDArray[np.int32], objects: int) -> NDArray[np.int64]:
    """Return the number of pixels of each object brighter than a fifth of its brightest, int64 ``[objects]``."""
    covered = regions > 0
    labels, counts = regions[covered], light[covered]
    brightest = np.zeros(objects + 1, np.float32)
    np.maximum.at(brightest, labels, counts)
    return np.bincount(labels[counts > _BRIGHT * brightest[labels]], minlength=objects + 1)[1:]


def _at_edge(regions: NDArray[np.int32], label: int) -> bool:
    edges = (regions[0], regions[-1], regions[:, 0], regions[:, -1])
    return any(np.count_nonzero(edge == label) > _EDGE * len(edge) for edge in edges)


def _is_star(light: NDArray[np.float32], objects: Any, regions: NDArray[np.int32], index: int) -> bool:
    others = np.delete(objects["a"], index)
    if len(others) >= _STARS and objects["a"][index] < _STAR_SIZES * float(np.median(others)):
        return True
    one = objects[index]
    part = (slice(one["ymin"], one["ymax"] + 1), slice(one["xmin"], one["xmax"] + 1))
    own = light[part][regions[part] == index + 1]
    return bool(np.mean(own > _BRIGHTEST * own.max()) > _PLATEAU) if math.isfinite(own.max()) else True
