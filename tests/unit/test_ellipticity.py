from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gateway import errors
from gateway.images.ellipse import fit_ellipse, inclination_deg
from tests.support.pictures import disc


@given(st.floats(0, 90), st.floats(0, 0.9))
def test_the_formula_inverts_the_projection_of_an_oblate_spheroid(inclination: float, r: float) -> None:
    # closed form: an oblate spheroid of thickness r at inclination i appears with q^2 = cos^2 i + r^2 sin^2 i
    q = math.hypot(math.cos(math.radians(inclination)), r * math.sin(math.radians(inclination)))
    assert inclination_deg(min(q, 1.0), r) == pytest.approx(inclination, abs=1e-3)


def test_the_ends_of_the_formula() -> None:
    assert inclination_deg(1.0) == 0.0
    assert inclination_deg(0.3) == 90.0
    assert inclination_deg(0.1) == 90.0


@pytest.mark.parametrize(
    ("q", "r"), [(-0.1, 0.3), (1.1, 0.3), (math.nan, 0.3), (0.5, 1.0), (0.5, -0.1), (0.5, math.nan)]
)
def test_values_out_of_range_are_refused(q: float, r: float) -> None:
    with pytest.raises(errors.BadTarget):
        inclination_deg(q, r)


@pytest.mark.parametrize("axis_ratio", [0.3, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("angle", [0.0, 30.0, 120.0])
def test_the_isophote_of_an_exponential_disc_has_the_disc_s_axis_ratio(axis_ratio: float, angle: float) -> None:
    ellipse = fit_ellipse(disc(160, axis_ratio, angle))
    assert ellipse is not None
    assert ellipse.axis_ratio == pytest.approx(axis_ratio, abs=0.04)
    assert (ellipse.x, ellipse.y) == pytest.approx((0.5, 0.5), abs=0.01)
    if axis_ratio < 1:
        assert (ellipse.angle_deg - angle + 90) % 180 - 90 == pytest.approx(0, abs=3)


def test_a_bright_bulge_does_not_round_the_ellipse_of_a_faint_disc() -> None:
    picture = disc(160, 0.35).astype(int)
    y, x = np.mgrid[:160, :160]
    picture += (200 * np.exp(-((x - 79.5) ** 2 + (y - 79.5) ** 2) / 50))[..., None].astype(int)
    ellipse = fit_ellipse(np.clip(picture, 0, 255).astype(np.uint8))
    assert ellipse is not None
    assert ellipse.axis_ratio == pytest.approx(0.35, abs=0.05)


def test_a_negative_is_measured_like_its_positive() -> None:
    picture = disc(128, 0.4)
    positive, negative = fit_ellipse(picture), fit_ellipse(255 - picture)
    assert positive is not None
    assert negative is not None
    assert negative.axis_ratio == pytest.approx(positive.axis_ratio, abs=0.02)


def test_a_large_picture_is_measured_like_a_small_one() -> None:
    large = np.asarray(Image.fromarray(disc(160, 0.5)).resize((640, 640), Image.Resampling.BICUBIC))
    small, reduced = fit_ellipse(disc(160, 0.5)), fit_ellipse(large)
    assert small is not None
    assert reduced is not None
    assert reduced.axis_ratio == pytest.approx(small.axis_ratio, abs=0.03)
    assert reduced.semi_major == pytest.approx(small.semi_major, rel=0.1)


def test_a_star_beside_the_galaxy_is_not_measured() -> None:
    picture = disc(160, 0.5)
    picture[10:22, 120:132] = 255
    ellipse = fit_ellipse(picture)
    assert ellipse is not None
    assert (ellipse.x, ellipse.y) == pytest.approx((0.5, 0.5), abs=0.02)


def test_an_empty_sky_has_no_ellipse() -> None:
    sky = np.random.default_rng(0).normal(20, 2, (128, 128, 1)).repeat(3, axis=2).astype(np.uint8)
    assert fit_ellipse(sky) is None


@pytest.mark.parametrize("side", [96, 97, 300])
def test_a_picture_that_is_galaxy_almost_to_its_edges_is_fitted(side: int) -> None:
    # more pixels than this can't be above the threshold: the room set aside for them is enough
    picture = np.full((side, side, 3), 255, np.uint8)
    picture[: side // 8, : side // 3] = 0
    picture[side // 3 :: 7, ::5] = 200
    fit_ellipse(picture)
    picture = np.random.default_rng(2).choice([0, 255], (side, side)).astype(np.uint8)[..., None].repeat(3, axis=2)
    fit_ellipse(picture)
