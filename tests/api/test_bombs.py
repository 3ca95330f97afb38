"""Bodies that are small on the wire and large in memory are recognised before they are unfolded."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits
from astropy.table import Table
from PIL import Image
from pyarrow import parquet

from gateway.core import errors
from gateway.images.decode import decode
from gateway.tables.reader import columns_of, read_table, records_of
from tests.support.gateway import gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MANY = 1_000_000
MEGABYTE = 1 << 20


def read(data: bytes, most: int) -> list[Mapping[str, Any]]:
    table = read_table(data, most=most)
    return records_of(table, columns_of(table).columns, most=most)


def csv_bomb() -> bytes:
    return b"pgc\n" + b"1\n" * MANY


def votable_bomb() -> bytes:
    few = io.BytesIO()
    Table({"pgc": [1]}).write(few, format="votable")
    row = few.getvalue().partition(b"<TR>")[2].partition(b"</TR>")[0]
    return few.getvalue().replace(b"<TR>", b"<TR>" + row + b"</TR>" + (b"<TR>" + row + b"</TR>") * 20_000 + b"<TR>", 1)


def ecsv_bomb() -> bytes:
    few = io.StringIO()
    Table({"pgc": [1]}).write(few, format="ascii.ecsv")
    return few.getvalue().encode() + b"1\n" * MANY


def parquet_bomb() -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.table({"pgc": pa.array(np.ones(MANY, np.int64))}), out, compression="zstd")
    return out.getvalue()


def fits_bomb() -> bytes:
    out = io.BytesIO()
    fits.BinTableHDU(Table({"pgc": np.ones(MANY // 4, np.int32)})).writeto(out)
    return out.getvalue()


@pytest.mark.parametrize("bomb", [csv_bomb, votable_bomb, ecsv_bomb, parquet_bomb, fits_bomb])
def test_a_table_of_too_many_rows_is_never_unfolded(bomb: Callable[[], bytes]) -> None:
    data = bomb()
    with pytest.raises(errors.TableTooLarge):
        read(data, 9)  # whatever a reader imports is there now
    tracemalloc.start()
    try:
        with pytest.raises(errors.TableTooLarge) as told:
            read(data, 10)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert told.value.extra["max_rows"] == 10
    # as dictionaries its rows would take a quarter of a gigabyte
    assert peak < 8 * len(data) + 8 * MEGABYTE


def test_a_table_that_just_fits_is_read_whole() -> None:
    table = Table({"pgc": [5, 6, 7]})
    ecsv, votable, arrow = io.StringIO(), io.BytesIO(), io.BytesIO()
    table.write(ecsv, format="ascii.ecsv")
    table.write(votable, format="votable")
    parquet.write_table(pa.table({"pgc": [5, 6, 7]}), arrow)
    for data in (b"pgc\n5\n6\n7\n", ecsv.getvalue().encode(), votable.getvalue(), arrow.getvalue()):
        assert [int(one["pgc"]) for one in read(data, 3)] == [5, 6, 7]
        with pytest.raises(errors.TableTooLarge):
            read(data, 2)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 100_000, 422),
        (b'{"a":' * 100_000, 422),
        (b"[" + b"{}," * 400_000 + b"{}]", 413),
        (b"[" + b"1," * 400_000 + b"1]", 413),
        (b'[{"pgc": 1' + b"0" * 10_000 + b"}]", 422),
    ],
    ids=["deep lists", "deep objects", "many objects", "many numbers", "a long number"],
)
async def test_json_that_unfolds_is_refused_as_what_it_is(body: bytes, status: int) -> None:
    async with gateway() as client:
        response = await client.post("/api/batch", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


def png_bomb(side: int) -> bytes:
    """A picture that says how large it is, and holds as many zeros as it says."""
    out = io.BytesIO()
    Image.new("1", (side, side)).save(out, "PNG", optimize=True)
    return out.getvalue()


def test_a_picture_is_refused_by_its_header_before_a_pixel_is_unpacked() -> None:
    data = png_bomb(20_000)
    assert len(data) < MEGABYTE // 4
    tracemalloc.start()
    try:
        with pytest.raises(errors.ImageTooLarge):
            decode(data, max_pixels=40_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * MEGABYTE


def test_a_gzipped_picture_is_unpacked_no_further_than_its_limit() -> None:
    claimed = fits.Header({"SIMPLE": True, "BITPIX": 8, "NAXIS": 3, "NAXIS1": 100, "NAXIS2": 100, "NAXIS3": 20_000})
    header = claimed.tostring().encode()
    data = gzip.compress(header + bytes(200 * MEGABYTE), 9)
    assert len(data) < MEGABYTE // 2
    tracemalloc.start()
    try:
        with pytest.raises(errors.ImageTooLarge):
            decode(data, max_pixels=1_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 60 * MEGABYTE


async def test_compressed_bodies_are_not_unpacked_at_all() -> None:
    async with gateway() as client:
        body = zlib.compress(b"name\nNGC 7331\n")
        headers = {"Content-Type": "text/csv", "Content-Encoding": "deflate"}
        response = await client.post("/api/batch", content=body, headers=headers)
    assert response.status_code == 422
