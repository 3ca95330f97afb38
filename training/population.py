"""The population of simulated galaxies: what is drawn for each, and from which distributions.

Lengths are in units of the disc's radial scale length unless a name says otherwise; surface brightness is in
mag/arcsec^2 of the r band. Every draw comes from the generator passed in, never from a global one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

Reject = Literal["", "face_on", "unsuitable"]

FACE_ON_BELOW_DEG = 45.0
"""Human measurers reject what they judge below this inclination."""

HUMAN_Q0 = 0.2
"""Edge-on axis ratio to which the human scale is tied (Kourkchi et al. 2020, ApJ 902, 145)."""

ISOPHOTE_R = 24.5
"""r-band isophote, mag/arcsec^2, that stands for the blue D25 one."""


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
    """One galaxy with its true inclination and everything else that decides how it looks.

    Attributes
    ----------
    inclination_deg : float
        True inclination of the disc's plane, 0 face-on to 90 edge-on.
    q0 : float
        Axis ratio of the faint isophotes seen edge-on; the sech^2 height follows (:attr:`height`).
    mu0 : float
        Central face-on surface brightness of the disc.
    break_radius, outer_scale : float
        Beyond the break the scale length is ``outer_scale`` times the inner one.
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
        """Radius of the isophote that stands for D25, for framing the galaxy (an estimate, half-way transparent)."""
        brightening = 1.25 * np.log10(1 / max(np.cos(np.radians(self.inclination_deg)), 0.15))
        scales = (ISOPHOTE_R - self.mu0 + brightening) / 1.086
        if scales > self.break_radius:
            scales = self.break_radius + (scales - self.break_radius) * self.outer_scale
        visible = [f.radius + f.width for f in (self.ring, self.outer_ring) if f.strength > 0.02]  # noqa: PLR2004 - seen
        return float(max(scales, 1.6, *visible, 0.0))

    @property
    def human_deg(self) -> float:
        """Inclination on the human scale: that of the outline's axis ratio with an edge-on ratio of 0.2.

        ``cos^2 i = (q^2 - 0.2^2) / (1 - 0.2^2)`` with ``q^2 = cos^2 i_true + q0^2 sin^2 i_true``. Discs thinner than
        0.2 would pass 90 deg before they are edge-on; people go on to judge those by their dust lane, so the two
        scales are joined between 75 and 90 deg.
        """
        true = np.radians(self.inclination_deg)
        q2 = np.cos(true) ** 2 + (self.q0 * np.sin(true)) ** 2
        outline = np.degrees(np.arccos(np.sqrt(np.clip((q2 - HUMAN_Q0**2) / (1 - HUMAN_Q0**2), 0, 1))))
        trust = np.clip((90 - self.inclination_deg) / 15, 0, 1)
        return float(trust * outline + (1 - trust) * self.inclination_deg)


def draw(rng: np.random.Generator, *, inclination_deg: float, reject: Reject = "") -> SimulatedGalaxy:
    """Draw a galaxy of a given inclination.

    Parameters
    ----------
    rng : numpy.random.Generator
    inclination_deg : float
        0..90.
    reject : str
        ``unsuitable`` draws a spheroid, or a disc lost in the noise, instead of a measurable spiral.
    """
    early = rng.uniform()  # 0 a late, blue, bulgeless disc; 1 an early, red one with a bulge
    low_surface_brightness = rng.uniform() < 0.2 * (1.3 - early)
    mu0 = rng.uniform(21.8, 23.2) if low_surface_brightness else float(np.clip(rng.normal(20.4, 0.6), 19.0, 21.8))
    bulge = (
        float(np.clip(rng.beta(1.3, 5) * (0.25 + 1.5 * early), 0, 0.7)) if rng.uniform() < 0.35 + 0.6 * early else 0.0
    )
    height_q0 = float(np.clip(rng.normal(0.17 + 0.02 * early, 0.04), 0.08, 0.3))
    break_radius, outer_scale = _break(rng)
    bar, ring, outer_ring = _features(rng, early)
    if reject == "unsuitable":
        if rng.uniform() < 0.6:  # noqa: PLR2004 - spheroids and hopelessly faint discs, three to two
            bulge, mu0 = 0.985, 23.0
        else:
            mu0 = rng.uniform(23.8, 25.0)
    galaxy = SimulatedGalaxy(
        inclination_deg=float(inclination_deg),
        q0=height_q0,
        mu0=mu0,
        break_radius=break_radius,
        outer_scale=outer_scale,
        young_fraction=float(np.clip(rng.normal(0.6 - 0.45 * early, 0.12), 0.03, 0.85)),
        arms=_arms(rng, early),
        bar=bar,
        ring=ring,
        outer_ring=outer_ring,
        bulge_fraction=bulge,
        bulge_radius=float(rng.uniform(0.12, 0.45)) * (2.5 if bulge > 0.9 else 1.0),  # noqa: PLR2004 - a spheroid
        bulge_index=float(rng.choice([1.0, 1.5, 2.0, 3.0, 4.0])),
        bulge_q=float(rng.uniform(0.55, 0.95)),
        optical_depth=float(rng.gamma(1.5, 0.5)) * (0.3 if low_surface_brightness else 1.0),
        dust_scale=float(rng.uniform(0.9, 1.4)),
        dust_height=float(rng.uniform(0.2, 0.5)),
        lopsidedness=float(abs(rng.normal(0, 0.08))),
        ovalness=float(rng.uniform(0, 0.06)),
        warp=float(rng.normal(0, 0.05)) if rng.uniform() < 0.5 else 0.0,  # noqa: PLR2004 - every other disc is warped
        warp_order=int(rng.choice([1, 1, 2])),
        colours=_colours(rng, early),
        reject=reject or ("face_on" if inclination_deg < FACE_ON_BELOW_DEG else ""),
    )
    return galaxy if reject == "unsuitable" else _misleading(rng, galaxy)


def _misleading(rng: np.random.Generator, galaxy: SimulatedGalaxy) -> SimulatedGalaxy:
    """Make one galaxy in four of a kind whose brightest part misleads about its inclination.

    These are what networks were found to read 10 to 20 deg wrong, and too rare among real galaxies to learn from: an
    edge-on disc in a large round bulge, which its dust lane gives away; a grand design whose two open arms stretch the
    outline; a bright bar in a faint disc; and a patchy, lopsided dwarf.
    """
    kind = rng.uniform()
    if kind < (0.16 if galaxy.inclination_deg > 75 else 0.04):  # noqa: PLR2004 - where it misleads most
        return replace(
            galaxy,
            bulge_fraction=float(rng.uniform(0.35, 0.88)),
            bulge_radius=float(rng.uniform(0.4, 1.5)),
            bulge_index=float(rng.choice([1.5, 2.0, 3.0, 4.0])),
            bulge_q=float(rng.uniform(0.45, 0.85)),
            optical_depth=float(0.6 + rng.gamma(2.0, 0.7)),
            dust_scale=float(rng.uniform(1.0, 2.0)),
            dust_height=float(rng.uniform(0.12, 0.35)),
        )
    kind = rng.uniform()
    if kind < 0.08:  # noqa: PLR2004 - grand designs
        arms = replace(
            galaxy.arms,
            number=2,
            pitch_deg=float(rng.uniform(14, 36)),
            contrast=float(rng.uniform(0.85, 1.0)),
            sharpness=float(rng.uniform(1.5, 4)),
            flocculence=float(rng.uniform(0, 0.15)),
        )
        scale = float(rng.uniform(1.0, 1.7))
        return replace(
            galaxy, arms=arms, young_fraction=float(rng.uniform(0.5, 0.85)), break_radius=2.0, outer_scale=scale
        )
    if kind < 0.14:  # noqa: PLR2004 - bars in faint discs
        bar = Feature(
            strength=float(rng.uniform(2, 7)),
            radius=float(rng.uniform(0.6, 1.6)),
            width=float(rng.uniform(0.2, 0.4)),
            angle=float(rng.uniform(0, np.pi)),
        )
        return replace(galaxy, bar=bar, mu0=float(rng.uniform(21.8, 23.4)))
    if kind < 0.24:  # noqa: PLR2004 - dwarfs
        arms = replace(
            galaxy.arms,
            flocculence=float(rng.uniform(0.7, 1.0)),
            contrast=float(rng.uniform(0.4, 1.0)),
            clumps=int(rng.integers(20, 300)),
            clump_light=float(rng.uniform(0.1, 0.5)),
        )
        return replace(
            galaxy,
            arms=arms,
            mu0=float(rng.uniform(21.2, 23.4)),
            q0=float(rng.uniform(0.18, 0.38)),
            bulge_fraction=0.0,
            young_fraction=float(rng.uniform(0.5, 0.9)),
            lopsidedness=float(rng.uniform(0.05, 0.3)),
            ovalness=float(rng.uniform(0, 0.12)),
        )
    return galaxy


def _break(rng: np.random.Generator) -> tuple[float, float]:
    kind = rng.uniform()
    if kind < 0.45:  # noqa: PLR2004 - down-bending
        return float(rng.uniform(1.3, 3.5)), float(rng.uniform(0.25, 0.7))
    if kind < 0.65:  # noqa: PLR2004 - up-bending: a faint extended disc around a bright one
        return float(rng.uniform(1.5, 3.0)), float(rng.uniform(1.3, 2.2))
    return 20.0, 1.0


def _arms(rng: np.random.Generator, early: float) -> Arms:
    return Arms(
        number=int(rng.choice([2, 2, 2, 3, 4, 5])),
        pitch_deg=float(np.clip(rng.normal(21 - 9 * early, 5), 6, 38)),
        hand=int(rng.choice([-1, 1])),
        phase=float(rng.uniform(0, 2 * np.pi)),
        sharpness=float(rng.uniform(0.8, 4)),
        contrast=float(rng.beta(2, 2)) * (1.0 - 0.4 * early),
        flocculence=float(rng.beta(1, 1.3)),
        clumps=int(rng.integers(0, 260) * (1.1 - early)),
        clump_light=float(rng.uniform(0, 0.25)) * (1.1 - early),
    )


def _features(rng: np.random.Generator, early: float) -> tuple[Feature, Feature, Feature]:
    """Bar, inner ring and outer ring. A strong bar often comes with a faint outer ring that decides the outline."""
    none = Feature(strength=0.0, radius=1.0, width=0.2)
    bar = ring = outer = none
    angle = float(rng.uniform(0, np.pi))
    if rng.uniform() < 0.45:  # noqa: PLR2004 - the barred half
        length = float(rng.uniform(0.4, 1.3))
        bar = Feature(
            strength=float(rng.uniform(0.3, 2.5)), radius=length, width=float(rng.uniform(0.18, 0.45)), angle=angle
        )
        if rng.uniform() < 0.4:  # noqa: PLR2004 - a ring at the bar's ends
            ring = Feature(strength=float(rng.uniform(0.1, 0.6)), radius=1.1 * length, width=0.15 * length)
    if rng.uniform() < (0.3 if bar.strength else 0.12) + 0.1 * early:
        outer = Feature(
            strength=float(10 ** rng.uniform(-2, -0.7)),
            radius=float(rng.uniform(2.0, 3.6)),
            width=float(rng.uniform(0.2, 0.5)),
        )
    return bar, ring, outer


def _colours(rng: np.random.Generator, early: float) -> tuple[float, float, float, float, float, float]:
    shift = rng.normal(0, 0.05)
    return (
        float(0.52 + 0.2 * early + shift),
        float(0.24 + 0.14 * early + shift / 2),
        float(rng.uniform(0.02, 0.3)),
        float(rng.uniform(-0.05, 0.12)),
        float(0.68 + 0.14 * early + shift),
        float(0.34 + 0.08 * early + shift / 2),
    )
