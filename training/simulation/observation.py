"""The observation of a simulated galaxy: telescope and picture server, drawn at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.simulation import tone_curves
from training.simulation.surveys import SURVEYS

_FOREIGN = tuple(name for name in SURVEYS if name != "sdss")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A straight edge of a mosaic; beyond it the sky was subtracted differently, or nothing was observed.

    Attributes
    ----------
    angle_deg, distance : float
        Angle of the normal, counter-clockwise from +x, and distance from the picture's centre, in frames.
    step : tuple of 3 floats
        Steps of the sky in g, r, i beyond the edge, in standard deviations of the noise.
    missing : bool
        Whether there is no image beyond.
    """

    angle_deg: float
    distance: float
    step: tuple[float, float, float]
    missing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The observation of one galaxy.

    Attributes
    ----------
    side : int
        Side of the picture, pixels.
    zoom : float
        Frame width in units of the isophotal diameter.
    position_angle_deg : float
        Angle of the major axis, counter-clockwise from the +x axis of the picture.
    offset : tuple of 2 floats
        Offset of the galaxy from the frame's centre, in frames.
    pixel_arcsec, native_arcsec, seeing_arcsec : float
        Pixel of the picture and of the survey, and full width at half maximum of the point-spread function.
    resampling : float
        Standard deviation of the blur that resampling leaves in light and noise, pixels of the picture.
    edge : Edge or None
        Edge of the mosaic where another frame begins.
    noise : tuple of 3 floats
        Noise of a square arcsecond of sky in the three bands, nanomaggies.
    redness : tuple of 2 floats
        The two colours in units of g-r and r-i.
    stars, neighbours : float
        Expected numbers in the frame.
    tone_curve : tone_curves.ToneCurve
        Conversion of light to counts by the picture server.
    jpeg_quality : int
        JPEG quality; 0 for no compression.
    """

    side: int
    zoom: float
    position_angle_deg: float
    offset: tuple[float, float]
    pixel_arcsec: float
    native_arcsec: float
    seeing_arcsec: float
    resampling: float
    edge: Edge | None
    noise: tuple[float, float, float]
    redness: tuple[float, float]
    stars: float
    neighbours: float
    tone_curve: tone_curves.ToneCurve
    jpeg_quality: int


def draw(rng: np.random.Generator, *, disturbed: bool = False, survey: str | None = None) -> Observation:
    """Draw the observation of a galaxy; ``disturbed`` crowds the frame, as in pictures that people reject.

    Two in five pictures are made like EFIGI's, one in five like the SDSS server's, one in four like other surveys', and
    the rest in any way between and beyond. ``survey`` names one of :data:`SURVEYS` instead.
    """
    kind = rng.uniform()
    foreign = str(rng.choice(_FOREIGN))
    efigi, server = kind < 0.4, 0.4 < kind < 0.6  # two in five, one in five
    if survey is not None:
        efigi, server, foreign, kind = False, survey == "sdss", survey, 0.7
    other = not server and 0.6 < kind < 0.85  # one in four
    from_survey = SURVEYS[foreign if other else "sdss"]
    side = 88 if efigi else int(rng.choice([88, 128]))
    if efigi:
        zoom = max(float(np.exp(rng.normal(np.log(0.98), 0.1))), 0.85)
    else:
        zoom = float(rng.uniform(0.9, 1.3) if rng.uniform() < 0.5 else rng.uniform(1.2, 2.2))  # even
    if efigi or server or other:
        diameter_arcmin = max(0.8, rng.lognormal(np.log(1.45), 0.45))  # the distribution of human-measured galaxies
    else:
        diameter_arcmin = np.exp(rng.uniform(np.log(0.6), np.log(5)))
    seeing = from_survey.seeing_arcsec[1]
    deeper = 10 ** (0.4 * rng.normal(0, 0.2 if efigi else 0.4))
    first, second, third = (float(deeper * noise) for noise in from_survey.noise)
    if efigi:
        tone_curve = tone_curves.efigi(rng)
    elif server or other:
        tone_curve = tone_curves.server(rng, from_survey)
    else:
        tone_curve = tone_curves.anything(rng)
    return Observation(
        side=side,
        zoom=zoom,
        position_angle_deg=float(rng.uniform(0, 360)),
        offset=(float(rng.normal(0, 0.012)), float(rng.normal(0, 0.012))),
        pixel_arcsec=float(60 * zoom * diameter_arcmin / side),
        native_arcsec=from_survey.pixel_arcsec,
        seeing_arcsec=float(seeing * np.clip(rng.normal(1, 0.15), 0.65, 1.7)),
        resampling=float(rng.uniform(0.25, 0.45) if efigi else rng.uniform(0.35, 0.7)),
        edge=_edge(rng) if rng.uniform() < 0.08 else None,  # one in twelve
        noise=(first, second, third),
        redness=from_survey.redness,
        stars=float(rng.gamma(1.2, 3.5)) * (6 if disturbed else 1),
        neighbours=float(rng.gamma(1.0, 1.5)) * (3 if disturbed else 1),
        tone_curve=tone_curve,
        jpeg_quality=75 if efigi else int(rng.integers(60, 97)) if rng.uniform() < 0.85 else 0,  # a few are lossless
    )


def _edge(rng: np.random.Generator) -> Edge:
    common = rng.normal(0, 1)
    first, second, third = (float(common + own) for own in rng.normal(0, 1.5, 3))
    return Edge(
        angle_deg=float(rng.uniform(0, 360)),
        distance=float(rng.uniform(0.25, 0.55)),
        step=(first, second, third),
        missing=bool(rng.uniform() < 0.2),
    )
