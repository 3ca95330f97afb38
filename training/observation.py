"""What a telescope and a picture server make of a simulated galaxy: PSF, stars, neighbours, noise, stretch, JPEG."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy import ndimage

from training import looks, simulator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.galaxy import SimulatedGalaxy

PIXEL_ARCSEC = 0.396
"""Native pixel of the survey, arcsec."""

SEEING_ARCSEC = 1.3

BAND_NOISE = (0.8, 1.0, 1.9)
"""Noise of g, r, i relative to r."""

SKY = 4.5
"""Light of the sky itself, nanomaggies per square arcsec: 20.9 mag/arcsec^2 in r."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A straight edge of a mosaic, beyond which the sky was subtracted otherwise, or nothing was observed.

    Attributes
    ----------
    angle_deg, distance : float
        Of the normal, counter-clockwise from +x, and of the edge from the picture's centre, in frames.
    step : tuple of 3 floats
        Of the sky in g, r, i beyond the edge, in standard deviations of the noise.
    missing : bool
        Whether nothing lies beyond.
    """

    angle_deg: float
    distance: float
    step: tuple[float, float, float]
    missing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """How one galaxy is seen.

    Attributes
    ----------
    side : int
        Pixels across the picture.
    zoom : float
        Frame width in units of the isophotal diameter.
    position_angle_deg : float
        Of the major axis, counter-clockwise from the +x axis of the picture.
    offset : tuple of 2 floats
        Of the galaxy from the frame's centre, in frames.
    pixel_arcsec, seeing_arcsec : float
        Scale of the picture, and full width at half maximum of the point-spread function.
    resampling : float
        Standard deviation of the blur that resampling leaves in light and noise, pixels of the picture.
    edge : Edge or None
        Where another frame of the mosaic begins.
    sky_mag : float
        Surface brightness of the r-band noise per native pixel, mag/arcsec^2.
    stars, neighbours : float
        Expected numbers in the frame.
    look : looks.Look
        What the picture server makes of the light.
    jpeg_quality : int
        0 for none.
    """

    side: int
    zoom: float
    position_angle_deg: float
    offset: tuple[float, float]
    pixel_arcsec: float
    seeing_arcsec: float
    resampling: float
    edge: Edge | None
    sky_mag: float
    stars: float
    neighbours: float
    look: looks.Look
    jpeg_quality: int


def draw(rng: np.random.Generator, *, disturbed: bool = False) -> Observation:
    """Draw how a galaxy is seen; ``disturbed`` crowds the frame, as in pictures that people reject.

    Half of the pictures are made as those of EFIGI are, a third as the survey's own server makes them, and the rest in
    any way between and beyond.
    """
    kind = rng.uniform()
    efigi, server = kind < 0.5, kind > 0.67  # noqa: PLR2004 - half, a third
    side = 88 if efigi else int(rng.choice([88, 128]))
    if efigi:
        zoom = float(np.exp(rng.normal(np.log(0.98), 0.1)))
    else:
        zoom = float(rng.uniform(0.9, 1.3) if rng.uniform() < 0.5 else rng.uniform(1.2, 2.2))  # noqa: PLR2004 - even
    if efigi or server:
        diameter_arcmin = max(0.8, rng.lognormal(np.log(1.45), 0.45))  # as the galaxies that people measured
    else:
        diameter_arcmin = np.exp(rng.uniform(np.log(0.6), np.log(5)))
    return Observation(
        side=side,
        zoom=max(zoom, 0.85),
        position_angle_deg=float(rng.uniform(0, 360)),
        offset=(float(rng.normal(0, 0.012)), float(rng.normal(0, 0.012))),
        pixel_arcsec=float(60 * zoom * diameter_arcmin / side),
        seeing_arcsec=float(np.clip(rng.normal(SEEING_ARCSEC, 0.2), 0.8, 2.2)),
        resampling=float(rng.uniform(0.25, 0.45) if efigi else rng.uniform(0.35, 0.7)),
        edge=_edge(rng) if rng.uniform() < 0.08 else None,  # noqa: PLR2004 - as often as in EFIGI
        sky_mag=float(rng.normal(24.15, 0.2 if efigi else 0.4)),
        stars=float(rng.gamma(1.2, 3.5)) * (6 if disturbed else 1),
        neighbours=float(rng.gamma(1.0, 1.5)) * (3 if disturbed else 1),
        look=looks.efigi(rng) if efigi else looks.server(rng) if server else looks.anything(rng),
        jpeg_quality=75 if efigi else int(rng.integers(60, 97)) if rng.uniform() < 0.85 else 0,  # noqa: PLR2004 - a few are lossless
    )


def _edge(rng: np.random.Generator) -> Edge:
    common = rng.normal(0, 1)
    first, second, third = (float(common + own) for own in rng.normal(0, 1.5, 3))
    return Edge(
        angle_deg=float(rng.uniform(0, 360)),
        distance=float(rng.uniform(0.25, 0.55)),
        step=(first, second, third),
        missing=bool(rng.uniform() < 0.2),  # noqa: PLR2004 - one in five
    )


def observe(galaxy: SimulatedGalaxy, seen: Observation, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Take the picture.

    Returns
    -------
    uint8 ``[side, side, 3]``
    """
    half_frame = seen.zoom * galaxy.isophotal_radius
    aligned = simulator.render(galaxy, rng, half_frame=half_frame, side=seen.side)
    planes = place(aligned, galaxy, seen, half_frame)
    _add_neighbours(planes, seen, rng)
    _add_stars(planes, seen, rng)
    blur = seen.seeing_arcsec / 2.355 / seen.pixel_arcsec
    for plane in planes:
        ndimage.gaussian_filter(plane, max(blur, 0.35), output=plane, truncate=3)
    _add_noise(planes, seen, rng)
    if seen.edge:
        _add_edge(planes, seen.edge, seen)
    for plane in planes:
        ndimage.gaussian_filter(plane, seen.resampling, output=plane, truncate=3)
    return _jpeg(looks.stretch(planes, seen.look), seen.jpeg_quality)


def place(
    aligned: NDArray[np.float32], galaxy: SimulatedGalaxy, seen: Observation, half_frame: float
) -> NDArray[np.float32]:
    """Turn, shift and warp the galaxy into the frame: float32 ``[3, side, side]``.

    The warp displaces the light across the major axis by ``warp`` at the isophotal radius and by the square of the
    distance within it, seen in projection.
    """
    side = seen.side
    pixels = (np.arange(side, dtype=np.float32) - (side - 1) / 2).astype(np.float32)
    dx = pixels[None, :] - np.float32(seen.offset[0] * side)
    dy = pixels[:, None] - np.float32(seen.offset[1] * side)
    angle = np.radians(seen.position_angle_deg)
    u = dx * np.float32(np.cos(angle)) - dy * np.float32(np.sin(angle))
    v = dx * np.float32(np.sin(angle)) + dy * np.float32(np.cos(angle))
    if galaxy.warp:
        edge = galaxy.isophotal_radius / half_frame * side / 2
        bend = np.clip(u / edge, -1.3, 1.3)
        bend = bend * np.abs(bend) if galaxy.warp_order == 1 else bend**2
        v = v - np.float32(galaxy.warp * np.sin(np.radians(galaxy.inclination_deg)) * edge) * bend
    where = [v + (aligned.shape[1] - 1) / 2, u + (aligned.shape[2] - 1) / 2]
    return np.stack([ndimage.map_coordinates(p, where, order=1, mode="constant", prefilter=False) for p in aligned])


def _colour(rng: np.random.Generator, low: float, high: float) -> NDArray[np.float32]:
    g_r = rng.uniform(low, high)
    r_i = 0.4 * g_r + (rng.uniform(0, 0.9) if g_r > 1.2 else 0)  # noqa: PLR2004 - the red dwarfs
    return np.array([10 ** (-0.4 * g_r), 1, 10 ** (0.4 * r_i)], np.float32)[:, None, None]


def _add_neighbours(planes: NDArray[np.float32], seen: Observation, rng: np.random.Generator) -> None:
    """Add background galaxies: small exponential blobs, now and then one of a size that disturbs."""
    side = seen.side
    grid = np.arange(side, dtype=np.float32)
    for _ in range(rng.poisson(seen.neighbours)):
        size = side * float(np.exp(rng.uniform(np.log(0.006), np.log(0.03))))
        if rng.uniform() < 0.06:  # noqa: PLR2004 - a large neighbour
            size *= 3
        x, y = rng.uniform(0, side, 2)
        angle, ratio = rng.uniform(0, np.pi), rng.uniform(0.25, 1)
        dx, dy = grid[None, :] - x, grid[:, None] - y
        along, across = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
        light = np.exp(-np.hypot(along, across / ratio) / size)
        planes += (10 ** (0.4 * (22.5 - rng.uniform(20, 23.5))) * light).astype(np.float32) * _colour(rng, 0.2, 1.3)


def _add_stars(planes: NDArray[np.float32], seen: Observation, rng: np.random.Generator) -> None:
    """Add foreground stars before the PSF; bright ones get a halo and diffraction spikes."""
    side = seen.side
    grid = np.arange(side, dtype=np.float32)
    pixel_area = seen.pixel_arcsec**2
    for _ in range(rng.poisson(seen.stars)):
        x, y = rng.uniform(0, side, 2)
        flux = 10 ** (0.4 * (22.5 - max(21 - rng.exponential(1.7), 12.0)))
        column, row = int(x), int(y)
        colour = _colour(rng, 0.1, 1.4)
        planes[:, row, column] += flux / pixel_area * colour[:, 0, 0]
        if flux > 10 ** (0.4 * 8.5):  # brighter than 14 mag
            dx, dy = grid[None, :] - column, grid[:, None] - row
            turn = rng.uniform(0, np.pi / 2)
            along = np.abs(dx * np.cos(turn) + dy * np.sin(turn))
            across = np.abs(dy * np.cos(turn) - dx * np.sin(turn))
            reach = 6 * (flux / 2500) ** 0.4 / seen.pixel_arcsec
            halo = 2e-4 * flux * np.exp(-np.hypot(dx, dy) / reach)
            spikes = 4e-3 * flux * (np.exp(-along / reach - across / 0.7) + np.exp(-across / reach - along / 0.7))
            planes += (halo + spikes / (1 + 2 * reach)).astype(np.float32) / np.float32(pixel_area**0.5) * colour


def _add_edge(planes: NDArray[np.float32], edge: Edge, seen: Observation) -> None:
    along = (np.arange(seen.side) - (seen.side - 1) / 2) / seen.side
    angle = np.radians(edge.angle_deg)
    beyond = along[None, :] * np.cos(angle) - along[:, None] * np.sin(angle) > edge.distance
    for plane, step, relative in zip(planes, edge.step, BAND_NOISE, strict=True):
        plane[beyond] = 0 if edge.missing else plane[beyond] + step * relative * _noise_level(seen)


def _noise_level(seen: Observation) -> float:
    """Return the standard deviation of the r-band noise in a pixel of the picture, nanomaggies per square arcsec."""
    native = 10 ** (0.4 * (simulator.ZEROPOINT - seen.sky_mag))
    return float(native * PIXEL_ARCSEC / max(seen.pixel_arcsec, PIXEL_ARCSEC))


def _add_noise(planes: NDArray[np.float32], seen: Observation, rng: np.random.Generator) -> None:
    """Add sky and photon noise; below the native pixel it is correlated, above it averages down."""
    sigma = _noise_level(seen)
    gradient = np.linspace(-1, 1, seen.side, dtype=np.float32) * np.float32(rng.normal(0, 0.15 * sigma))
    for plane, relative in zip(planes, BAND_NOISE, strict=True):
        noise = rng.standard_normal(plane.shape, dtype=np.float32)
        if seen.pixel_arcsec < PIXEL_ARCSEC:
            noise = ndimage.gaussian_filter(noise, 0.7)
            noise /= noise.std()
        variance = (sigma * relative) ** 2 * (1 + np.maximum(plane, 0) / SKY)
        np.add(plane, noise * np.sqrt(variance) + gradient[:, None], out=plane)


def _jpeg(rgb: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    if not quality:
        return rgb
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality, subsampling=2 if quality < 85 else 0)  # noqa: PLR2004 - as encoders do
    return np.asarray(Image.open(buffer))
