from __future__ import annotations

import gzip
import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gateway.core import errors
from gateway.images.decode import decode
from gateway.images.model_input import background, model_input
from gateway.images.prepare import prepare
from tests.support.pictures import disc, encoded, fits_file

DISC = disc(96)


def close(picture: np.ndarray[Any, Any], other: np.ndarray[Any, Any], counts: float) -> bool:
    return bool(np.abs(picture.astype(float) - other).mean() <= counts)


@pytest.mark.parametrize(
    ("file_format", "options", "counts"),
    [
        ("PNG", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("JPEG", {"quality": 95}, 3),
        ("GIF", {}, 6),
    ],
)
def test_every_format_decodes_to_the_pixels_that_were_written(
    file_format: str, options: dict[str, Any], counts: float
) -> None:
    picture = decode(encoded(DISC, file_format, **options))
    assert picture.format == file_format
    assert picture.rgb.shape == (96, 96, 3)
    assert picture.rgb.dtype == np.uint8
    assert close(picture.rgb, DISC, counts)


def saved(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    lopsided = disc(64, width=96)
    lopsided[4:14, 4:14] = 255  # not at the border, where one colour is an empty part
    exif = Image.Exif()
    exif[0x0112] = orientation
    # how a camera that was held so would have stored the picture: the inverse of the transposition it asks for
    stored = {
        1: lopsided,
        2: lopsided[:, ::-1],
        3: lopsided[::-1, ::-1],
        4: lopsided[::-1],
        5: lopsided.transpose(1, 0, 2),
        6: np.rot90(lopsided, 1),
        7: np.rot90(lopsided, 2).transpose(1, 0, 2),
        8: np.rot90(lopsided, -1),
    }[orientation]
    picture = decode(saved(Image.fromarray(np.ascontiguousarray(stored)), "PNG", exif=exif))
    assert (picture.width, picture.height) == (96, 64)
    assert np.array_equal(picture.rgb, lopsided)


def test_transparent_pixels_take_the_colour_of_the_sky_and_not_black_or_white() -> None:
    rgba = np.dstack([DISC, np.full(DISC.shape[:2], 255, np.uint8)])
    rgba[:20] = [255, 255, 255, 0]
    picture = decode(saved(Image.fromarray(rgba), "PNG"))
    assert np.abs(picture.rgb[:20].astype(int) - background(DISC)).max() <= 4
    assert np.array_equal(picture.rgb[30:], DISC[30:])


def test_palette_grayscale_and_cmyk_become_rgb() -> None:
    gray = Image.fromarray(DISC).convert("L")
    expected = np.repeat(np.asarray(gray)[..., None], 3, axis=2)
    assert np.array_equal(decode(saved(gray, "PNG")).rgb, expected)
    assert close(decode(saved(Image.fromarray(DISC).quantize(256), "PNG")).rgb, DISC, 12)
    assert close(decode(saved(Image.fromarray(DISC).convert("CMYK"), "JPEG", quality=95)).rgb, DISC, 4)
    assert close(decode(saved(Image.fromarray(DISC).convert("CMYK"), "TIFF")).rgb, DISC, 1)


@pytest.mark.parametrize("compress", [False, True])
def test_fits_is_stretched_and_its_first_row_is_at_the_bottom(compress: bool) -> None:  # noqa: FBT001 - a parameter
    samples = disc(96)[..., 0].astype(np.float32) ** 2
    samples[:8] = np.nan
    picture = decode(fits_file(samples, compress=compress))
    assert picture.format == "FITS"
    assert picture.rgb[48, 48].min() > 200
    assert 0 < np.median(picture.rgb[:40]) < 90
    assert np.ptp(picture.rgb[-8:]) == 0  # the rows without values are plain sky, and they are the last
    assert np.ptp(picture.rgb[:8]) > 0


def test_a_large_jpeg_is_reduced_while_decoding_but_reports_its_own_size() -> None:
    picture = decode(encoded(disc(3000, width=2400), "JPEG"))
    assert (picture.width, picture.height) == (2400, 3000)
    assert picture.rgb.shape == (1500, 1200, 3)


def png_claiming(width: int, height: int) -> bytes:
    """Write a PNG whose header claims a size that its few bytes unpack to only in part: a decompression bomb."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


JPEG = encoded(DISC, "JPEG")
PNG = encoded(DISC, "PNG")

BAD: dict[str, tuple[bytes, type[errors.ImageError], str]] = {
    "empty": (b"", errors.BadImage, "empty"),
    "text": (b"M31, please", errors.UnsupportedImage, "not an image"),
    "html": (b"<!doctype html><html></html>", errors.UnsupportedImage, "not an image"),
    "pdf": (b"%PDF-1.7\n", errors.UnsupportedImage, "not an image"),
    "zeros": (bytes(4096), errors.UnsupportedImage, "not an image"),
    "truncated JPEG": (JPEG[: len(JPEG) // 2], errors.BadImage, "truncated"),
    "truncated PNG": (PNG[: len(PNG) // 2], errors.BadImage, "truncated|damaged"),
    "PNG header only": (PNG[:33], errors.BadImage, "truncated|damaged"),
    "damaged PNG": (PNG[:100] + bytes(200) + PNG[300:], errors.BadImage, "damaged"),
    "bomb": (png_claiming(100_000, 100_000), errors.ImageTooLarge, "100000 x 100000"),
    "tiny": (encoded(DISC[:4, :4], "PNG"), errors.BadImage, "4 x 4"),
    "black": (encoded(np.zeros_like(DISC), "PNG"), errors.BadImage, "one colour"),
    "grey JPEG": (encoded(np.full_like(DISC, 127), "JPEG"), errors.BadImage, "one colour"),
    "transparent": (encoded(np.zeros((64, 64, 4), np.uint8), "PNG"), errors.BadImage, "transparent"),
    "truncated FITS": (fits_file(DISC[..., 0])[:3000], errors.BadImage, "truncated"),
    "FITS header only": (fits_file(DISC[..., 0])[:2000], errors.BadImage, "truncated|damaged|no image"),
    "FITS spectrum": (fits_file(np.arange(4000.0)), errors.BadImage, "at least"),
    "FITS cube": (fits_file(np.zeros((7, 2, 64, 64), np.float32)), errors.BadImage, "64 x 64 x 2 x 7"),
    "FITS of NaN": (fits_file(np.full((64, 64), np.nan)), errors.BadImage, "no finite"),
    "flat FITS": (fits_file(np.ones((64, 64))), errors.BadImage, "nothing brighter"),
    "gzip of text": (gzip.compress(b"hello" * 100, mtime=0), errors.UnsupportedImage, "not an image"),
}


@pytest.mark.parametrize(("data", "kind", "words"), BAD.values(), ids=BAD.keys())
def test_what_can_not_be_read_is_a_clear_problem(data: bytes, kind: type[errors.ImageError], words: str) -> None:
    with pytest.raises(errors.ImageError, match=words) as raised:
        decode(data)
    assert type(raised.value) is kind
    assert 400 <= raised.value.status < 500
    assert raised.value.detail.endswith(".")


sides = st.integers(16, 300)
pictures = st.builds(
    lambda height, width, seed: np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8),
    sides,
    sides,
    st.integers(0, 2**32),
)


@given(pictures, st.integers(1, 3))
def test_the_model_input_of_a_turned_picture_is_the_turned_model_input(
    picture: np.ndarray[Any, Any], quarters: int
) -> None:
    turned = model_input(np.ascontiguousarray(np.rot90(picture, quarters)))
    assert np.abs(turned.astype(int) - np.rot90(model_input(picture), quarters)).max() <= 1


@given(pictures)
def test_the_model_input_of_a_mirrored_picture_is_the_mirrored_model_input(picture: np.ndarray[Any, Any]) -> None:
    mirrored = model_input(np.ascontiguousarray(picture[:, ::-1]))
    assert np.abs(mirrored.astype(int) - model_input(picture)[:, ::-1]).max() <= 1


def test_a_picture_that_is_not_square_is_padded_with_its_background_and_never_stretched() -> None:
    wide = disc(128, axis_ratio=1.0, width=256)
    small = model_input(wide).astype(float)
    sky = background(wide)
    assert np.abs(small[:28] - sky).max() <= 1
    assert np.abs(small[-28:] - sky).max() <= 1
    light = small.mean(axis=2) - sky.mean()
    light[light < 8] = 0
    y, x = np.mgrid[:128, :128]
    spread = [np.sqrt((light * (axis - 63.5) ** 2).sum() / light.sum()) for axis in (x, y)]
    assert spread[0] == pytest.approx(spread[1], rel=0.02)


def test_a_picture_of_the_right_size_passes_unchanged() -> None:
    picture = disc(128)
    assert np.array_equal(model_input(picture), picture)


def test_decoded_pixels_become_the_same_model_input_as_their_file() -> None:
    pixels = disc(128, 0.4)
    from_file, from_pixels = prepare(encoded(pixels, "PNG"), 10**6), prepare(pixels, 10**6)
    np.testing.assert_array_equal(from_pixels.pixels, from_file.pixels)
    np.testing.assert_array_equal(from_pixels.pixels, pixels)
    assert from_pixels.ellipse == from_file.ellipse
    assert (from_pixels.format, from_pixels.width) == ("pixels", 128)


def test_decoded_pixels_that_show_nothing_are_refused_as_a_file_would_be() -> None:
    with pytest.raises(errors.BadImage, match="all one colour"):
        prepare(np.full((128, 128, 3), 7, np.uint8), 10**6)
