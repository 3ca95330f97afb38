"""Tone curves: picture servers' conversions of light to the brightness and colour of a picture's counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.simulation.surveys import SimulatedSurvey


Maker = Literal["efigi", "sdss", "legacy", "panstarrs", "dss", "hsc", "any"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToneCurve:
    """A conversion of light to the counts of a picture.

    Attributes
    ----------
    maker : str
        Origin of such pictures.
    white_mag : float
        Surface brightness that is shown as white, mag/arcsec^2.
    softening, gamma : float
        Parameters of the brightness ``(asinh(softening Y) / asinh(softening)) ** gamma`` of light Y; white is 1.
    saturation : float
        Factor of the colours' distance from gray.
    pedestal : tuple of 3 floats
        Light of the sky that remains in i, r, g; white is 1.
    tint : tuple of 3 floats
        Gains of i, r, g.
    chroma_blur : float
        Standard deviation of the blur of the colours, pixels: a JPEG stores them at half the resolution, in some cases
        twice.
    hue_kept : bool
        Whether a saturated pixel keeps its hue, or each plane is clipped at white.
    """

    maker: Maker
    white_mag: float
    softening: float
    gamma: float
    saturation: float
    pedestal: tuple[float, float, float]
    tint: tuple[float, float, float]
    chroma_blur: float
    hue_kept: bool


def _three(values: NDArray[np.float64]) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in values)
    return first, second, third


def efigi(rng: np.random.Generator) -> ToneCurve:
    """Power law and strong colours, as STIFF makes (Bertin 2012, ASPC 461, 263), fitted to EFIGI's pictures."""
    sky = rng.normal(0.0025, 0.0007)
    return ToneCurve(
        maker="efigi",
        white_mag=float(rng.normal(18.55, 0.15)),
        softening=1e-3,
        gamma=1 / 2.2,
        saturation=float(rng.normal(1.7, 0.1)),
        pedestal=_three(np.maximum(sky * rng.normal((1.03, 0.87, 1.08), 0.13), 0)),
        tint=(float(rng.normal(1, 0.03)), 1.0, float(rng.normal(0.99, 0.03))),
        chroma_blur=float(rng.uniform(1.8, 3.0)),
        hue_kept=False,
    )


def server(rng: np.random.Generator, survey: SimulatedSurvey) -> ToneCurve:
    """Asinh with colours kept (Lupton et al. 2004, PASP 116, 133), as a survey's server shows its images."""
    return ToneCurve(
        maker=cast("Maker", survey.name),
        white_mag=float(rng.normal(survey.white_mag, 0.4)),
        softening=float(np.exp(rng.normal(np.log(survey.softening), 0.4))),
        gamma=float(np.exp(rng.normal(np.log(survey.gamma), 0.12))),
        saturation=float(rng.normal(1.1, 0.1)),
        pedestal=_three(np.abs(rng.normal(0, 0.0008)) + np.abs(rng.normal(0, 2e-4, 3))),
        tint=(float(rng.normal(survey.tint[0], 0.05)), 1.0, float(rng.normal(survey.tint[2], 0.06))),
        chroma_blur=float(rng.uniform(0.4, 1.0)),
        hue_kept=True,
    )


def anything(rng: np.random.Generator) -> ToneCurve:
    """Anything between a power law and a strong asinh, faint or bright, pale or gaudy, on a sky of any brightness."""
    return ToneCurve(
        maker="any",
        white_mag=float(rng.uniform(18.3, 21.0)),
        softening=float(np.exp(rng.uniform(np.log(0.5), np.log(100)))),
        gamma=float(np.exp(rng.uniform(np.log(0.45), np.log(1.3)))),
        saturation=float(rng.uniform(0.3, 2.2)),
        pedestal=_three(rng.uniform(0, 0.01) * rng.uniform(0.6, 1.4, 3)),
        tint=(float(rng.normal(1, 0.1)), 1.0, float(rng.normal(1, 0.1))),
        chroma_blur=float(rng.uniform(0.3, 1.5)),
        hue_kept=bool(rng.uniform() < 0.5),  # as often as not
    )
