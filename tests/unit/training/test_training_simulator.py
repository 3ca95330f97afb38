from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import galsim
import numpy as np
import pytest
from scipy import ndimage

from tests.support.discs import plain_disc
from training.simulation import (
    camera,
    face_on,
    observation,
    population,
    radiative_transfer,
    render_parameters,
    sample,
    scene,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.simulation.galaxy import SimulatedGalaxy

EXTENT, STEP = 12.0, 0.1


def axis(extent: float) -> NDArray[np.float32]:
    points = 2 * round(extent / STEP) + 1
    return np.asarray(face_on.axis(np.array([extent], np.float32), points))


def in_space(galaxy: SimulatedGalaxy) -> render_parameters.Arrays:
    drawn = render_parameters.in_space(galaxy, np.random.default_rng(0))
    return {name: np.asarray(value, np.float32)[None] for name, value in drawn.items()}


def drawn(
    galaxy: SimulatedGalaxy, *, samples: int = 60, tall: float = EXTENT
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return u, v and the image in g, r, i of a galaxy, drawn far beyond what a picture shows."""
    parameters, u, v = in_space(galaxy), axis(EXTENT), axis(tall)
    faces = face_on.face_on(parameters, u, u)
    return u[0], v[0], np.asarray(radiative_transfer.project(parameters, faces, v, samples=samples))[0]


def red(galaxy: SimulatedGalaxy) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return u, v and the r-band image."""
    u, v, image = drawn(galaxy)
    return u, v, image[1]


def test_a_thin_transparent_disc_seen_face_on_is_an_exponential() -> None:
    u, v, image = red(plain_disc(inclination_deg=0))
    radius = np.hypot(u[None, :], v[:, None])
    inside = (radius > 0.3) & (radius < 5)
    np.testing.assert_allclose(image[inside], 10 * np.exp(-radius[inside]), rtol=0.01)


def test_a_disc_seen_edge_on_falls_off_as_sech_squared_across_its_plane() -> None:
    galaxy = plain_disc(inclination_deg=90)
    u, v, image = red(galaxy)
    column = image[:, int(np.argmin(np.abs(u - 1.0)))]
    near = np.abs(v) < 4 * galaxy.height
    expected = 1 / np.cosh(v[near] / galaxy.height) ** 2
    np.testing.assert_allclose(column[near] / column.max(), expected, rtol=0.01)


@pytest.mark.parametrize("inclination_deg", [0, 30, 60, 75, 85, 90])
def test_the_flux_of_a_transparent_disc_does_not_depend_on_its_inclination(inclination_deg: float) -> None:
    _, _, image = red(plain_disc(inclination_deg=inclination_deg))
    assert image.sum() * STEP**2 == pytest.approx(10 * 2 * np.pi, rel=0.02)


@pytest.mark.parametrize("inclination_deg", [40, 65, 80, 90])
def test_an_inclined_disc_is_the_one_that_galsim_draws(inclination_deg: float) -> None:
    galaxy = plain_disc(inclination_deg=inclination_deg, q0=0.18)
    _, v, image = red(galaxy)
    theirs = galsim.Convolve(
        galsim.InclinedExponential(
            inclination=inclination_deg * galsim.degrees, scale_radius=1.0, scale_h_over_r=galaxy.height
        ),
        galsim.Gaussian(sigma=0.3),
    ).withFlux(10 * 2 * np.pi)
    expected = theirs.drawImage(nx=len(v), ny=len(v), scale=STEP, method="sb").array
    ours = ndimage.gaussian_filter(image, 0.3 / STEP)
    bright = (expected > 2e-3 * expected.max()) & (np.abs(v[None, :]) < 7)
    np.testing.assert_allclose(ours[bright], expected[bright], rtol=0.05, atol=3e-4 * float(expected.max()))


def test_a_bulge_has_the_flux_and_the_flattening_of_its_spheroid_at_any_inclination() -> None:
    galaxy = dataclasses.replace(
        plain_disc(inclination_deg=70), bulge_fraction=0.5, bulge_radius=0.8, bulge_index=1.0, bulge_q=0.6
    )
    u, v, with_bulge = red(galaxy)
    bulge = with_bulge - red(dataclasses.replace(galaxy, bulge_fraction=0.0))[2]
    assert bulge.sum() * STEP**2 == pytest.approx(10 * 2 * np.pi, rel=0.02)
    flattening = np.sqrt((bulge * v[:, None] ** 2).sum() / (bulge * u[None, :] ** 2).sum())
    sin = np.sin(np.radians(70))
    assert flattening == pytest.approx(np.sqrt(0.6**2 * sin**2 + 1 - sin**2), rel=0.02)


def test_dust_hides_light_and_more_of_the_blue_than_of_the_red() -> None:
    clear = plain_disc(inclination_deg=80)
    dusty = dataclasses.replace(clear, optical_depth=1.5)
    bright, dim = (
        drawn(galaxy, samples=radiative_transfer.SAMPLES, tall=3)[2].sum(axis=(1, 2)) for galaxy in (clear, dusty)
    )
    passed = dim / bright
    assert passed[0] < passed[1] < passed[2] < 0.95


def test_dust_darkens_the_plane_of_an_edge_on_disc_into_a_lane() -> None:
    galaxy = dataclasses.replace(plain_disc(inclination_deg=90, q0=0.25), optical_depth=2.0, dust_height=0.3)
    u, v, image = red(galaxy)
    column = image[:, int(np.argmin(np.abs(u)))]
    assert column[np.argmin(np.abs(v))] < 0.8 * column.max()


def test_the_half_of_a_bulge_behind_the_dust_is_the_darker_one() -> None:
    galaxy = dataclasses.replace(
        plain_disc(inclination_deg=65), bulge_fraction=0.6, bulge_radius=1.0, bulge_index=1.0, bulge_q=0.9
    )
    dusty = dataclasses.replace(galaxy, optical_depth=2.0)
    _, v, dim = red(dusty)
    _, _, bright = red(galaxy)
    passed = dim.sum(axis=1) / bright.sum(axis=1)
    aside = round(0.8 / STEP)
    middle = int(np.argmin(np.abs(v)))
    assert abs(passed[middle + aside] - passed[middle - aside]) > 0.1


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


def test_galaxies_are_the_same_in_any_order_and_for_any_number_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    together = sample.simulate(seed=11, count=3)
    monkeypatch.setattr(sample, "FEW", 0)
    apart = sample.simulate(seed=11, count=3, workers=2)
    alone, row = sample.make(seed=11, index=2)
    assert (together.images == apart.images).all()
    assert together.truth == apart.truth
    assert (alone == together.images[2]).all()
    assert row == together.truth[2]


def test_what_draws_in_worker_processes_loads_no_runtime_of_networks() -> None:
    script = "import sys, training.simulation.scene; assert not {'keras', 'tensorflow', 'jax'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_another_seed_gives_other_galaxies() -> None:
    assert (sample.make(seed=11, index=0)[0] != sample.make(seed=12, index=0)[0]).any()


def test_a_saved_sample_comes_back_with_its_truth(tmp_path: Any) -> None:
    made = sample.simulate(seed=3, count=2)
    sample.save(made, tmp_path)
    found = sample.load(tmp_path)
    assert (np.asarray(found.images) == made.images).all()
    assert found.truth == made.truth


def test_a_picture_turns_with_the_position_angle() -> None:
    galaxy = plain_disc(inclination_deg=75)
    seen = dataclasses.replace(observation.draw(np.random.default_rng(1)), side=88, zoom=1.3, offset=(0.0, 0.0))
    along, across = (
        np.asarray(camera.place(parameters, *camera.aligned(parameters, 88)))[0, 1]
        for parameters in (
            as_seen(galaxy, dataclasses.replace(seen, position_angle_deg=angle)) for angle in (0.0, 90.0)
        )
    )
    np.testing.assert_allclose(np.rot90(along), across, atol=1e-3)
    assert along[44, 70] > 5 * along[70, 44]


def as_seen(galaxy: SimulatedGalaxy, seen: observation.Observation) -> render_parameters.Arrays:
    return {
        name: value[None] for name, value in render_parameters.arrays(galaxy, seen, np.random.default_rng(0)).items()
    }


def test_beyond_an_edge_of_the_mosaic_nothing_was_observed_or_the_sky_is_another() -> None:
    edge = observation.Edge(angle_deg=90, distance=0.25, step=(3.0, 3.0, 3.0), missing=False)
    seen = dataclasses.replace(observation.draw(np.random.default_rng(1)), side=88, edge=edge, resampling=0.3)
    planes = np.ones((1, 3, 88, 88), np.float32)
    for missing in (False, True):
        parameters = as_seen(
            plain_disc(inclination_deg=50), dataclasses.replace(seen, edge=dataclasses.replace(edge, missing=missing))
        )
        found = np.asarray(camera.resampled(parameters, planes))[0]
        beyond = 0 if missing else 1 + 3 * parameters["sky_sigma"][0]
        assert found[:, :20].mean(axis=(1, 2)) == pytest.approx(beyond, abs=1e-4)  # rows above a quarter of the frame
        assert found[:, 24:].mean() == pytest.approx(1, abs=1e-4)


def test_a_galaxy_is_the_same_in_any_batch() -> None:
    some = [one for one in scene.draw_some(11, range(2 * sample.BATCH)) if one.side == 88][: sample.BATCH]
    together = np.asarray(sample.photograph(some))
    turned = np.asarray(sample.photograph(some[::-1]))[: len(some)]
    alone = np.asarray(sample.photograph(some[3:4]))
    assert (turned[::-1] == together[: len(some)]).all()
    assert (alone[0] == together[3]).all()


def test_noise_has_the_strength_that_was_drawn_and_is_correlated_below_the_native_pixel() -> None:
    seen = dataclasses.replace(observation.draw(np.random.default_rng(1)), side=88)
    dark = np.zeros((1, 3, 88, 88), np.float32)
    for pixel_arcsec, neighbours_agree in ((0.2, True), (0.5, False)):
        parameters = as_seen(plain_disc(inclination_deg=50), dataclasses.replace(seen, pixel_arcsec=pixel_arcsec))
        noise = np.asarray(camera.add_noise(parameters | {"sky_slope": np.zeros(1, np.float32)}, dark))[0]
        assert noise.std(axis=(1, 2)) == pytest.approx(parameters["sky_sigma"][0], rel=0.03)
        together = np.mean(noise[:, :, 1:] * noise[:, :, :-1]) / np.mean(noise**2)
        assert (together > 0.4) == neighbours_agree


def test_clumps_take_their_share_of_the_young_light_and_lie_on_the_arms() -> None:
    smooth = plain_disc(inclination_deg=0)
    arms = dataclasses.replace(smooth.arms, contrast=1.0, sharpness=4.0, clumps=0)
    bare = in_space(dataclasses.replace(smooth, young_fraction=1.0, arms=arms))
    clumpy = in_space(
        dataclasses.replace(smooth, young_fraction=1.0, arms=dataclasses.replace(arms, clumps=250, clump_light=0.5))
    )
    grid = axis(6)
    without, clumps = (np.asarray(face_on.face_on(each, grid, grid).young)[0] for each in (bare, clumpy))
    assert clumps.sum() == pytest.approx(without.sum(), rel=0.02)
    moved = clumps - without / 2
    assert moved.max() > without.max()
    # light in clumps is where the young light is, more so than a smooth disc's
    radius = np.hypot(grid[0], grid[0][:, None])
    round_disc = np.exp(-0.8 * radius)
    assert (moved * without).sum() / moved.sum() > 1.3 * (round_disc * without).sum() / round_disc.sum()
