from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import galsim
import numpy as np
import pytest
from scipy import ndimage

from tests.support.discs import in_space, plain_disc
from training.simulation import face_on, radiative_transfer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.simulation.galaxy import SimulatedGalaxy

pytestmark = pytest.mark.slow

EXTENT, STEP = 12.0, 0.1


def axis(extent: float) -> NDArray[np.float32]:
    points = 2 * round(extent / STEP) + 1
    return np.asarray(face_on.axis(np.array([extent], np.float32), points))


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
