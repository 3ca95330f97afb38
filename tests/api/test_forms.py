"""What comes with a form, and is not read, is told: nothing that a caller gave is lost without a word."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest

from tests.support.gateway import gateway
from tests.support.pictures import disc, encoded

PNG = encoded(disc(64), "PNG")
TABLE = b"ra,dec\n10.68,41.26\n"


def form(*parts: tuple[str, bytes]) -> bytes:
    """Return a form of parts, each what its disposition says and its content."""
    lines = [
        b"--XX\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (said.encode(), data) for said, data in parts
    ]
    return b"".join(lines) + b"--XX--\r\n"


FILE = ('name="file"; filename="a.png"', PNG)


async def post(path: str, body: bytes, **headers: str) -> tuple[int, str]:
    """Return the status and what is said of a request."""
    headers = {"Content-Type": "multipart/form-data; boundary=XX"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    async with gateway() as client:
        response = await client.post(path, content=body, headers=headers)
    return response.status_code, response.json().get("detail", "") if response.status_code != 200 else response.text


@pytest.mark.parametrize("path", ["/api/file", "/api/batch"])
@pytest.mark.parametrize("name", ["frame", "r", "Format"])
async def test_a_parameter_in_the_form_is_refused_and_not_passed_over(path: str, name: str) -> None:
    status, said = await post(path, form((f'name="{name}"', b"whole"), FILE))
    assert (status, f"?{name}=" in said) == (422, True), said


async def test_a_choice_of_columns_in_the_form_is_refused() -> None:
    body = form(('name="table"; filename="t.csv"', TABLE), ('name="column.ra"', b"RA"))
    status, said = await post("/api/batch", body)
    assert (status, "?column.ra=" in said) == (422, True), said


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/api/file", ('name="image"; filename="b.png"', PNG)),
        ("/api/file", ('name="file"', PNG)),
        ("/api/file", ("name=\"file\"; filename*=UTF-8''%C3%A9.png", PNG)),
        ("/api/batch", ('name="images"; filename="b.png"', PNG)),
        ("/api/batch", ('name="file"', PNG)),
        ("/api/batch", ('name="table"', TABLE)),
    ],
)
async def test_a_file_that_would_not_be_read_is_told(path: str, part: tuple[str, bytes]) -> None:
    status, said = await post(path, form(FILE, part))
    assert status == 422
    assert "The form" in said
    assert "field" in said


async def test_a_field_that_nobody_knows_is_nobody_s_concern() -> None:
    assert (await post("/api/file", form(('name="csrf_token"', b"1"), FILE)))[0] == 200


@pytest.mark.parametrize(
    ("name", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("br", lambda data: data)]
)
async def test_a_body_that_is_packed_as_a_whole_is_called_so(name: str, pack: Any) -> None:
    status, said = await post("/api/file", pack(form(FILE)), Content_Encoding=name)
    assert (status, said) == (422, f"The body is packed as a whole (Content-Encoding: {name}): send it as it is.")


async def test_a_table_may_be_packed_by_gzip_whatever_its_headers_say() -> None:
    headers = {"Content_Type": "text/csv", "Content_Encoding": "gzip"}
    assert (await post("/api/batch/columns", gzip.compress(TABLE), **headers))[0] == 200
    assert (await post("/api/file", form(FILE), Content_Encoding="utf-8"))[0] == 200
