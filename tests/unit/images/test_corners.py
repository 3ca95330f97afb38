from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from gateway.images.corners import empty, filled
from gateway.images.decode import Picture, decode, make_picture
from gateway.images.ellipse import fit_ellipse, inclination_deg
from gateway.images.model_input import model_input
from tests.support.galaxies import SHARED, needs_galaxies
from tests.support.pictures import disc, encoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gateway.core.models import Ellipse

    Pixels = NDArray[np.uint8]
    Mask = NDArray[np.bool_]


SIDE = 160
WHITE, BLACK, GRAY = (255, 255, 255), (0, 0, 0), (128, 128, 128)
COLOURS = {"white": WHITE, "black": BLACK, "gray": GRAY, "page": (250, 247, 240)}


def sky(side: int = SIDE) -> Pixels:
    """Draw a galaxy on a sky that black corners differ from: disc's own lies at 12 counts."""
    return np.asarray(np.clip(disc(side, 0.5, 30).astype(int) + 8, 0, 255), np.uint8)


def drawn(shape: Callable[[ImageDraw.ImageDraw], None], side: int = SIDE) -> Mask:
    mask = Image.new("L", (side, side), 255)
    shape(ImageDraw.Draw(mask))
    found: Mask = np.asarray(mask) > 0
    return found


def turned_square(angle: float, side: int = SIDE) -> Mask:
    corners: Mask = np.asarray(Image.new("L", (side, side), 255).rotate(angle)) == 0
    return corners


KINDS: dict[str, Mask] = {
    "turned by 5": turned_square(5),
    "turned by 25": turned_square(25),
    "turned by 45": turned_square(45),
    "vignette": drawn(lambda on: on.ellipse((0, 0, SIDE - 1, SIDE - 1), fill=0)),
    "small vignette": drawn(lambda on: on.ellipse((25, 25, SIDE - 26, SIDE - 26), fill=0)),
    "half a mosaic": drawn(lambda on: on.rectangle((0, 0, SIDE, 110), fill=0)),
    "slanted edge": drawn(lambda on: on.polygon([(0, 0), (150, 0), (130, SIDE), (0, SIDE)], fill=0)),
    "rounded corners": drawn(lambda on: on.rounded_rectangle((0, 0, SIDE - 1, SIDE - 1), 50, fill=0)),
    "frame": drawn(lambda on: on.rectangle((15, 15, SIDE - 16, SIDE - 16), fill=0)),
    "one corner": drawn(lambda on: on.polygon([(40, 0), (SIDE, 0), (SIDE, SIDE), (0, SIDE), (0, 40)], fill=0)),
}


def picture_of(rgb: Pixels, mask: Mask | None = None) -> Picture:
    height, width = rgb.shape[:2]
    return make_picture(rgb, "PNG", width, height, outside=mask)


def seen_by_networks(rgb: Pixels, mask: Mask | None = None) -> Pixels:
    return model_input(picture_of(rgb, mask).rgb)


def fitted(rgb: Pixels, mask: Mask | None = None) -> Ellipse | None:
    picture = picture_of(rgb, mask)
    return fit_ellipse(picture.rgb, picture.outside)


@pytest.mark.parametrize("colour", COLOURS.values(), ids=COLOURS.keys())
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("quality", [None, 90])
def test_empty_parts_are_found_and_little_else(kind: Mask, colour: tuple[int, int, int], quality: int | None) -> None:
    picture = np.where(kind[..., None], np.array(colour, np.uint8), sky())
    found = decode(encoded(picture, "JPEG", quality=quality)).outside if quality else empty(picture)
    assert found is not None
    assert (found & kind).sum() > 0.9 * kind.sum()
    edge = sum(abs(np.diff(kind.astype(int), axis=axis)).sum() for axis in (0, 1))
    assert (found & ~kind).sum() <= 6 * edge


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_an_ellipse_does_not_see_what_is_empty(kind: Mask) -> None:
    whole = fit_ellipse(sky())
    assert whole is not None
    for colour in (WHITE, BLACK, GRAY):
        ellipse = fitted(np.where(kind[..., None], np.array(colour, np.uint8), sky()))
        assert ellipse is not None
        assert ellipse.axis_ratio == pytest.approx(whole.axis_ratio, abs=0.03)
        assert (ellipse.x, ellipse.y) == pytest.approx((whole.x, whole.y), abs=0.01)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_the_networks_see_sky_where_a_picture_is_empty(kind: Mask) -> None:
    whole = model_input(sky()).astype(int)
    reduced = np.asarray(Image.fromarray(kind).resize((128, 128)))
    for colour in (WHITE, BLACK, GRAY):
        seen = seen_by_networks(np.where(kind[..., None], np.array(colour, np.uint8), sky())).astype(int)
        assert np.abs(seen - whole)[reduced].mean() < 3
        assert np.abs(seen - whole)[32:96, 32:96].mean() < 0.5


@given(
    st.floats(3, 87),
    st.sampled_from([*COLOURS.values()]),
    st.integers(64, 700),
    st.floats(0.3, 1.0),
)
@settings(max_examples=40, deadline=None)
def test_a_turned_picture_of_any_size_has_four_empty_corners(
    angle: float, colour: tuple[int, int, int], side: int, axis_ratio: float
) -> None:
    picture = np.clip(disc(side, axis_ratio).astype(int) + 8, 0, 255).astype(np.uint8)
    turned = np.asarray(Image.fromarray(picture).rotate(angle, Image.Resampling.BICUBIC, fillcolor=colour))
    found, corners = empty(turned), turned_square(angle, side)
    assert found is not None
    assert (found & corners).sum() > 0.9 * corners.sum()
    assert not found[side // 3 : side - side // 3, side // 3 : side - side // 3].any()


def clipped(picture: Pixels, by: int) -> Pixels:
    return np.asarray(np.clip(picture.astype(int) - by, 0, 255), np.uint8)


ORDINARY: dict[str, Pixels] = {
    "disc": disc(SIDE),
    "disc without noise": clipped(disc(SIDE), 0) // 16 * 16,
    "sky clipped to black": clipped(disc(SIDE), 18),
    "sky half clipped": clipped(disc(SIDE), 12),
    "small and sharp on black": clipped(disc(SIDE, 0.3), 60),
    "negative": 255 - disc(SIDE),
    "negative on clipped white": 255 - clipped(disc(SIDE), 18),
    "after JPEG": decode(encoded(clipped(disc(SIDE), 10), "JPEG", quality=60)).rgb,
    "even disc on even ground": np.where(
        drawn(lambda on: on.ellipse((40, 60, 120, 100), fill=0))[..., None], np.uint8(10), np.uint8(190)
    ).repeat(3, axis=2),
    "noise": np.random.default_rng(4).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8),
    "bright star at the edge": np.where(
        drawn(lambda on: on.ellipse((-20, 40, 15, 75), fill=0))[..., None], disc(SIDE), np.uint8(255)
    ),
}


@pytest.mark.parametrize(
    "name", ["disc", "sky clipped to black", "sky half clipped", "after JPEG", "noise", "negative"]
)
def test_an_ordinary_picture_has_no_empty_part_and_its_model_input_is_the_plain_one(name: str) -> None:
    picture = ORDINARY[name]
    assert empty(picture) is None
    plain = Image.fromarray(picture).resize((128, 128), Image.Resampling.BILINEAR, box=(0, 0, SIDE, SIDE))
    assert np.array_equal(seen_by_networks(picture), np.asarray(plain))


@pytest.mark.parametrize("picture", ORDINARY.values(), ids=ORDINARY.keys())
def test_the_galaxy_of_an_ordinary_picture_is_never_taken_for_an_empty_part(picture: Pixels) -> None:
    found = empty(picture)
    assert found is None or not found[60:100, 40:120].any()


def test_what_the_file_calls_transparent_is_as_empty_as_a_corner() -> None:
    mask = turned_square(30)
    picture = np.where(mask[..., None], np.array([200, 30, 30], np.uint8), sky())
    ellipse, whole = fitted(picture, mask), fit_ellipse(sky())
    assert ellipse is not None
    assert whole is not None
    assert ellipse.axis_ratio == pytest.approx(whole.axis_ratio, abs=0.03)
    assert np.abs(seen_by_networks(picture, mask).astype(int) - model_input(sky())).mean() < 2


def test_a_mask_of_everything_or_of_nothing_changes_nothing() -> None:
    picture = sky()
    for mask in (np.zeros((SIDE, SIDE), bool), np.ones((SIDE, SIDE), bool)):
        assert empty(picture, mask) is None
        assert np.array_equal(seen_by_networks(picture, mask), model_input(picture))
        assert fitted(picture, mask) == fit_ellipse(picture)


def test_the_corners_of_a_picture_that_is_not_square_do_not_colour_its_padding() -> None:
    wide = disc(128, 1.0, width=256)
    turned = np.asarray(Image.fromarray(wide).rotate(12, Image.Resampling.BICUBIC, fillcolor=WHITE))
    seen = seen_by_networks(turned)
    padding = np.concatenate([seen[:26], seen[-26:]])
    assert padding.max() < 30


@pytest.mark.parametrize("shape", [(16, 16), (16, 3000), (3000, 16), (17, 129), (700, 130)])
def test_any_shape_is_looked_at(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(5).normal(20, 3, (*shape, 3)).astype(np.uint8)
    assert empty(picture) is None
    assert fit_ellipse(picture) is None
    picture[: shape[0] // 2] = 255
    found = empty(picture)
    assert found is None or found[0].all()
    assert filled(picture, np.arange(picture[..., 0].size).reshape(shape) % 7 == 0).shape == picture.shape


@needs_galaxies
def test_the_first_example_of_the_original_is_measured_as_people_measured_it() -> None:
    # PGC 44182, turned on white: 61 deg by people's average
    for file in ("giz512/pgc44182_gri.jpg", "giz512/pgc44182_r.png"):
        picture = decode((SHARED / file).read_bytes())
        ellipse = fit_ellipse(picture.rgb, picture.outside)
        assert ellipse is not None
        assert inclination_deg(ellipse.axis_ratio) == pytest.approx(61, abs=5)


@needs_galaxies
def test_no_picture_of_efigi_gets_another_model_input_for_its_dark_sky() -> None:
    files = sorted((SHARED / "efigi").glob("*.jpg"))[::5]
    assert len(files) > 800
    assert [file.name for file in files if decode(file.read_bytes()).outside is not None] == []


def of_measured(light: NDArray[np.float64], off: NDArray[np.bool_] | None = None) -> Picture:
    """A FITS image of light on a sky with a little noise; what is ``off`` the survey has one value."""
    pixels = light + np.random.default_rng(7).normal(0, 0.5, light.shape)
    if off is not None:
        pixels[off] = 800
    file = io.BytesIO()
    fits.PrimaryHDU(pixels.astype(np.float32)).writeto(file)
    return decode(file.getvalue())


def test_measured_sky_that_the_stretch_makes_black_is_no_empty_corner() -> None:
    y, x = np.mgrid[:200, :200] - 99.5
    halo = (20 + 80 * np.exp(-np.hypot(x, y) / 60)) * (np.abs(x) + np.abs(y) < 110)
    disc_light = 3000 * np.exp(-np.hypot(x, 2 * y) / 15)
    assert of_measured(disc_light + halo).outside is None
    half = y < -60
    found = of_measured(disc_light + 50, half).outside
    assert found is not None
    assert (found == half[::-1]).mean() > 0.95
