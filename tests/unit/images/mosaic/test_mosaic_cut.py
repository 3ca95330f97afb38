"""A galaxy that is cut by its position is the one on the sky, whatever images it lies in."""

from __future__ import annotations

import gzip
import io
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from astropy.io import fits

from gateway.core import errors
from gateway.core.field_of_view import side_pixels
from gateway.images.ellipse import fit_ellipse
from gateway.images.mosaic.cut import cut
from tests.support.imaging import PIXEL_ARCSEC, SkyDisc, ideal, plane, tile, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gateway.core.field_of_view import SkyField

DISC = SkyDisc(339.267, 34.4156)
SHAPE = (500, 600)
AROUND = (DISC.ra_deg + 0.01, DISC.dec_deg - 0.008)
QUIET = 0.02


@cache
def files(bands: str = "gri", *, place: tuple[float, float] = AROUND, **how: Any) -> tuple[bytes, ...]:
    """Tiles of each band around a place, nearly without noise."""
    kept = {key: how.pop(key) for key in ("compressed",) if key in how}
    wcs = plane(*place, SHAPE, **how)
    return tuple(
        written(tile([DISC], wcs, SHAPE, band=band, seed=seed, noise=QUIET, **kept)) for seed, band in enumerate(bands)
    )


def difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Mean difference of two pictures, counts."""
    return float(np.abs(one.astype(int) - other).mean())


def assert_shows(sources: Sequence[bytes], field: SkyField, bands: str = "irg") -> None:
    """The picture is the one of the sky: to two counts, a hundredth in axis ratio and a degree in angle."""
    picture, _ = cut(sources, field)
    expected = ideal([DISC], field, len(picture.rgb), bands=bands, noise=QUIET)
    assert difference(picture.rgb, expected) < 2
    found, true = fit_ellipse(picture.rgb), fit_ellipse(expected)
    assert found is not None
    assert true is not None
    assert found.axis_ratio == pytest.approx(true.axis_ratio, abs=0.01)
    assert (found.angle_deg - true.angle_deg + 90) % 180 - 90 == pytest.approx(0, abs=1)
    assert (found.x, found.y) == pytest.approx((0.5, 0.5), abs=0.005)


TILES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "turned": {"turn_deg": 33.0},
    "mirrored": {"mirrored": True},
    "mirrored and turned": {"mirrored": True, "turn_deg": 250.0},
    "another projection": {"projection": "SIN", "turn_deg": 100.0},
    "equal areas": {"projection": "ZEA"},
    "finer pixels": {"pixel_arcsec": 0.22, "place": (DISC.ra_deg, DISC.dec_deg)},
    "tile-compressed": {"compressed": True, "turn_deg": 20.0},
}


@pytest.mark.parametrize("turned", [False, True], ids=["north up", "major axis along the rows"])
@pytest.mark.parametrize("kind", TILES)
def test_whatever_the_projection_a_galaxy_looks_as_it_does_on_the_sky(kind: str, *, turned: bool) -> None:
    assert_shows(files(**TILES[kind]), DISC.field(turned=turned))


def test_what_was_used_is_told() -> None:
    picture, used = cut(files(), DISC.field(turned=True))
    assert used.field == DISC.field(turned=True)
    assert used.bands == ("i", "r", "g")
    assert used.pixel_arcsec == pytest.approx(PIXEL_ARCSEC, rel=1e-3)
    assert used.rgb is picture.rgb
    assert (picture.format, picture.stretch) == ("FITS", "asinh")
    assert picture.rgb.shape[0] == picture.width == side_pixels(1.2, used.pixel_arcsec) == pytest.approx(180, abs=1)
    assert picture.part == "i, r, g as red, green, blue"
    assert picture.warnings == ()


@pytest.mark.parametrize("turn_deg", [0.0, 57.0])
@pytest.mark.parametrize("turned", [False, True])
def test_a_galaxy_on_the_border_of_tiles_is_laid_together_from_them(turn_deg: float, *, turned: bool) -> None:
    half = (SHAPE[1] / 2 * PIXEL_ARCSEC / 3600 - 0.001) / np.cos(np.radians(DISC.dec_deg))
    west, east = (DISC.ra_deg - half, DISC.dec_deg), (DISC.ra_deg + half, DISC.dec_deg + 0.004)
    halves = [*files(place=west, compressed=True), *files(place=east)]
    # the border runs through the galaxy: neither side shows it all
    assert cut(files(place=west), DISC.field())[0].outside is not None
    assert_shows(halves, DISC.field(turned=turned))
    # a turned tile that reaches over the border does no harm
    assert_shows([*halves, *files(place=west, turn_deg=turn_deg + 1)], DISC.field(turned=turned))


def raised(data: bytes, level: float) -> bytes:
    """A tile whose sky was not subtracted."""
    with fits.open(io.BytesIO(data)) as hdus:
        hdus[0].data += np.float32(level)
        return written(hdus)


@pytest.mark.parametrize("turned", [False, True])
def test_a_sky_that_was_not_subtracted_is_neither_a_step_nor_a_colour(*, turned: bool) -> None:
    half = (SHAPE[1] / 2 * PIXEL_ARCSEC / 3600 - 0.001) / np.cos(np.radians(DISC.dec_deg))
    west, east = (files(place=(DISC.ra_deg + side * half, DISC.dec_deg)) for side in (-1, 1))
    field = DISC.field(turned=turned)
    expected, _ = cut([*west, *east], field)
    for levels in ((1000, 1000, 1000), (1000, 30, 0)):
        picture, _ = cut([*west, *(raised(data, level) for data, level in zip(east, levels, strict=True))], field)
        assert difference(picture.rgb, expected.rgb) < 0.1
    bands, _ = cut([raised(data, level) for data, level in zip(files(), (1000, 30, 0), strict=True)], field)
    assert difference(bands.rgb, cut(files(), field)[0].rgb) < 0.1


def test_what_no_image_shows_becomes_sky_and_is_told() -> None:
    east = (DISC.ra_deg + (SHAPE[1] / 2 - 40) * PIXEL_ARCSEC / 3600 / np.cos(np.radians(DISC.dec_deg)), DISC.dec_deg)
    picture, _ = cut(files(place=east), DISC.field())
    assert picture.outside is not None
    share = float(picture.outside.mean())
    assert 0.2 < share < 0.4
    assert any("% of the field has no data" in said for said in picture.warnings)
    beyond = picture.rgb[picture.outside]
    assert (beyond == beyond[0]).all()
    border = picture.rgb[0][~picture.outside[0]]
    assert beyond[0] == pytest.approx(np.median(border, axis=0), abs=12)


@pytest.mark.parametrize(
    ("bands", "shown"), [("grz", "zrg"), ("gr", "rg"), ("r", "r"), ("ugriz", "irg"), ("izg", "zig")]
)
def test_bands_become_colours_in_the_order_that_the_networks_learned(bands: str, shown: str) -> None:
    picture, used = cut(files(bands), DISC.field())
    assert "".join(used.bands) == shown
    red, green, blue = (picture.rgb[..., plane].astype(int) for plane in range(3))
    if len(bands) == 1:
        assert (red == green).all()
        assert (red == blue).all()
    else:
        assert red.mean() > green.mean() > blue.mean()


def test_a_cube_with_its_bands_is_the_same_picture_as_a_file_for_each() -> None:
    single = [fits.HDUList.fromstring(data) for data in files("gri")]
    header = single[0][0].header.copy()
    del header["FILTER"]
    cube = fits.PrimaryHDU(np.stack([one[0].data for one in single]), header)
    expected = cut(files("gri"), DISC.field())[0].rgb
    named = cut([written(fits.HDUList([cube]))], DISC.field(), bands=["g", "r", "i"])
    assert np.array_equal(named[0].rgb, expected)
    cube.header["BANDS"] = "gri"
    extensions = fits.HDUList([fits.PrimaryHDU(), *(fits.ImageHDU(one[0].data, one[0].header) for one in single)])
    for whole in (fits.HDUList([cube]), extensions):
        assert np.array_equal(cut([written(whole)], DISC.field())[0].rgb, expected)


def test_a_packed_file_is_read_as_well() -> None:
    packed = [gzip.compress(data, 1) for data in files()]
    assert np.array_equal(cut(packed, DISC.field())[0].rgb, cut(files(), DISC.field())[0].rgb)


def test_pixels_of_two_sizes_keep_the_colours() -> None:
    fine = plane(DISC.ra_deg, DISC.dec_deg, SHAPE, pixel_arcsec=PIXEL_ARCSEC / 2)
    # a survey's counts are those of a pixel: a quarter in a quarter of the area
    red = tile([DISC], fine, SHAPE, band="i", noise=QUIET)
    red[0].data /= 4
    assert_shows([*files("gr"), written(red)], DISC.field())
    bright = tile([DISC], fine, SHAPE, band="i", noise=QUIET, BUNIT="MJy/sr")
    others = [tile([DISC], plane(*AROUND, SHAPE), SHAPE, band=band, noise=QUIET, BUNIT="MJy/sr") for band in "gr"]
    assert_shows([written(one) for one in (bright, *others)], DISC.field())


def with_beside(name: str, beside: NDArray[Any], **header: Any) -> bytes:
    """A tile with a hole of nonsense in its image, and an extension beside it."""
    hdus = tile([DISC], plane(*AROUND, SHAPE), SHAPE, noise=QUIET)
    hdus[0].data[HOLE] = 9999
    unit = fits.ImageHDU(beside, name=name)
    unit.header.update(header)
    return written(fits.HDUList([*hdus, unit]))


HOLE = (slice(200, 209), slice(330, 339))
MASK = np.zeros(SHAPE, np.int32)
MASK[HOLE] = 1 << 3
EVERYWHERE = MASK | (1 << 5)
WEIGHT = np.where(MASK > 0, 0, 2.5).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "beside", "header"),
    [
        ("DQ", MASK, {}),
        ("MASK", EVERYWHERE, {"MP_BAD": 0, "MP_CR": 3, "HIERARCH MP_DETECTED": 5}),
        ("WHT", WEIGHT, {}),
        ("IVAR", WEIGHT, {}),
    ],
)
def test_masked_pixels_and_those_without_weight_are_not_seen(name: str, beside: NDArray[Any], header: Any) -> None:
    picture, _ = cut([with_beside(name, beside, **header)], DISC.field())
    clean, _ = cut(files("r"), DISC.field())
    assert difference(picture.rgb, clean.rgb) < 1
    assert np.abs(picture.rgb.astype(int) - clean.rgb).max() < 60


def test_a_saturated_core_without_values_stays_bright() -> None:
    hdus = tile([DISC], plane(*AROUND, SHAPE), SHAPE, noise=QUIET)
    y, x = np.unravel_index(int(hdus[0].data.argmax()), SHAPE)
    hdus[0].data[y - 3 : y + 4, x - 3 : x + 4] = np.nan
    picture, _ = cut([written(hdus)], DISC.field())
    middle = len(picture.rgb) // 2
    assert picture.rgb[middle - 2 : middle + 3, middle - 2 : middle + 3].min() > 220


def test_weights_decide_between_tiles_of_unequal_depth() -> None:
    wcs = plane(*AROUND, SHAPE)
    pairs = []
    for seed, (depth, wcs_of) in enumerate(((100.0, wcs), (1.0, plane(AROUND[0] + 1e-3, AROUND[1], SHAPE)))):
        hdus = tile([DISC], wcs_of, SHAPE, seed=seed, noise=0.1 if depth > 1 else 30)
        pairs.append(written(fits.HDUList([*hdus, fits.ImageHDU(np.full(SHAPE, depth, np.float32), name="WHT")])))
    deep, _ = cut(pairs[:1], DISC.field())
    both, _ = cut(pairs, DISC.field())
    alone, _ = cut(pairs[1:], DISC.field())
    assert difference(both.rgb, deep.rgb) < difference(alone.rgb, deep.rgb) / 2


def problem(sources: Sequence[bytes], field: SkyField | None = None, bands: Sequence[str] = ()) -> errors.GatewayError:
    with pytest.raises(errors.GatewayError) as raised:
        cut(sources, field or DISC.field(), bands=bands, max_pixels=1_000_000)
    assert raised.value.detail.endswith(".")
    assert 400 <= raised.value.status < 500
    return raised.value


def headed(**header: Any) -> bytes:
    """A tile whose header was changed; None takes a keyword away."""
    hdus = tile([DISC], plane(*AROUND, SHAPE), SHAPE)
    for key, value in header.items():
        if value is None:
            del hdus[0].header[key]
        else:
            hdus[0].header[key] = value
    return written(hdus)


NO_WCS = {key: None for key in plane(*AROUND, SHAPE).to_header() if not key.startswith(("DATE", "MJD", "LAT", "LON"))}


@pytest.mark.parametrize(
    ("sources", "slug", "said"),
    [
        ([headed(**NO_WCS)], "no-wcs", "no WCS"),
        ([headed(CTYPE1="WAVE", CTYPE2="OFFSET", CUNIT1="m", CUNIT2="m")], "wcs-not-celestial", "WAVE, OFFSET"),
        ([headed(CDELT1=0.0)], "wcs-unusable", "ingular"),
        ([headed(PC1_1=1.0, PC1_2=1.0, PC2_1=1.0, PC2_2=1.0)], "wcs-unusable", "can't be used"),
        ([headed(CTYPE2="DEC--SIN")], "wcs-unusable", "nconsistent"),
        ([headed(CRVAL2=123.0)], "wcs-unusable", "can't be used"),
        # astropy would loop over the square of the order
        ([headed(CTYPE1="RA---TAN-SIP", CTYPE2="DEC--TAN-SIP", A_ORDER=20000, B_ORDER=2)], "wcs-unusable", "A_ORDER"),
        ([headed(WCSAXES=99999999)], "wcs-unusable", "WCSAXES"),
        (files("r", place=(10.0, -50.0)), "outside-images", "None of the images"),
        (files("r", place=(DISC.ra_deg + 180, -DISC.dec_deg)), "outside-images", "None of the images"),
        ([*files("gr"), *files("i", place=(DISC.ra_deg, DISC.dec_deg + 0.2))], "bands-apart", "those of i don't"),
        ([*files("gr"), *files("g")], "bands-duplicate", "twice in g, in file 1 of 3 and file 3 of 3"),
        ([headed(FILTER="r"), headed(FILTER="SDSS r")], "bands-duplicate", "several names"),
        ([headed(FILTER=None), headed(FILTER="g")], "bands-unknown", "name them"),
        ([headed(BUNIT="nanomaggy"), headed(BUNIT="nJy", FILTER="g")], "units-differ", "nanomaggy, njy"),
        ([b"\x89PNG\r\n\x1a\n" + bytes(64)], "unsupported-image", "no FITS"),
        ([b""], "bad-image", "empty"),
        ([files("r")[0][:100_000]], "bad-image", "truncated"),
        ([written(fits.HDUList([fits.PrimaryHDU()]))], "bad-image", "no image"),
    ],
)
def test_images_that_can_t_be_used_are_told_why(sources: list[bytes], slug: str, said: str) -> None:
    found = problem(sources)
    assert found.slug == slug
    assert said in found.detail


@pytest.mark.parametrize(
    ("bands", "slug"),
    [(["g", "r"], "bands-unknown"), (["g", "r", "seven"], "bands-unknown"), (["g", "g", "r"], "bands-duplicate")],
)
def test_bands_that_do_not_fit_the_files_are_told(bands: list[str], slug: str) -> None:
    assert problem(files(), bands=bands).slug == slug


def test_a_field_that_is_too_large_or_too_small_for_the_images_is_refused() -> None:
    wide = plane(*AROUND, (2000, 2000))
    large = written(fits.HDUList([fits.PrimaryHDU(np.zeros((2000, 2000), np.uint8), wide.to_header())]))
    assert problem([large], DISC.field(fov_arcmin=13)).slug == "image-too-large"
    assert problem(files("r"), DISC.field(fov_arcmin=0.05)).slug == "bad-target"
    assert problem(files("r"), DISC.field(fov_arcmin=30)).slug == "outside-images"
