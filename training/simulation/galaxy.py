"""A simulated galaxy in three dimensions: its true inclination and all other properties that affect its look.

Lengths are in units of the disc's radial scale length unless a name says otherwise; surface brightness is in
mag/arcsec^2 of the r band.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

ZEROPOINT = 22.5
"""Surface brightness of one unit of intensity, mag/arcsec^2 (one nanomaggy per square arcsec)."""

Reject = Literal["", "face_on", "unsuitable"]

HUMAN_Q0 = 0.2
"""Edge-on axis ratio that defines the human scale (Kourkchi et al. 2020, ApJ 902, 145)."""

ISOPHOTE_R = 24.5
"""r-band isophote, mag/arcsec^2, that replaces the blue D25 isophote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """Spiral structure: ``number`` logarithmic arms of one ``pitch_deg``, ``hand`` +1 or -1, blended with patches."""

    number: int
    pitch_deg: float
    hand: int
    phase: float
    sharpness: float
    contrast: float
    flocculence: float
    clumps: int
    clump_light: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A bar (``radius`` long, ``width`` its axis ratio) or a ring (``radius``, gaussian ``width``).

    ``strength`` is the peak in units of the disc's central surface brightness; 0 means that there is none.
    """

    strength: float
    radius: float
    width: float
    angle: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedGalaxy:
    """One galaxy with its true inclination and all other properties that affect its look.

    Attributes
    ----------
    inclination_deg : float
        True inclination of the disc's plane, 0 face-on to 90 edge-on.
    q0 : float
        Axis ratio of the faint isophotes seen edge-on; the sech^2 height follows (:attr:`height`).
    mu0 : float
        Central face-on surface brightness of the disc.
    break_radius, outer_scale : float
        Radius of the break, and the scale length beyond it in units of the inner one.
    bulge_fraction, bulge_radius, bulge_index, bulge_q : float
        Share of the total light, effective radius, Sersic index and intrinsic axis ratio.
    optical_depth : float
        Central face-on optical depth of the dust in the g band.
    warp : float
        Height of the warp at the isophotal radius; ``warp_order`` 1 is S-shaped, 2 is U-shaped.
    colours : tuple of 6 floats
        g-r and r-i of the old disc, the young disc and the bulge, mag.
    """

    inclination_deg: float
    q0: float
    mu0: float
    break_radius: float
    outer_scale: float
    young_fraction: float
    arms: Arms
    bar: Feature
    ring: Feature
    outer_ring: Feature
    bulge_fraction: float
    bulge_radius: float
    bulge_index: float
    bulge_q: float
    optical_depth: float
    dust_scale: float
    dust_height: float
    lopsidedness: float
    ovalness: float
    warp: float
    warp_order: int
    colours: tuple[float, float, float, float, float, float]
    reject: Reject = ""

    @property
    def height(self) -> float:
        """Scale ``z0`` of the sech^2(z/z0) profile.

        Far out, sech^2 falls as exp(-2 z/z0) and the disc as exp(-R): an isophote three scale lengths out is about
        ``0.6 z0`` as thick as it is long, which this inverts.
        """
        return self.q0 / 0.6

    @property
    def isophotal_radius(self) -> float:
        """Radius of the isophote that replaces D25, for framing the galaxy (estimated for a half-transparent disc)."""
        brightening = 1.25 * np.log10(1 / max(np.cos(np.radians(self.inclination_deg)), 0.15))
        scales = (ISOPHOTE_R - self.mu0 + brightening) / 1.086
        if scales > self.break_radius:
            scales = self.break_radius + (scales - self.break_radius) * self.outer_scale
        visible = [f.radius + f.width for f in (self.ring, self.outer_ring) if f.strength > 0.02]  # visible
        return float(max(scales, 1.6, *visible, 0.0))

    @property
    def human_deg(self) -> float:
        """Inclination on the human scale: by the outline's axis ratio with an edge-on ratio of 0.2.

        ``cos^2 i = (q^2 - 0.2^2) / (1 - 0.2^2)`` with ``q^2 = cos^2 i_true + q0^2 sin^2 i_true``. Discs thinner than
        0.2 would reach 90 deg before they are edge-on; people then judge them by their dust lane, so the two scales are
        joined between 75 and 90 deg.
        """
        true = np.radians(self.inclination_deg)
        q2 = np.cos(true) ** 2 + (self.q0 * np.sin(true)) ** 2
        outline = np.degrees(np.arccos(np.sqrt(np.clip((q2 - HUMAN_Q0**2) / (1 - HUMAN_Q0**2), 0, 1))))
        trust = np.clip((90 - self.inclination_deg) / 15, 0, 1)
        return float(trust * outline + (1 - trust) * self.inclination_deg)
