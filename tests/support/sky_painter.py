"""Pictures of the fake sky: real galaxies where their images are available, else drawn ones, on noise."""

from __future__ import annotations

import csv
import io
import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from tests.support.sky_universe import SHARED, Thing, universe

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SKY = (12.0, 12.0, 14.0)
_NOISE = 5.0


def paint(ra: float, dec: float, fov_arcmin: float, side: int) -> Image.Image:
    """Return a square of sky, north up, east left, with the galaxy nearest to its centre, if there is one within it."""
    rng = np.random.default_rng([int(ra * 1e4), int((dec + 90) * 1e4), side])
    galaxy = _central(ra, dec, fov_arcmin)
    stamp, stamp_fov = _stamp(galaxy) if galaxy else (None, 1.0)
    level, noise = _border(stamp) if stamp is not None else (np.array(_SKY), _NOISE)
    canvas = np.clip(rng.normal(level, noise, (side, side, 3)), 1, 255)
    if stamp is not None and galaxy is not None:
        size = max(2, round(side * stamp_fov / fov_arcmin))
        scaled = np.asarray(stamp.resize((size, size), Image.Resampling.BICUBIC), float)
        x = side / 2 - (((galaxy.ra - ra + 180) % 360) - 180) * math.cos(math.radians(dec)) * 60 / fov_arcmin * side
        y = side / 2 - (galaxy.dec - dec) * 60 / fov_arcmin * side
        _paste(canvas, scaled, round(x - size / 2), round(y - size / 2))
    return Image.fromarray(canvas.astype(np.uint8))


def outside(side: int) -> Image.Image:
    """Return SkyServer's picture for places outside its footprint: black, with a line of text."""
    image = Image.new("RGB", (side, side))
    ImageDraw.Draw(image).text((4, 4), "Requested (ra, dec) is\noutside the SDSS footprint.", fill=(255, 255, 255))
    return image


def drawn(ratio: float, pa: float, side: int = 200) -> Image.Image:
    """Return an exponential disc of 1 x D25 in a frame of 2 x D25, north up, east left, with a bulge and two arms."""
    y, x = np.mgrid[:side, :side] / (side - 1) * 4 - 2
    angle = math.radians(pa)
    # North is up (-y) and east is left (-x); the major axis runs from north through east.
    along, across = -y * math.cos(angle) - x * math.sin(angle), (x * math.cos(angle) - y * math.sin(angle)) / ratio
    radius = np.hypot(along, across)
    disc = 150 * np.exp(-radius / 0.32)
    arms = 1 + 0.5 * np.cos(2 * np.arctan2(across, along) - 6 * radius) * (1 - np.exp(-((radius / 0.3) ** 2)))
    bulge = 120 * np.exp(-((radius / 0.12) ** 2))
    noise = np.random.default_rng(7).normal(0, 3, (side, side, 3))
    light = np.stack([disc * arms * c + bulge * b for c, b in ((0.9, 1.0), (1.0, 0.9), (1.2, 0.7))], axis=-1)
    return Image.fromarray(np.clip(light + np.array(_SKY) + noise, 1, 255).astype(np.uint8))


@lru_cache(maxsize=512)
def canned(side: int) -> bytes:
    """Return the same drawn galaxy at every size, encoded once."""
    return jpeg(drawn(0.5, 30.0).resize((side, side), Image.Resampling.BICUBIC))


def jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92)
    return out.getvalue()


def _central(ra: float, dec: float, fov_arcmin: float) -> Thing | None:
    for thing in universe().around(ra, dec, fov_arcmin / 120):
        if thing.kind == "G" and thing.d25:
            return thing
    return None


@lru_cache(maxsize=64)
def _stamp(galaxy: Thing) -> tuple[Image.Image, float]:
    """Return a picture of the galaxy, north up, and its width in arcmin."""
    d25 = galaxy.d25 or 1.0
    path = _pictures().get(galaxy.pgc)
    if path is None:
        return drawn(max(galaxy.ratio or 0.6, 0.12), galaxy.pa or 0.0), 2 * d25
    image = Image.open(SHARED / "galaxies" / path).convert("RGB")
    if path.startswith("efigi"):
        return image, d25
    # These have the major axis along the rows: turn them back, and keep the part without missing corners.
    image = image.resize((256, 256), Image.Resampling.BICUBIC).rotate(
        (galaxy.pa or 90.0) - 90.0, Image.Resampling.BICUBIC
    )
    inner = 256 / math.sqrt(2)
    low = round((256 - inner) / 2)
    return image.crop((low, low, 256 - low, 256 - low)), 2 * d25 / math.sqrt(2)


@lru_cache(maxsize=1)
def _pictures() -> dict[int, str]:
    pictures: dict[int, str] = {}
    for name in ("giz512.csv", "efigi.csv"):
        path = SHARED / "galaxies" / name
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                pictures |= {int(row["pgc"]): row["file"] for row in csv.DictReader(file)}
    return pictures


def _border(stamp: Image.Image) -> tuple[NDArray[np.float64], float]:
    rgb = np.asarray(stamp, float)
    edge = np.concatenate([rgb[:3].reshape(-1, 3), rgb[-3:].reshape(-1, 3), rgb[:, 0], rgb[:, -1]])
    return np.median(edge, axis=0), max(2.0, float(np.median(np.abs(edge - np.median(edge, axis=0))) * 1.4826))


def _paste(canvas: NDArray[np.float64], stamp: NDArray[np.float64], left: int, top: int) -> None:
    """Blend the stamp in, its outer tenth fading into the sky, so that its edge is invisible."""
    size, side = len(stamp), len(canvas)
    ramp = np.clip(np.minimum(np.arange(size), np.arange(size)[::-1]) / max(1, size / 10), 0, 1)
    weight = np.minimum.outer(ramp, ramp)[..., None]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + size, side), min(top + size, side)
    if x0 >= x1 or y0 >= y1:
        return
    part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    target = canvas[y0:y1, x0:x1]
    canvas[y0:y1, x0:x1] = target * (1 - weight[part]) + stamp[part] * weight[part]
