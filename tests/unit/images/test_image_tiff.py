"""TIFF of the kinds that only some libraries read, and files that are damaged where it does not show."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from gateway.core import errors
from gateway.images.decode import decode
from tests.support.pictures import disc
from tests.unit.images.test_image_samples import LIGHT, RGB, saved, tiff

WHOLE = disc(64)
NOT_BY_LIBVIPS = {
    "LZMA": saved(Image.fromarray(WHOLE), compression="lzma"),
    "Zstandard": saved(Image.fromarray(WHOLE), compression="zstd"),
    "tiles of one plane each": tiff(WHOLE, planar=2, tiled=True),
    "no word of its colours": tiff(WHOLE, photometric=-1),
}


@pytest.mark.parametrize("kind", NOT_BY_LIBVIPS)
def test_tiff_of_every_kind_that_some_library_reads_is_read(kind: str) -> None:
    picture = decode(NOT_BY_LIBVIPS[kind])
    assert (picture.width, picture.height, picture.stretch) == (64, 64, "none")
    assert np.array_equal(picture.rgb, WHOLE)


def test_tiff_that_only_pillow_reads_is_turned_upright_and_reduced_and_its_opacity_counts() -> None:
    wide = np.concatenate([WHOLE, WHOLE[:, :32]], axis=1)
    tags = {274: 6}
    turned = decode(saved(Image.fromarray(wide), compression="lzma", tiffinfo=tags))
    assert (turned.width, turned.height) == (64, 96)
    assert np.array_equal(turned.rgb, decode(saved(Image.fromarray(wide), compression="tiff_lzw", tiffinfo=tags)).rgb)
    large = np.asarray(Image.fromarray(WHOLE).resize((2400, 800)))
    for alpha in (None, np.tri(800, 2400, dtype=np.uint8) * np.uint8(255)):
        image = Image.fromarray(large if alpha is None else np.dstack([large, alpha]))
        mine, other = (decode(saved(image, compression=method)) for method in ("lzma", "tiff_lzw"))
        assert np.abs(mine.rgb.astype(int) - other.rgb).max() <= 1
        assert (mine.outside is None) == (other.outside is None)


def test_tiff_of_twelve_bits_is_measured() -> None:
    light = np.clip(LIGHT / 4, 0, 4095).astype("u2")
    packed, words = decode(tiff(light, bits=12)), decode(tiff(light))
    assert packed.stretch == "asinh"
    assert np.abs(packed.rgb.astype(int) - words.rgb).max() <= 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (tiff((RGB * 8).astype("u2"), planar=2, tiled=True), "in tiles of one plane each is read with up to 8 bits"),
        (tiff(WHOLE[..., 0].astype("u2"), bits=9), "of 9 bits a sample is not read"),
        (NOT_BY_LIBVIPS["LZMA"][:200] + bytes(40) + NOT_BY_LIBVIPS["LZMA"][240:], "compressed by LZMA is not read"),
    ],
)
def test_tiff_of_a_kind_that_is_not_read_is_told_so(data: bytes, said: str) -> None:
    with pytest.raises(errors.BadImage, match=said):
        decode(data)


@pytest.mark.parametrize("offset", [2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1])
def test_tiff_whose_offsets_lie_beyond_every_file_is_refused(offset: int) -> None:
    whole = saved(Image.fromarray(WHOLE), big_tiff=True)
    with pytest.raises(errors.BadImage, match="damaged"):
        decode(whole[:8] + struct.pack("<Q", offset) + whole[16:])


def test_a_strip_that_can_not_be_decoded_leaves_no_hole() -> None:
    whole = saved(Image.fromarray(WHOLE), compression="tiff_adobe_deflate")
    middle = len(whole) // 2
    with pytest.raises(errors.BadImage, match=r"damaged|truncated"):
        decode(whole[:middle] + bytes(60) + whole[middle + 60 :])


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_an_empty_plane_beside_the_colours_of_a_tiff_is_no_transparency(kind: type[np.number]) -> None:
    colours = WHOLE.astype(kind) * kind(1 if kind is np.uint8 else 257)
    beside = np.dstack([colours, np.zeros((64, 64), kind)])
    assert np.array_equal(decode(tiff(beside)).rgb, decode(tiff(colours)).rgb)
