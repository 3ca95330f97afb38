"""How a simulated galaxy is seen: which telescope and which picture server, drawn for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PIXEL_ARCSEC = 0.396
"""Native pixel of the survey, arcsec."""

SEEING_ARCSEC = 1.3


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
    sky_mag : float
        Surface brightness of the r-band noise per native pixel, mag/arcsec^2.
    stars, neighbours : float
        Expected numbers in the frame.
    softening, level, pedestal, gamma : float
        Of the asinh stretch: Q, the brightness given to 21 mag/arcsec^2, the sky's brightness, and a final power.
    tint : tuple of 3 floats
        Gain of each plane.
    jpeg_quality : int
        0 for none.
    """

    side: int
    zoom: float
    position_angle_deg: float
    offset: tuple[float, float]
    pixel_arcsec: float
    seeing_arcsec: float
    sky_mag: float
    stars: float
    neighbours: float
    softening: float
    level: float
    pedestal: float
    gamma: float
    tint: tuple[float, float, float]
    jpeg_quality: int


def draw(rng: np.random.Generator, *, disturbed: bool = False) -> Observation:
    """Draw how a galaxy is seen; ``disturbed`` crowds the frame, as in pictures that people reject."""
    side = int(rng.choice([88, 128], p=[0.65, 0.35]))
    zoom = float(rng.uniform(0.9, 1.3) if rng.uniform() < 0.6 else rng.uniform(1.2, 2.2))  # noqa: PLR2004 - three to two
    diameter_arcsec = 60 * float(np.exp(rng.uniform(np.log(0.4), np.log(5))))
    return Observation(
        side=side,
        zoom=zoom,
        position_angle_deg=float(rng.uniform(0, 360)),
        offset=(float(rng.normal(0, 0.012)), float(rng.normal(0, 0.012))),
        pixel_arcsec=zoom * diameter_arcsec / side,
        seeing_arcsec=float(np.clip(rng.normal(SEEING_ARCSEC, 0.2), 0.8, 2.2)),
        sky_mag=float(rng.normal(24.3, 0.4)),
        stars=float(rng.gamma(1.2, 3.5)) * (6 if disturbed else 1),
        neighbours=float(rng.gamma(1.0, 1.5)) * (3 if disturbed else 1),
        softening=float(rng.uniform(1.0, 4.5)),
        level=float(rng.uniform(0.28, 0.75)),
        pedestal=float(abs(rng.normal(0, 0.02))) if rng.uniform() < 0.85 else float(rng.uniform(0.05, 0.15)),  # noqa: PLR2004 - bright skies are rare
        gamma=float(np.exp(rng.normal(0, 0.15))),
        tint=(float(rng.normal(1, 0.06)), 1.0, float(rng.normal(1.05, 0.08))),
        jpeg_quality=int(rng.integers(60, 97)) if rng.uniform() < 0.85 else 0,  # noqa: PLR2004 - a few are lossless
    )
