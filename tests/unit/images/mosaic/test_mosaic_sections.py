"""Parts of images are those that astropy reads, however the samples lie in a file and whatever is kept of them."""

from __future__ import annotations

import gzip
import io
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core import errors
from gateway.core.field_of_view import SkyField
from gateway.images.fits_file import FitsFile
from gateway.images.fits_plan import band
from gateway.images.mosaic.cut import cut_opened
from gateway.images.mosaic.files import band_images
from gateway.images.mosaic.sections import ImagePlane, TileCache
from tests.support.imaging import SkyDisc, plane, tile, written

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHAPE = (90, 75)
RNG = np.random.default_rng(20261128)
FLOATS = RNG.normal(100, 5, SHAPE).astype(np.float32)
HOLES = np.where(RNG.random(SHAPE) < 0.02, np.nan, FLOATS).astype(np.float32)
WHOLE = RNG.integers(-3000, 3000, SHAPE)
CUBE = RNG.normal(0, 1, (3, *SHAPE)).astype(np.float32)


def compressed(values: NDArray[Any], kind: str = "RICE_1", tiles: tuple[int, ...] = (32, 40), **how: Any) -> bytes:
    unit = fits.CompImageHDU(values, compression_type=kind, tile_shape=tiles, **how)
    return written(fits.HDUList([fits.PrimaryHDU(), unit]))


def plain(values: NDArray[Any], **header: Any) -> bytes:
    unit = fits.ImageHDU(values)
    unit.header.update(header)
    return written(fits.HDUList([fits.PrimaryHDU(), unit]))


FILES = {
    "rice": compressed(FLOATS),
    "rice with holes": compressed(HOLES),
    "rice, dithered": compressed(HOLES, quantize_method=1, dither_seed=17),
    "rice, dithered but for zeros": compressed(np.where(WHOLE > 0, FLOATS, 0), quantize_method=2, dither_seed=3),
    "rice by rows": compressed(FLOATS, tiles=(1, SHAPE[1])),
    "one tile": compressed(FLOATS, tiles=SHAPE),
    "rice in double precision": compressed(HOLES.astype(float)),
    "rice of constants": compressed(np.full(SHAPE, 7.25, np.float32)),
    "gzip": compressed(HOLES, "GZIP_1", quantize_level=0),
    "gzip, shuffled": compressed(HOLES, "GZIP_2", quantize_level=0),
    "gzip, shuffled and quantized": compressed(FLOATS, "GZIP_2"),
    "gzip of whole numbers": compressed(WHOLE.astype(np.int16), "GZIP_2"),
    "hcompress": compressed(FLOATS, "HCOMPRESS_1"),
    "not compressed": compressed(FLOATS, "NOCOMPRESS", quantize_level=0),
    "bytes": compressed((WHOLE % 200).astype(np.uint8)),
    "short": compressed(WHOLE.astype(np.int16)),
    "unsigned": compressed((WHOLE + 33000).astype(np.uint16)),
    "long": compressed(WHOLE.astype(np.int32) * 1000),
    "plio": compressed(abs(WHOLE).astype(np.int32), "PLIO_1"),
    "cube": compressed(CUBE, tiles=(1, 32, 40)),
    "cube in thick tiles": compressed(CUBE, tiles=(2, 32, 40)),
    "plain": plain(HOLES),
    "plain cube": plain(CUBE),
    "plain short": plain(WHOLE.astype(np.int16), BLANK=5),
    "plain unsigned": plain((WHOLE + 33000).astype(np.uint16)),
    "plain long": plain(WHOLE.astype(np.int32) * 1000, BLANK=-2000),
}


@pytest.mark.parametrize("kind", FILES)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_a_part_is_what_astropy_reads_of_it(kind: str, data: st.DataObject) -> None:
    file = FitsFile(FILES[kind], 10**7)
    unit = file.units()[1]
    (first, last), (left, right) = (
        sorted(data.draw(st.lists(st.integers(0, n), min_size=2, max_size=2, unique=True))) for n in SHAPE
    )
    rows, columns, number = slice(first, last), slice(left, right), data.draw(st.integers(0, len(CUBE) - 1))
    image = ImagePlane(file, unit, number, TileCache(data.draw(st.sampled_from([0, 6000, 10**7]))))
    with fits.open(io.BytesIO(FILES[kind])) as hdus:
        leading = (number,) if len(unit.shape) > len(SHAPE) else ()
        expected = hdus[1].section[(*leading, rows, columns)]
    for _ in range(2):
        found = image.section(rows, columns)
        assert np.array_equal(found, expected.astype(found.dtype), equal_nan=True)


def test_the_asinh_of_light_that_pan_starrs_writes_is_undone() -> None:
    said = {"BOFFSET": -2.5, "BSOFTEN": 12.0, "EXPTIME": 600.0, "HIERARCH FPA.FILTERID": "g.00000"}
    for data in (
        plain(FLOATS / 50, **said),
        compressed(FLOATS / 50, "GZIP_1", quantize_level=0, header=fits.Header(said)),
    ):
        file = FitsFile(data, 10**7)
        (unit,) = [one for one in file.units() if one.shape]
        found = ImagePlane(file, unit, 0, TileCache()).section(slice(5, 50), slice(10, 40))
        expected = (-2.5 + 12 * (np.exp(FLOATS / 50 / 1.0857362) - np.exp(-FLOATS / 50 / 1.0857362))) / 600
        assert np.allclose(found, expected[5:50, 10:40], rtol=1e-6)
        assert band(unit) == "g.00000"


def test_a_packed_file_is_read_like_any_other_up_to_a_size() -> None:
    rows, columns = slice(10, 80), slice(20, 60)
    for kind in ("rice", "plain"):
        parts = []
        for data in (FILES[kind], gzip.compress(FILES[kind])):
            file = FitsFile(data, 10**7)
            parts.append(ImagePlane(file, file.units()[1], 0, TileCache()).section(rows, columns))
        assert np.array_equal(parts[0], parts[1], equal_nan=True)
    large = FitsFile(gzip.compress(plain(np.zeros((3000, 3000), np.float32)), 1), 10**9)
    with pytest.raises(errors.ImageTooLarge, match="unpacks to more than 32,000,000 bytes"):
        ImagePlane(large, large.units()[1], 0, TileCache()).section(rows, columns)


@pytest.mark.parametrize("limit", [0, 100_000, 10**8])
def test_pictures_do_not_depend_on_their_order_or_on_what_is_kept(limit: int) -> None:
    discs = [SkyDisc(150 + east / 3600, 2 + north / 3600) for east in (-30, 0, 25) for north in (-20, 20)]
    files = [
        written(tile(discs, plane(150, 2, (400, 400)), (400, 400), band=band, seed=seed, compressed=True))
        for seed, band in enumerate("gri")
    ]
    fields = [SkyField(disc.ra_deg, disc.dec_deg, 0.9, angle) for disc in discs for angle in (None, 30.0)]
    expected = [cut_opened(band_images(list(map(io.BytesIO, files)), [], 10**7), one)[0].rgb for one in fields]
    images = band_images(list(map(io.BytesIO, files)), [], 10**7, TileCache(limit))
    for number in random.Random(limit).choices(range(len(fields)), k=15):
        assert np.array_equal(cut_opened(images, fields[number])[0].rgb, expected[number])


def test_no_more_is_kept_than_fits() -> None:
    cache, images = TileCache(1000), [object() for _ in range(3)]
    for number in range(30):
        cache.put(images[number % 3], number, np.zeros(300, np.uint8))
    kept = [number for number in range(30) if cache.get(images[number % 3], number) is not None]
    assert kept == [27, 28, 29]
    cache.put(images[0], 30, np.zeros(5000, np.uint8))
    assert cache.get(images[0], 30) is None
