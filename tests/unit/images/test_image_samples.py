"""Samples of more than 8 bits: every kind of TIFF, and what is measured or a finished picture."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gateway.core import errors
from gateway.images.decode import decode
from gateway.images.prepare import prepare
from gateway.images.stretch import FITS_SCALES, finished_scale, render, stretch
from tests.support.galaxies import SHARED, needs_galaxies
from tests.support.odd_pictures import damaged, png, small
from tests.support.pictures import disc, encoded
from tests.unit.images.test_image_fits import measured

LIGHT = measured()
RGB = np.stack([1000 + (LIGHT - 1000) * factor for factor in (1.5, 1.0, 0.4)], axis=2)


def tiff(
    samples: np.ndarray[Any, Any],
    *,
    order: str = "<",
    planar: int = 1,
    packed: bool = False,
    photometric: int = 0,
    tiled: bool = False,
    bits: int = 0,
) -> bytes:
    """A baseline TIFF of any type of samples, as programs for measurements write it."""
    height, width, planes = samples.shape if samples.ndim == 3 else (*samples.shape, 1)
    kind = {"u": 1, "i": 2, "f": 3}[samples.dtype.kind]
    body = samples if planar == 1 else np.moveaxis(samples, 2, 0)
    raw = np.ascontiguousarray(body).astype(samples.dtype.newbyteorder(order)).tobytes()
    count = planes if planar == 2 else 1
    strips = [raw[len(raw) // count * index : len(raw) // count * (index + 1)] for index in range(count)]
    if bits:
        words = np.frombuffer(raw, np.uint8).reshape(-1, 2)[:, ::-1]
        strips = [np.packbits(np.unpackbits(words, axis=1)[:, -bits:]).tobytes()]
    if packed:
        strips = [zlib.compress(one) for one in strips]
    tags = {256: [width], 257: [height], 258: [bits or samples.dtype.itemsize * 8] * planes, 259: [8 if packed else 1]}
    tags |= {262: [photometric or (2 if planes >= 3 else 1)], 277: [planes], 278: [height]}
    tags |= {279: [len(one) for one in strips], 284: [planar], 339: [kind] * planes}
    if photometric < 0:
        del tags[262]
    start = 8 + 2 + (len(tags) + 1 + tiled) * 12 + 4
    extra = 4 * sum(len(values) for values in tags.values()) + 4 * count
    tags[273] = [start + extra + sum(map(len, strips[:index])) for index in range(count)]
    if tiled:
        tags |= {322: [width], 323: [tags.pop(278)[0]], 324: tags.pop(273), 325: tags.pop(279)}
    entries, tables = b"", b""
    for tag, values in sorted(tags.items()):
        table = struct.pack(f"{order}{len(values)}I", *values)
        place = table if len(values) == 1 else struct.pack(order + "I", start + len(tables))
        tables += b"" if len(values) == 1 else table
        entries += struct.pack(order + "HHI", tag, 4, len(values)) + place
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(tags)) + entries + bytes(4)
    return (head + tables).ljust(start + extra, b"\0") + b"".join(strips)


def png16(samples: np.ndarray[Any, Any]) -> bytes:
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    colour = 2 if samples.ndim == 3 else 0
    return png(samples.shape[1], samples.shape[0], zlib.compress(rows), depth=16, colour=colour)


def saved(image: Image.Image, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, "TIFF", **options)
    return out.getvalue()


GRAY, COLOUR = decode(tiff(LIGHT)).rgb, decode(tiff(RGB)).rgb

MEASURED = {
    "float gray, big-endian": tiff(LIGHT, order=">"),
    "float gray, deflated": tiff(LIGHT, packed=True),
    "double gray": tiff(LIGHT.astype("f8")),
    "double gray, big-endian": tiff(LIGHT.astype("f8"), order=">"),
    "double gray, deflated": tiff(LIGHT.astype("f8"), packed=True),
    "signed 16 bits": tiff((LIGHT - 1000).astype("i2")),
    "signed 32 bits": tiff((LIGHT * 64).astype("i4")),
    "unsigned 32 bits": tiff((LIGHT * 1e5).astype("u4")),
    "signed 64 bits": tiff((LIGHT * 64).astype("i8")),
    "unsigned 64 bits, big-endian": tiff((LIGHT * 64).astype("u8"), order=">"),
    "half precision": tiff((LIGHT / 4).astype("f2")),
    "16 bits": tiff((LIGHT * 8).astype("u2")),
    "16 bits in a PNG": png16((LIGHT * 8).astype("u2")),
    "12 bits in a PNG": png16((LIGHT / 2).astype("u2")),
    "16 bits, full range, in a PNG": png16((65535 * (LIGHT - LIGHT.min()) / np.ptp(LIGHT)).astype("u2")),
    "float RGB": tiff(RGB),
    "float RGB, 0 to 1": tiff((RGB - 900) / 6000),
    "float RGB in planes": tiff(RGB, planar=2),
    "double RGB": tiff(RGB.astype("f8")),
    "double RGB in planes, big-endian": tiff(RGB.astype("f8"), planar=2, order=">"),
    "unsigned 32-bit RGB": tiff((RGB * 1e5).astype("u4")),
    "16-bit RGB": tiff((RGB * 8).astype("u2")),
    "16-bit RGB in a PNG": png16((RGB * 8).astype("u2")),
}


@pytest.mark.parametrize("kind", MEASURED)
def test_measured_samples_of_any_type_get_the_same_stretch(kind: str) -> None:
    picture = decode(MEASURED[kind])
    assert (picture.width, picture.height) == (64, 64)
    assert picture.stretch == "asinh"
    expected = COLOUR if "RGB" in kind else GRAY
    assert np.abs(picture.rgb.astype(int) - expected).mean() < 2
    assert picture.rgb[32, 32].max() > 240


@given(st.floats(-25, 25))
def test_a_stretch_does_not_depend_on_the_unit(exponent: float) -> None:
    light = (LIGHT * 10.0**exponent).astype(np.float32)[None]
    assert np.abs(stretch(light).astype(int) - GRAY).max() <= 1


FLOATS = st.floats(width=32, allow_nan=True, allow_infinity=True)


@settings(max_examples=300)
@given(st.integers(-45, 34), st.lists(st.tuples(st.integers(0, 63), st.integers(0, 63), FLOATS), max_size=200))
def test_any_floats_are_read_or_refused(exponent: int, damage: list[tuple[int, int, float]]) -> None:
    light = (LIGHT.astype(float) * 10.0**exponent).astype(np.float32)
    for row, column, value in damage:
        light[row, column] = value
    with suppress(errors.BadImage):
        assert render(light[None], FITS_SCALES)[0].shape == (64, 64, 3)


FINISHED = disc(96)
DEEP = (FINISHED.astype(np.uint32) * 257).astype(np.uint16)
VISIBLE = np.clip(DEEP.astype(float) + np.random.default_rng(3).normal(1500, 1500, DEEP.shape), 0, 65535)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (png16(DEEP), FINISHED),
        (tiff(DEEP), FINISHED),
        (png16(VISIBLE.astype("u2")), VISIBLE / 257),
        (tiff((VISIBLE / 65535).astype("f4")), VISIBLE / 257),
        (png16((VISIBLE / 16).astype("u2")), VISIBLE / 257),
        (tiff((VISIBLE / 65535 * (2**32 - 1)).astype("u4")), VISIBLE / 257),
    ],
    ids=["PNG of 8 bits in 16", "TIFF of 8 bits in 16", "PNG", "TIFF of floats", "12 bits in a PNG", "TIFF of 32 bits"],
)
def test_a_finished_picture_is_scaled_and_not_stretched_again(data: bytes, expected: np.ndarray[Any, Any]) -> None:
    picture = decode(data)
    assert picture.stretch == "scaled to 8 bits"
    assert np.abs(picture.rgb - expected).max() <= 1


@needs_galaxies
def test_real_galaxies_of_16_bits_are_told_from_the_same_made_linear() -> None:
    told = {"finished": 0, "linear": 0}
    files = sorted((SHARED / "efigi").glob("*.jpg"))[::80]
    rng = np.random.default_rng(5)
    for path in files:
        rgb = np.moveaxis(np.asarray(Image.open(path).convert("RGB")).astype(np.float32), 2, 0)
        rgb += rng.random(rgb.shape, np.float32)  # or else its steps would tell
        told["finished"] += finished_scale((rgb * 255).astype(np.float32))[0] is not None
        linear = np.sinh(8 * rgb / 256) / np.sinh(8) * 20_000 + 1000
        told["linear"] += finished_scale(linear.astype(np.float32))[0] is None
    assert told["finished"] / len(files) > 0.8
    assert told["linear"] / len(files) > 0.95


@pytest.mark.parametrize(
    ("mode", "options", "counts"),
    [
        ("L", {}, 0),
        ("1", {}, 0),
        ("P", {}, 0),
        ("CMYK", {}, 1),
        ("YCbCr", {}, 2),
        ("LAB", {}, 9),
        ("RGBA", {}, 0),
        ("RGB", {"compression": "packbits"}, 0),
        ("RGB", {"compression": "jpeg", "quality": 95}, 9),
        ("RGB", {"big_tiff": True}, 0),
    ],
)
def test_every_colour_space_of_tiff_is_read(mode: str, options: dict[str, Any], counts: int) -> None:
    image = Image.fromarray(disc(96))
    converted = image.convert(mode)
    expected = np.asarray((converted if mode != "LAB" else image).convert("RGB"))
    assert np.abs(decode(saved(converted, **options)).rgb.astype(int) - expected).mean() <= counts


@pytest.mark.parametrize("thumbnail_first", [True, False])
def test_the_largest_page_is_read(thumbnail_first: bool) -> None:  # noqa: FBT001 - a parameter
    image = Image.fromarray(disc(96))
    thumbnail = image.resize((32, 32))
    pages = [thumbnail, image] if thumbnail_first else [image, thumbnail]
    picture = decode(saved(pages[0], save_all=True, append_images=pages[1:]))
    assert np.array_equal(picture.rgb, disc(96))
    assert picture.part == ("page 2 of 2" if thumbnail_first else "page 1 of 2")


@pytest.mark.parametrize("file_format", ["GIF", "WEBP"])
def test_an_animation_that_begins_black_shows_its_first_picture(file_format: str) -> None:
    image = Image.fromarray(disc(96))
    out = io.BytesIO()
    black = Image.new("RGB", image.size)
    black.save(
        out, file_format, save_all=True, append_images=[image], **({} if file_format == "GIF" else {"lossless": 1})
    )
    picture = decode(out.getvalue())
    assert picture.part == "frame 2 of 2"
    assert np.abs(picture.rgb.astype(int) - disc(96)).mean() < 6


def test_transparent_pixels_are_marked_as_no_image() -> None:
    rgba = np.dstack([disc(96), np.full((96, 96), 255, np.uint8)])
    rgba[:20, :, 3] = 0
    picture = decode(encoded(rgba, "PNG"))
    assert picture.outside is not None
    assert np.array_equal(np.flatnonzero(picture.outside.any(axis=1)), np.arange(20))


FILES = small()


@settings(max_examples=300)
@given(st.sampled_from(sorted(FILES)), st.sampled_from(sorted(FILES)), st.integers(0, 2**32))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(one: str, other: str, seed: int) -> None:
    data = damaged(FILES[one], FILES[other], np.random.default_rng(seed))
    with suppress(errors.ImageError):
        assert prepare(data, 40_000_000).pixels.shape == (128, 128, 3)


def test_what_a_file_is_is_said_where_it_is_not_read() -> None:
    for data, words in ((b"PK\x03\x04" + bytes(90), "ZIP"), (b"\0\0\0\x18ftypheic" + bytes(90), "HEIF")):
        with pytest.raises(errors.UnsupportedImage, match=words):
            decode(data)


def test_a_picture_says_nothing_of_what_did_not_happen() -> None:
    picture = decode(encoded(disc(96), "PNG"))
    assert (picture.format, picture.width, picture.height, picture.stretch) == ("PNG", 96, 96, "none")
    assert (picture.part, picture.outside, picture.warnings) == (None, None, ())
