from __future__ import annotations

import io
import json
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pyarrow as pa
import pytest
from astropy.table import Table
from pyarrow import parquet
from starlette.requests import ClientDisconnect

from gateway.core import errors
from gateway.core.models import Target
from gateway.tables.cells.rows import Row, rows_of
from gateway.tables.reader import columns_of, read_table, records_of
from tests.support.fake_serving import FakeServing, inclination_of
from tests.support.gateway import RELEASE, gateway
from tests.support.manifests import models_of
from tests.support.pictures import disc, encoded

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from httpx import Response


def picture(value: int) -> bytes:
    pixels = disc(128)
    pixels[54:74, 54:74] = value  # not at the border, where one colour is an empty part
    return encoded(pixels, "PNG")


def asked(data: bytes) -> list[Row]:
    table = read_table(data)
    reading = columns_of(table)
    return rows_of(records_of(table, reading.columns), reading)


def lines(response: Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in response.text.splitlines()]


TABLE = Table({"PGC": [2557, 4], "RAJ2000": [10.68, 0.1], "DEJ2000": [41.27, 1.0]})


def written(file_format: str) -> bytes:
    buffer = io.BytesIO()
    if file_format == "parquet":
        parquet.write_table(pa.table({"PGC": [2557, 4]}), buffer)
    elif file_format == "ascii.ecsv":
        text = io.StringIO()
        TABLE.write(text, format=file_format)
        return text.getvalue().encode()
    else:
        TABLE.write(buffer, format=file_format)
    return buffer.getvalue()


@pytest.mark.parametrize("file_format", ["fits", "votable", "parquet", "ascii.ecsv"])
def test_tables_of_every_format_are_read(file_format: str) -> None:
    read = asked(written(file_format))
    first, second = (row.target for row in read)
    if file_format == "parquet":
        assert (first, second) == (Target(pgc=2557), Target(pgc=4))
    else:
        assert first == Target(pgc=2557, ra="10.68", dec="41.27")
        assert second == Target(pgc=4, ra="0.1", dec="1.0")
    assert [row.key for row in read] == ["PGC 2557", "PGC 4"]


async def test_a_gateway_without_the_parquet_reader_says_which_formats_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = written("parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "gateway.tables.files.parquetfile", raising=False)
    async with gateway() as client:
        response = await client.post("/api/batch", content=data)
    assert (response.status_code, response.json()["type"]) == (422, "urn:inclinet:problem:bad-table")
    assert "without its Parquet reader" in response.json()["detail"]
    assert "CSV, VOTable or FITS" in response.json()["detail"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"# only this\n", "not a comment"),
        (b"a,b\n1,2\n", "recognised"),
        (b"<html></html>", "HTML page"),
        (b"SIMPLE  = nonsense", "damaged"),
        (b"PAR1 nonsense", "damaged"),
        (b"a,b\n\xff\x01", "UTF-8"),
    ],
)
def test_what_is_no_table_of_targets_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(errors.BadTable, match=words):
        asked(data)


@pytest.mark.parametrize(
    ("row", "words"),
    [("x,1", "whole|not a number"), ("1.5,1", "whole"), (",", "no PGC"), ("nan,", "no PGC"), ("4,wide", "field")],
)
def test_a_bad_row_is_a_row_with_a_problem_and_leaves_the_others(row: str, words: str) -> None:
    bad, good = asked(f"pgc,fov\n{row}\n2557,\n".encode())
    assert bad.problem is not None
    assert any(word in bad.problem.detail for word in words.split("|"))
    assert good.target == Target(pgc=2557)


async def test_many_images_are_measured_and_bad_ones_are_rows_with_a_problem() -> None:
    images = {f"galaxy{value}.png": picture(value) for value in range(0, 250, 25)}
    files = [("file", (name, data)) for name, data in images.items()] + [("file", ("broken.jpg", b"no image"))]
    async with gateway() as client:
        # what is marked in the middle may look like a small galaxy
        response = await client.post("/api/batch?frame=whole", files=files)
    results = {line["key"]: line for line in lines(response)}
    assert response.headers["x-inclinet-rows"] == str(len(images) + 1)
    assert set(results) == {*images, "broken.jpg"}
    assert results["broken.jpg"]["problem"]["type"] == "urn:inclinet:problem:unsupported-image"
    for name, line in results.items():
        if name != "broken.jpg":
            pixels = disc(128)
            pixels[54:74, 54:74] = int(name[6:-4])
            assert line["answer"]["inclination"]["median_deg"] == pytest.approx(inclination_of(pixels), abs=0.01)


async def test_images_of_one_batch_share_predict_calls() -> None:
    serving = FakeServing(models_of(RELEASE), slow_s=dict.fromkeys(models_of(RELEASE), 0.25))
    files = [("file", (f"{number}.png", picture(number))) for number in range(64)]
    async with gateway(serving) as client:
        results = lines(await client.post("/api/batch", files=files))
    assert all(line["ok"] for line in results)
    assert len(results) == 64
    sizes = [shape[0] for name, shape in serving.batches if name == "vgg6_m0"]
    assert sum(sizes) == 64
    assert max(sizes) <= 32
    assert len(sizes) <= 16


async def test_images_of_one_name_are_all_measured_under_names_of_their_own() -> None:
    files = [("file", ("same.png", picture(value))) for value in (50, 120, 200)]
    async with gateway() as client:
        results = {line["key"]: line for line in lines(await client.post("/api/batch", files=files))}
    assert set(results) == {"same.png", "same.png (2)", "same.png (3)"}
    medians = [results[key]["answer"]["inclination"]["median_deg"] for key in sorted(results)]
    assert medians == sorted(set(medians)) or medians == sorted(set(medians), reverse=True)


async def test_a_table_can_not_name_one_of_two_images_with_the_same_name() -> None:
    files = [("table", ("t.csv", b"file\nsame.png\n"))]
    files += [("file", ("same.png", picture(value))) for value in (50, 120)]
    async with gateway() as client:
        response = await client.post("/api/batch", files=files)
    assert response.status_code == 422
    assert "same.png" in response.json()["detail"]


async def test_a_client_that_leaves_before_the_first_line_gives_its_place_back() -> None:
    async with gateway(max_concurrency=1, max_queue=0) as client:
        body = json.dumps([{"pgc": 2557}] * 3).encode()
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return next(messages, {"type": "http.disconnect"})

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)
            raise OSError("the connection is closed")

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "method": "POST",
            "path": "/api/batch",
            "raw_path": b"/api/batch",
            "query_string": b"",
            "root_path": "",
            "headers": [(b"content-type", b"application/json")],
        }
        transport = client._transport  # noqa: SLF001 - the application behind it is asked without a client
        assert isinstance(transport, httpx.ASGITransport)
        with suppress(OSError, ClientDisconnect):
            await transport.app(scope, receive, send)
        assert sent
        assert (await client.post("/api/batch", files=[("file", ("a.png", picture(90)))])).status_code == 200


async def test_a_table_can_name_images_that_came_along() -> None:
    files = [
        ("table", ("mine.csv", b"id,file\nfirst,a.png\nsecond,missing.png\n")),
        ("file", ("a.png", picture(7))),
    ]
    async with gateway() as client:
        results = {line["key"]: line for line in lines(await client.post("/api/batch", files=files))}
    assert results["first"]["ok"]
    assert results["second"]["problem"]["detail"] == "No image named missing.png was sent along."


async def test_images_that_no_row_names_are_told() -> None:
    some = [("file", ("a.png", picture(7))), ("file", ("b.png", picture(9)))]
    async with gateway() as client:
        none = await client.post("/api/batch", files=[("table", ("t.csv", b"pgc,image\n1,c.png\n")), *some])
        one = await client.post("/api/batch", files=[("table", ("t.csv", b"image\na.png\n")), *some])
    assert none.status_code == 422
    assert none.json()["detail"] == "No row of the table names any of the images that came along, such as a.png."
    assert lines(one)[0]["ok"]
    said = json.loads(one.headers["X-Inclinet-Columns"])["warnings"]
    assert said == ["No row names 1 of the 2 images that came along, such as b.png."]


async def test_images_that_come_with_a_table_without_rows_are_not_measured_as_if_it_were_not_there() -> None:
    files = [("table", ("galaxies.csv", b"file,key\n")), ("file", ("a.png", picture(90)))]
    async with gateway() as client:
        response = await client.post("/api/batch", files=files)
    assert response.status_code == 422
    assert response.json()["detail"] == "The table has no rows."


@pytest.mark.parametrize(
    ("request_body", "status", "slug"),
    [
        ({"json": {"pgc": 1}}, 422, "bad-table"),
        ({"json": []}, 422, "bad-table"),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 422, "bad-table"),
        ({"content": b""}, 422, "bad-table"),
        ({"json": [{"pgc": 1}] * 11}, 413, "table-too-large"),
        ({"content": b"x" * 200_001}, 413, "table-too-large"),
    ],
)
async def test_bodies_out_of_bounds_are_refused(request_body: dict[str, Any], status: int, slug: str) -> None:
    async with gateway(max_batch_rows=10, max_batch_bytes=200_000) as client:
        response = await client.post("/api/batch", **request_body)
    assert response.status_code == status
    assert response.json()["type"] == f"urn:inclinet:problem:{slug}"
