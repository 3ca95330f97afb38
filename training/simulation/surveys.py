"""Imaging surveys whose pictures people use: the effects of their telescopes and plates on a galaxy.

Depths are five standard deviations of a point source in the survey's stacks. The noise of a square arcsecond follows:
``F5 / 5 = noise * sqrt(4 pi) * seeing / 2.355`` for a gaussian point-spread function.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.simulation.galaxy import ZEROPOINT

_FWHM = 2.355


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSurvey:
    """An imaging survey as it is simulated, in three bands, in the order of the simulation's g, r and i.

    Attributes
    ----------
    name : str
    pixel_arcsec : float
        Native pixel.
    seeing_arcsec : tuple of 3 floats
        Full width at half maximum of the point-spread function.
    depth_mag : tuple of 3 floats
        Five standard deviations of a point source.
    redness : tuple of 2 floats
        The survey's first colour in units of g-r, its second in units of r-i: r-z is 1.7 times r-i.
    white_mag, softening, gamma, tint : float
        Parameters of its server's pictures (:class:`training.simulation.tone_curves.ToneCurve`).
    """

    name: str
    pixel_arcsec: float
    seeing_arcsec: tuple[float, float, float]
    depth_mag: tuple[float, float, float]
    redness: tuple[float, float] = (1.0, 1.0)
    white_mag: float
    softening: float
    gamma: float = 1.0
    tint: tuple[float, float, float] = (1.04, 1.0, 0.9)

    @property
    def noise(self) -> tuple[float, float, float]:
        """Noise of a square arcsecond in each band, nanomaggies."""
        flux = 10 ** (0.4 * (ZEROPOINT - np.array(self.depth_mag))) / 5
        first, second, third = flux / (np.sqrt(4 * np.pi) * np.array(self.seeing_arcsec) / _FWHM)
        return float(first), float(second), float(third)


SURVEYS = {
    survey.name: survey
    for survey in (
        # York et al. 2000, AJ 120, 1579; the noise is that of EFIGI's pictures, the tone curve SkyServer's
        SimulatedSurvey(
            name="sdss",
            pixel_arcsec=0.396,
            seeing_arcsec=(1.44, 1.32, 1.26),
            depth_mag=(22.85, 22.66, 22.05),
            white_mag=18.8,
            softening=30,
        ),
        # Dey et al. 2019, AJ 157, 168, g, r, z; the viewer's asinh
        SimulatedSurvey(
            name="legacy",
            pixel_arcsec=0.262,
            seeing_arcsec=(1.29, 1.18, 1.11),
            depth_mag=(24.7, 23.9, 23.0),
            redness=(1.0, 1.7),
            white_mag=20.1,
            softening=44,
            tint=(0.8, 1.0, 0.9),
        ),
        # Chambers et al. 2016, arXiv:1612.05560: stacks of the 3 pi survey
        SimulatedSurvey(
            name="panstarrs",
            pixel_arcsec=0.25,
            seeing_arcsec=(1.31, 1.19, 1.11),
            depth_mag=(23.3, 23.2, 23.1),
            white_mag=19.8,
            softening=30,
        ),
        # Reid et al. 1991, PASP 103, 661: blue and red plates, scanned; the middle plane is their mean
        SimulatedSurvey(
            name="dss",
            pixel_arcsec=1.0,
            seeing_arcsec=(2.5, 2.5, 2.5),
            depth_mag=(22.5, 21.3, 20.8),
            redness=(0.6, 0.0),
            white_mag=21.0,
            softening=2,
            gamma=0.9,
            tint=(1.35, 1.0, 0.65),
        ),
        # Aihara et al. 2019, PASJ 71, 114
        SimulatedSurvey(
            name="hsc",
            pixel_arcsec=0.168,
            seeing_arcsec=(0.77, 0.76, 0.58),
            depth_mag=(26.5, 26.1, 25.9),
            white_mag=20.6,
            softening=50,
        ),
    )
}
"""Surveys by name, the same as in ``survey=`` for those that it accepts."""
