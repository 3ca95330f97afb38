"""FITS files as observatories, surveys and amateurs write them."""

from __future__ import annotations

import bz2
import gzip
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from astropy.io import fits

from gateway.core import errors
from gateway.images.bands import red_green_blue
from gateway.images.decode import decode

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 64


def measured(side: int = SIDE, *, amplitude: float = 3000, sky: float = 1000, noise: float = 20) -> NDArray[np.float32]:
    """A linear image of a disc, brighter towards the middle; a star stands in its first row's left corner."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    light = amplitude * np.exp(-np.hypot(x, 2 * y) / (side / 10))
    light += np.random.default_rng(1).normal(sky, noise, (side, side))
    light[2:5, 2:5] += amplitude / 3
    samples: NDArray[np.float32] = light.astype(np.float32)
    return samples


SCIENCE = measured()
YY, XX = np.mgrid[:SIDE, :SIDE]
MASK = ((XX // 8 + YY // 8) % 2).astype(np.int16)
WEIGHT = (1 + np.random.default_rng(2).random((SIDE, SIDE)) + (XX > SIDE / 2) * 3).astype(np.float32)


def file(*units: Any) -> bytes:
    out = io.BytesIO()
    fits.HDUList(list(units)).writeto(out, output_verify="ignore")
    return out.getvalue()


def image(samples: NDArray[Any], name: str | None = None, **header: Any) -> Any:
    unit = fits.ImageHDU(samples, name=name)
    unit.header.update({key.replace("_", "-"): value for key, value in header.items()})
    return unit


def primary(samples: NDArray[Any] | None = None, **header: Any) -> Any:
    unit = fits.PrimaryHDU(samples)
    unit.header.update(header)
    return unit


SOFTENED = {"BOFFSET": 3.0, "BSOFTEN": 60.0, "EXPTIME": 43.0}


def softened(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """The light of a second as Pan-STARRS writes it."""
    asinh = np.arcsinh((light.astype(float) * SOFTENED["EXPTIME"] - SOFTENED["BOFFSET"]) / (2 * SOFTENED["BSOFTEN"]))
    samples: NDArray[np.float32] = (2.5 / np.log(10) * asinh).astype(np.float32)
    return samples


PLAIN = decode(file(primary(SCIENCE))).rgb


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (file(primary(SCIENCE)), None),
        (file(primary(), image(SCIENCE, "SCI"), image(WEIGHT, "ERR"), image(MASK, "DQ")), "SCI, extension 1 of 3"),
        (file(primary(MASK), image(SCIENCE, "SCI")), "SCI, extension 1 of 1"),
        (file(primary(), image(MASK, "DQ"), image(SCIENCE, "SCI")), "SCI, extension 2 of 2"),
        (file(primary(), image(WEIGHT, "WHT"), image(SCIENCE, "SCI")), "SCI, extension 2 of 2"),
        (file(primary(WEIGHT, EXTNAME="IVAR"), image(SCIENCE)), "extension 1 of 1"),
        (file(primary(), image(WEIGHT, "SCI_VAR"), image(SCIENCE, "COADD")), "COADD, extension 2 of 2"),
        (file(primary(), image(WEIGHT, None, HDUCLAS2="ERROR"), image(SCIENCE, None)), "extension 2 of 2"),
        (file(primary(np.zeros((SIDE, SIDE), np.int16)), image(SCIENCE)), "extension 1 of 1"),
        (file(primary(MASK), image(SCIENCE)), "extension 1 of 1"),
        (file(primary(np.arange(100.0)), image(SCIENCE, "SCI")), "SCI, extension 1 of 1"),
        (file(primary(np.zeros((2, 2))), image(SCIENCE)), "extension 1 of 1"),
        (file(primary(WEIGHT[::4, ::4].copy()), image(SCIENCE)), "extension 1 of 1"),
        (file(primary(SCIENCE[None, None])), None),
        (file(primary(), fits.BinTableHDU.from_columns([fits.Column("a", "E", array=[1.0])]), image(SCIENCE)),
         "extension 2 of 2"),
        (b"\n" + file(primary(SCIENCE)), None),
        (file(primary(SCIENCE)).replace(b"=                    T", b"=                    F", 1), None),
        (file(primary(SCIENCE))[: 2880 + SIDE * SIDE * 4], None),
        (gzip.compress(file(primary(SCIENCE)), mtime=0), None),
        (bz2.compress(file(primary(), image(MASK, "MASK"), image(SCIENCE, "SCI"))), "SCI, extension 2 of 2"),
        (file(primary(SCIENCE.astype(np.float64))), None),
        (file(primary(SCIENCE.astype(np.float64) * 1e45)), None),
        (file(primary(SCIENCE * np.float32(1e-20))), None),
        (file(primary(), fits.CompImageHDU(np.rint(SCIENCE * 64).astype(np.int32), tile_shape=(7, SIDE))), None),
        (file(primary(softened(SCIENCE), **SOFTENED)), None),
        (file(primary(), fits.CompImageHDU(
            softened(SCIENCE), fits.Header(SOFTENED), quantize_level=0, compression_type="GZIP_1")), None),
    ],
)  # fmt: skip
def test_the_science_image_is_found_wherever_it_stands(data: bytes, part: str | None) -> None:
    picture = decode(data)
    assert picture.part == part
    assert picture.stretch == "asinh"
    assert np.abs(picture.rgb.astype(int) - PLAIN).max() <= 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (file(primary(), image(WEIGHT, "WHT"), image(MASK, "DQ")), "no science image, only DQ, WHT"),
        (file(primary()), "no image"),
        (file(primary(SCIENCE))[: 2880 + SIDE * SIDE * 3], "truncated"),
        (file(primary(np.arange(4000.0))), "at least"),
        (file(primary(np.zeros((3, 4, 64, 64)))), "64 x 64 x 4 x 3"),
        (file(primary(np.zeros((64, 64)))), "nothing brighter"),
        (gzip.compress(file(primary(SCIENCE)), mtime=0)[:5000], "truncated"),
    ],
)
def test_what_is_no_picture_of_the_sky_is_refused_with_the_reason(data: bytes, words: str) -> None:
    with pytest.raises(errors.BadImage, match=words):
        decode(data)


RED, GREEN, BLUE = (1000 + (SCIENCE - 1000) * factor for factor in (1.5, 1.0, 0.4))
REDDISH = decode(file(primary(), image(RED, "R"), image(GREEN, "G"), image(BLUE, "B"))).rgb


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (file(primary(np.stack([BLUE, GREEN, RED]), BANDS="grz")), "planes z, r, g as red, green, blue"),
        (file(primary(np.stack([BLUE, GREEN, RED]), BAND0="g", BAND1="r", BAND2="z")),
         "planes z, r, g as red, green, blue"),
        (file(primary(np.stack([BLUE, GREEN, RED, SCIENCE]), BANDS="griz")), "planes i, r, g as red, green, blue"),
        (file(primary(np.stack([RED, GREEN, BLUE]), FILTER1="F814W", FILTER2="F606W", FILTER3="F435W")),
         "planes F814W, F606W, F435W as red, green, blue"),
        (file(primary(np.moveaxis(np.stack([RED, GREEN, BLUE]), 0, -1).copy())),
         "planes 1, 2, 3 as red, green, blue"),
        (file(primary(), fits.CompImageHDU(
            np.moveaxis(np.stack([RED, GREEN, BLUE]), 0, -1).copy(), quantize_level=0, compression_type="GZIP_1",
            tile_shape=(5, SIDE, 3))), "planes 1, 2, 3 as red, green, blue"),
        (file(primary(np.stack([RED, GREEN, BLUE]), PROGRAM="Siril 1.2")), "planes 1, 2, 3 as red, green, blue"),
        (file(primary(), image(BLUE, "B"), image(GREEN, "V"), image(RED, "I")),
         "extensions I, V, B as red, green, blue"),
        (file(primary(), *(image(plane, FILTER=name) for plane, name in ((GREEN, "r"), (RED, "i"), (BLUE, "g")))),
         "extensions i, r, g as red, green, blue"),
    ],
)  # fmt: skip
def test_bands_are_ordered_by_wavelength(data: bytes, part: str) -> None:
    picture = decode(data)
    assert picture.part == part
    assert picture.warnings == ()
    assert np.abs(picture.rgb.astype(int) - REDDISH).max() <= 1
    centre = picture.rgb[SIDE // 2, SIDE // 2 + 10]
    assert centre[0] > centre[1] > centre[2]


@pytest.mark.parametrize("count", [2, 3, 4, 5, 40])
def test_planes_that_nothing_names_are_averaged_in_gray_with_a_warning(count: int) -> None:
    picture = decode(file(primary(np.stack([RED, BLUE] * 20)[:count])))
    assert np.ptp(picture.rgb, axis=2).max() == 0
    assert picture.part == f"mean of {count} planes"
    assert f"its {count} planes" in picture.warnings[0]


def test_a_spectral_cube_is_averaged_along_its_spectrum_without_a_warning() -> None:
    picture = decode(file(primary(np.stack([SCIENCE] * 9), CTYPE3="WAVE")))
    assert picture.part == "mean of 9 planes"
    assert picture.warnings == ()
    assert np.abs(picture.rgb.astype(int) - PLAIN).max() <= 1


@pytest.mark.parametrize(
    ("names", "telescope", "expected"),
    [
        ("grz", "", (2, 1, 0)),
        ("ugriz", "", (3, 2, 1)),
        (["DECam g", "DECam r", "DECam z"], "", (2, 1, 0)),
        (["F200W", "F090W", "F444W"], "JWST", (2, 0, 1)),
        (["F160W", "F606W", "F105W"], "HST", (0, 2, 1)),
        (["VIS", "Y", "H"], "Euclid", (2, 1, 0)),
        (["FUV", "NUV", "r"], "", (2, 1, 0)),
        (["a", "b", "c"], "", None),
        ("gr", "", None),
        ("ggr", "", None),
    ],
)
def test_names_of_bands_say_which_is_red(names: Any, telescope: str, expected: tuple[int, ...] | None) -> None:
    assert red_green_blue(list(names), telescope) == expected


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_saturated_core_is_bright_and_no_hole(value: float) -> None:
    saturated = SCIENCE.copy()
    saturated[saturated > 2500] = value
    picture = decode(file(primary(saturated)))
    assert picture.rgb[SIDE // 2, SIDE // 2].min() > 240
    assert picture.outside is None


def test_edges_without_a_value_are_sky_and_marked_as_no_image() -> None:
    for samples in (np.where(XX < 20, np.nan, SCIENCE).astype(np.float32), SCIENCE.astype(np.int16)):
        header = {}
        if samples.dtype == np.int16:
            samples[XX < 20] = -32768
            header = {"BLANK": -32768}
        unit = fits.PrimaryHDU(samples)
        unit.header.update(header)
        picture = decode(file(unit))
        assert picture.outside is not None
        assert np.array_equal(picture.outside, XX < 20)
        assert np.ptp(picture.rgb[picture.outside]) == 0
        assert picture.rgb[picture.outside].max() < 60


def test_a_bad_column_through_the_galaxy_is_bridged() -> None:
    broken = SCIENCE.copy()
    broken[:, SIDE // 2 + 3] = np.nan
    picture = decode(file(primary(broken)))
    assert picture.outside is None
    assert np.abs(picture.rgb.astype(int) - PLAIN)[SIDE // 2].max() < 12


PLACES = {"corner": XX + 1.7 * YY < 25, "rows": YY < 12, "core": np.hypot(XX - 31.5, YY - 31.5) < 2.5}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", [0, -1, -999, -32768])
@pytest.mark.parametrize("kind", [np.float32, np.int16])
def test_a_number_for_want_of_a_value_is_a_gap(place: str, value: int, kind: type[np.number[Any]]) -> None:
    gap = PLACES[place]
    samples, missing = SCIENCE.astype(kind), SCIENCE.copy()
    samples[gap], missing[gap] = value, np.nan
    found, known = decode(file(primary(samples))), decode(file(primary(missing)))
    assert np.abs(found.rgb.astype(int) - known.rgb).mean() < 2
    assert (found.outside is None) == (known.outside is None) == (place == "core")


@pytest.mark.parametrize("most", [0.3, 0.5, 0.8])
def test_the_background_of_a_picture_is_no_gap_though_it_has_one_value(most: float) -> None:
    light = np.maximum(SCIENCE - 1000, 0)
    for samples in (
        np.where(light > np.quantile(light, most), light, 0),
        np.random.default_rng(3).poisson(light / 100 + 0.3),
        np.rint(light / 40),
    ):
        found = decode(file(primary(samples.astype(np.float32))))
        assert found.outside is None
        assert found.rgb[31:33, 31:33].min() > 200


def test_whole_numbers_of_64_bits_without_a_sign_keep_their_digits() -> None:
    plain, unsigned = (decode(file(primary(SCIENCE.astype(kind)))) for kind in (np.int64, np.uint64))
    assert np.array_equal(plain.rgb, unsigned.rgb)


def test_a_keyword_without_a_value_says_nothing() -> None:
    data = file(primary(SCIENCE))
    end = data.index(b"END" + b" " * 77)
    said = data[:end] + b"BZERO   =".ljust(80) + b"BSCALE  =".ljust(80) + b"END".ljust(80) + data[end + 240 :]
    assert np.array_equal(decode(said).rgb, decode(data).rgb)
