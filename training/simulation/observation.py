"""How a simulated galaxy is seen: which telescope and which picture server, drawn for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.simulation import tone_curves

PIXEL_ARCSEC = 0.396
"""Native pixel of the survey, arcsec."""

SEEING_ARCSEC = 1.3


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
    tone_curve : tone_curves.ToneCurve
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
    tone_curve: tone_curves.ToneCurve
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
        zoom = max(float(np.exp(rng.normal(np.log(0.98), 0.1))), 0.85)
    else:
        zoom = float(rng.uniform(0.9, 1.3) if rng.uniform() < 0.5 else rng.uniform(1.2, 2.2))  # noqa: PLR2004 - even
    if efigi or server:
        diameter_arcmin = max(0.8, rng.lognormal(np.log(1.45), 0.45))  # as the galaxies that people measured
    else:
        diameter_arcmin = np.exp(rng.uniform(np.log(0.6), np.log(5)))
    return Observation(
        side=side,
        zoom=zoom,
        position_angle_deg=float(rng.uniform(0, 360)),
        offset=(float(rng.normal(0, 0.012)), float(rng.normal(0, 0.012))),
        pixel_arcsec=float(60 * zoom * diameter_arcmin / side),
        seeing_arcsec=float(np.clip(rng.normal(SEEING_ARCSEC, 0.2), 0.8, 2.2)),
        resampling=float(rng.uniform(0.25, 0.45) if efigi else rng.uniform(0.35, 0.7)),
        edge=_edge(rng) if rng.uniform() < 0.08 else None,  # noqa: PLR2004 - one in twelve
        sky_mag=float(rng.normal(24.15, 0.2 if efigi else 0.4)),
        stars=float(rng.gamma(1.2, 3.5)) * (6 if disturbed else 1),
        neighbours=float(rng.gamma(1.0, 1.5)) * (3 if disturbed else 1),
        tone_curve=tone_curves.efigi(rng)
        if efigi
        else tone_curves.server(rng)
        if server
        else tone_curves.anything(rng),
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
