from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core import errors
from gateway.core.models import AUTO, WHOLE, Framing
from gateway.images.decode import decode, make_picture
from gateway.images.frame import FEWEST_PIXELS, Framed, Square, cut, framed
from tests.support.galaxies import SHARED, needs_galaxies, picture_of, shared_pictures
from tests.support.pictures import disc
from tests.support.starfields import StarField, starfield, stars_alone


def field(seed: int, *, wider: float = 4.0, negative: bool = False, **how: object) -> StarField:
    rng = np.random.default_rng(seed)
    stamp = disc(96, float(rng.uniform(0.2, 0.9)), float(rng.uniform(0, 180)))
    made = starfield(stamp, rng, wider=wider, **how)  # type: ignore[arg-type]  # its own arguments
    return made.negative() if negative else made


def away(one: Framed, truth: StarField) -> float:
    """How far a frame's centre is from the galaxy's, in sides of its picture."""
    assert one.square is not None
    return math.hypot(one.square.x - truth.x, one.square.y - truth.y) / truth.side


@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize("wider", [3.0, 4.5, 6.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_small_galaxy_among_stars_is_framed_wherever_it_is(seed: int, wider: float, negative: bool) -> None:  # noqa: FBT001 - a case
    truth = field(seed, wider=wider, negative=negative)
    one = framed(truth.rgb, AUTO)
    assert away(one, truth) < 0.1
    assert one.square is not None
    assert 0.6 < one.square.side / truth.side < 1.4
    assert one.rgb.shape == (round(one.square.side), round(one.square.side), 3)
    assert one.warnings
    assert one.ellipse is not None
    # the ellipse is told of the whole picture, whatever was cut from it
    height, width = truth.rgb.shape[:2]
    assert (one.ellipse.x * width, one.ellipse.y * height) == pytest.approx((truth.x, truth.y), abs=0.1 * truth.side)


@pytest.mark.parametrize("place", [(0.12, 0.12), (0.88, 0.5), (0.5, 0.9)])
def test_a_galaxy_in_a_corner_gets_a_frame_that_may_run_over_the_edge(place: tuple[float, float]) -> None:
    truth = field(3, wider=4.5, place=place)
    one = framed(truth.rgb, AUTO)
    assert away(one, truth) < 0.1
    assert one.rgb.shape[0] == one.rgb.shape[1]


@pytest.mark.parametrize("place", [(0.32, 0.5), (0.6, 0.3)])
def test_a_galaxy_off_centre_is_framed_though_it_is_large(place: tuple[float, float]) -> None:
    truth = field(3, wider=1.7, stars=0.1, place=place)
    assert away(framed(truth.rgb, AUTO), truth) < 0.1


@needs_galaxies
@pytest.mark.parametrize("pgc", [5220, 47469])
def test_a_thin_blue_disc_seen_edge_on_is_found(pgc: int) -> None:
    stamp = decode((SHARED / "efigi" / f"PGC{pgc:07d}.jpg").read_bytes()).rgb
    for seed in range(4):
        truth = starfield(stamp, np.random.default_rng(seed), wider=5.0)
        assert away(framed(truth.rgb, AUTO), truth) < 0.1


def test_a_bright_star_with_a_wide_halo_is_not_taken_for_the_galaxy_beside_it() -> None:
    # about the square root of light, as pictures show it: a galaxy is wide, and stars are not
    stamp = (255 * (disc(96, 0.3) / 255) ** 0.45).astype(np.uint8)
    truth = starfield(stamp, np.random.default_rng(1), wider=5, stars=0.1, place=(0.35, 0.5))
    down, right = np.mgrid[: truth.rgb.shape[0], : truth.rgb.shape[1]]
    away_from_star = np.hypot(right - truth.x - 80, down - truth.y - 10)
    halo = 300 * np.exp(-((away_from_star / 4) ** 2)) + 50 * np.exp(-away_from_star / 16)
    rgb = np.clip(truth.rgb + halo[..., None], 0, 255).astype(np.uint8)
    assert away(framed(rgb, AUTO), truth) < 0.1


@needs_galaxies
@pytest.mark.parametrize("pgc", [22921, 22802, 57093])
def test_a_smaller_galaxy_or_star_close_by_is_not_taken_for_the_galaxy(pgc: int) -> None:
    stamp = decode((SHARED / "efigi" / f"PGC{pgc:07d}.jpg").read_bytes()).rgb
    for seed in range(4):
        truth = starfield(stamp, np.random.default_rng(seed), wider=4.0)
        assert away(framed(truth.rgb, AUTO), truth) < 0.1


@pytest.mark.parametrize("axis_ratio", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("side", [88, 128, 300, 512])
def test_a_well_framed_galaxy_is_left_whole(side: int, axis_ratio: float) -> None:
    picture = disc(side, axis_ratio)
    for rgb in (picture, 255 - picture):
        one = framed(rgb, AUTO)
        assert one.square is None
        assert one.rgb is rgb
        assert one.warnings == ()


@pytest.mark.parametrize("seed", range(4))
def test_a_field_of_stars_is_left_whole_and_said_to_show_no_galaxy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one = framed(stars_alone(rng, side=400, stars=float(rng.choice([0.3, 1.0, 2.0])), far=False), AUTO)
    assert one.square is None
    assert any("No galaxy" in said for said in one.warnings)


def test_a_white_border_is_no_galaxy() -> None:
    truth = field(1, place=(0.55, 0.6))
    rgb = truth.rgb.copy()
    rgb[:10], rgb[-10:], rgb[:, :10], rgb[:, -10:] = 255, 255, 255, 255
    picture = make_picture(rgb, "PNG", rgb.shape[1], rgb.shape[0])
    assert away(framed(picture.rgb, AUTO, outside=picture.outside), truth) < 0.1


def test_a_satellites_trail_is_no_galaxy() -> None:
    truth = field(1, place=(0.35, 0.7))
    rgb = truth.rgb.copy()
    for row in range(len(rgb)):
        rgb[row, max(0, row - 3) : row] = 255
    assert away(framed(rgb, AUTO), truth) < 0.1


def test_the_whole_is_measured_where_it_is_asked_for() -> None:
    rgb = field(2).rgb
    one = framed(rgb, WHOLE)
    assert one.square is None
    assert one.rgb is rgb


def test_a_named_place_and_side_are_taken_as_they_are_in_pixels_of_the_original() -> None:
    rgb = field(2).rgb
    one = framed(rgb, Framing(x=300.0, y=200.0, side=160.0), scale=2.0)
    assert one.square == Square(150.0, 100.0, 80.0)
    assert np.array_equal(one.rgb, rgb[60:140, 110:190])


def test_of_two_galaxies_the_named_one_is_framed() -> None:
    rng = np.random.default_rng(4)
    first = starfield(disc(96, 0.4), rng, wider=5, place=(0.3, 0.3))
    rgb = first.rgb.copy()
    rgb[300:396, 300:396] = disc(96, 0.9)
    for x, y in ((first.x, first.y), (348.0, 348.0)):
        one = framed(rgb, Framing(x=x + 6, y=y - 6))
        assert one.square is not None
        assert (one.square.x, one.square.y) == pytest.approx((x, y), abs=6)


@pytest.mark.parametrize(
    "asked",
    [
        Framing(x=-1.0, y=5.0),
        Framing(x=5.0, y=385.0),
        Framing(x=100.0, y=100.0, side=2.0),
        Framing(x=100.0, y=100.0, side=1e9),
    ],
)
def test_a_place_beside_the_picture_or_a_senseless_side_is_refused(asked: Framing) -> None:
    with pytest.raises(errors.BadTarget, match="picture"):
        framed(field(1).rgb, asked)


def test_a_named_place_where_nothing_is_seen_is_refused_rather_than_guessed_at() -> None:
    sky = np.random.default_rng(0).normal(20, 2, (300, 300, 1)).repeat(3, axis=2).astype(np.uint8)
    with pytest.raises(errors.BadTarget, match="Nothing stands out"):
        framed(sky, Framing(x=150.0, y=150.0))


def test_what_is_too_small_to_be_judged_is_said_to_be() -> None:
    rng = np.random.default_rng(2)
    rgb = starfield(disc(24, 0.5), rng, wider=5, stars=0.1).rgb
    one = framed(rgb, AUTO)
    assert one.square is None
    assert any(f"{FEWEST_PIXELS} pixels" in said for said in one.warnings)


def test_pixels_that_show_no_sky_are_no_galaxy() -> None:
    truth = field(5, wider=4.0, place=(0.5, 0.6))
    rgb, outside = truth.rgb.copy(), np.zeros(truth.rgb.shape[:2], np.bool_)
    outside[:120, :120] = True
    rgb[outside] = 255
    one = framed(rgb, AUTO, outside=outside)
    assert away(one, truth) < 0.1


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.floats(0, 40),
    st.floats(0, 40),
    st.floats(1, 80),
)
def test_a_cut_is_square_and_has_the_picture_where_the_picture_is(
    height: int, width: int, x: float, y: float, side: float
) -> None:
    rgb = np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3)
    x, y = min(x, width - 0.5), min(y, height - 0.5)
    part = cut(rgb, Square(x, y, side))
    size = round(side)
    assert part.shape == (size, size, 3)
    left, top = round(x - size / 2), round(y - size / 2)
    row, column = int(y), int(x)
    if 0 <= row - top < size and 0 <= column - left < size:
        assert np.array_equal(part[row - top, column - left], rgb[row, column])


SIDES = st.integers(16, 200)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), SIDES, SIDES, st.sampled_from(["noise", "flat", "steps"]))
def test_any_picture_is_framed_or_left_whole(seed: int, height: int, width: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    if kind == "noise":
        rgb = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    elif kind == "flat":
        rgb = np.full((height, width, 3), int(rng.integers(0, 256)), np.uint8)
    else:
        rgb = rng.choice([0, 255], (height // 8 + 1, width // 8 + 1, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
    one = framed(rgb, AUTO)
    assert (one.square is None) == (one.rgb is rgb)


@needs_galaxies
def test_the_shared_galaxies_are_well_framed_and_left_whole() -> None:
    pictures = shared_pictures(150)
    left = sum(framed(rgb, AUTO).square is None for rgb in pictures)
    assert left >= len(pictures) - 1


@needs_galaxies
def test_shared_galaxies_are_found_in_fields() -> None:
    rng = np.random.default_rng(1)
    distances = []
    for number in range(20):
        truth = starfield(picture_of(number), rng, wider=float(rng.uniform(3.5, 6)))
        one = framed(truth.rgb, AUTO)
        distances.append(away(one, truth) if one.square is not None else 1.0)
    assert np.median(distances) < 0.05
    assert np.quantile(distances, 0.9) < 0.15
    assert SHARED.is_dir()
