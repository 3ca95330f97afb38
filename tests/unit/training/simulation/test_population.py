from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.discs import plain_disc
from training.simulation import population

if TYPE_CHECKING:
    from training.simulation.galaxy import SimulatedGalaxy


@pytest.mark.parametrize("inclination_deg", [45, 60, 74])
def test_the_human_scale_is_the_true_one_for_discs_of_the_standard_thickness(inclination_deg: float) -> None:
    assert plain_disc(inclination_deg=inclination_deg, q0=0.2).human_deg == pytest.approx(inclination_deg, abs=0.01)


def test_a_disc_thinner_than_the_standard_looks_more_inclined_than_it_is() -> None:
    thin = plain_disc(inclination_deg=70, q0=0.1)
    assert 0.5 < thin.human_deg - 70 < 4
    assert plain_disc(inclination_deg=90, q0=0.1).human_deg == pytest.approx(90)


def draws(inclination_deg: float, count: int = 400) -> list[SimulatedGalaxy]:
    rngs = (np.random.default_rng([7, n]) for n in range(count))
    return [population.draw(rng, inclination_deg=inclination_deg) for rng in rngs]


def test_edge_on_discs_in_large_round_bulges_are_drawn_with_a_lane_of_dust() -> None:
    edge_on = [g for g in draws(88) if g.bulge_fraction > 0.6 and g.bulge_q > 0.45 and g.optical_depth > 0.8]
    assert 12 < len(edge_on) < 60
    assert all(g.dust_height <= 0.5 for g in edge_on)
    face_on = [g for g in draws(50) if g.bulge_fraction > 0.6 and g.optical_depth > 0.8]
    assert len(face_on) < len(edge_on)


def test_galaxies_whose_brightest_part_misleads_are_a_part_of_the_population() -> None:
    some = draws(60)
    grand_designs = [g for g in some if g.arms.number == 2 and g.arms.contrast >= 0.85 and g.arms.flocculence <= 0.15]
    faint_discs_with_bars = [g for g in some if g.bar.strength > 2.5 and g.mu0 > 21.8]
    dwarfs = [g for g in some if g.lopsidedness > 0.12 and g.bulge_fraction == 0 and g.arms.flocculence > 0.7]
    assert len(grand_designs) > 15
    assert len(faint_discs_with_bars) > 8
    assert len(dwarfs) > 10


def test_discs_are_oval_as_surveys_find_them() -> None:
    # the dwarfs among them are drawn by themselves
    ellipticities = [2 * g.ovalness for g in draws(60) if g.bulge_fraction > 0]
    assert np.median(ellipticities) == pytest.approx(0.08, abs=0.015)
    assert np.mean(np.array(ellipticities) > 0.17) == pytest.approx(0.16, abs=0.08)


def test_unsuitable_galaxies_are_spheroids_without_dust_as_bright_as_ellipticals_or_discs_lost_in_the_noise() -> None:
    rngs = (np.random.default_rng([8, n]) for n in range(300))
    some = [population.draw(rng, inclination_deg=50, reject="unsuitable") for rng in rngs]
    spheroids = [g for g in some if g.bulge_fraction > 0.9]
    assert 0.5 < len(spheroids) / len(some) < 0.7
    assert all(g.optical_depth == 0 for g in spheroids)
    flux = np.array([2 * np.pi * g.bulge_fraction / (1 - g.bulge_fraction) for g in spheroids])
    area = np.array([2 * np.pi * g.bulge_radius**2 for g in spheroids])
    within = np.array([g.mu0 for g in spheroids]) - 2.5 * np.log10(flux / area)  # mean surface brightness
    assert 19 < np.median(within) < 21.5
    assert min(g.mu0 for g in some if g.bulge_fraction <= 0.9) > 23.5
