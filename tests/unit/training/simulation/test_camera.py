from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.discs import plain_disc
from training.simulation import camera, observation, render_parameters

if TYPE_CHECKING:
    from training.simulation.galaxy import SimulatedGalaxy


def as_seen(galaxy: SimulatedGalaxy, seen: observation.Observation) -> render_parameters.Arrays:
    return {
        name: value[None] for name, value in render_parameters.arrays(galaxy, seen, np.random.default_rng(0)).items()
    }


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


def test_noise_has_the_strength_that_was_drawn_and_is_correlated_below_the_native_pixel() -> None:
    seen = dataclasses.replace(observation.draw(np.random.default_rng(1)), side=88)
    dark = np.zeros((1, 3, 88, 88), np.float32)
    for pixel_arcsec, neighbours_agree in ((0.2, True), (0.5, False)):
        parameters = as_seen(plain_disc(inclination_deg=50), dataclasses.replace(seen, pixel_arcsec=pixel_arcsec))
        noise = np.asarray(camera.add_noise(parameters | {"sky_slope": np.zeros(1, np.float32)}, dark))[0]
        assert noise.std(axis=(1, 2)) == pytest.approx(parameters["sky_sigma"][0], rel=0.03)
        together = np.mean(noise[:, :, 1:] * noise[:, :, :-1]) / np.mean(noise**2)
        assert (together > 0.4) == neighbours_agree
