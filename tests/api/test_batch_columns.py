"""What a table is taken for is told, may be said, and where its parts contradict each other that is warned of."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from astropy.table import Table

from tests.support.gateway import gateway
from tests.support.pictures import disc, encoded
from tests.support.sky_fakes import FakeSky

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx import Response

NGC_7331 = {"ra": 339.26671, "dec": 34.41553}


@pytest.fixture
def sky() -> Iterator[FakeSky]:
    with FakeSky() as fakes:
        yield fakes


def lines(response: Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    return sorted((json.loads(line) for line in response.text.splitlines()), key=lambda line: line["row"])


async def test_a_header_is_told_without_a_row_and_without_measuring() -> None:
    async with gateway() as client:
        posted = await client.post("/api/batch/columns", content=b"objid,al2000,de2000,mag\n")
        by_name = await client.get("/api/batch/columns", params={"names": "objid,al2000,de2000,mag"})
    assert posted.status_code == 200
    assert posted.json() == by_name.json()
    told = posted.json()
    assert told["columns"]["ra"] == {"column": "al2000", "unit": "hour", "read_as": "from hour, sexagesimal is hours"}
    assert set(told["columns"]) == {"key", "ra", "dec"}
    assert told["ignored"] == ["mag"]


async def test_the_first_rows_of_a_table_are_told_as_they_would_be_asked() -> None:
    out = io.BytesIO()
    Table({"PGC": [2557, -1], "NAME": ["NGC 224", "17"]}).write(out, format="fits")
    async with gateway() as client:
        for content in (out.getvalue(), gzip.compress(out.getvalue())):
            told = (await client.post("/api/batch/columns", content=content)).json()
            assert told["first_rows"][0]["asked"] == "PGC 2557"
            assert "'17' is no name" in told["first_rows"][1]["problem"]
        as_json = await client.post("/api/batch/columns", json=[{"pgc": 2557}])
    assert as_json.json()["first_rows"][0]["key"] == "PGC 2557"


@pytest.mark.parametrize(
    ("query", "status", "slug"),
    [
        ("column.ra=A&column.dec=B", 200, None),
        ("COLUMN.RA=a&column.dec=b", 200, None),
        ("column.ra=A", 200, None),
        ("column.ra=C&column.dec=B", 422, "bad-table"),
        ("column.size=A", 422, "bad-request"),
        ("", 422, "bad-table"),
    ],
)
async def test_a_caller_says_which_column_is_which(query: str, status: int, slug: str | None) -> None:
    async with gateway() as client:
        response = await client.post(f"/api/batch/columns?{query}", content=b"A,B,dec\n10,41,1\n")
        measured = await client.post(f"/api/batch?{query}", content=b"A,B,dec\n400,41,1\n")
    assert response.status_code == measured.status_code == status
    if slug is None:
        assert response.json()["columns"]["ra"]["column"] == "A"
        assert response.json()["columns"]["dec"]["column"] == ("B" if "dec=" in query else "dec")
        assert "400 deg" in lines(measured)[0]["problem"]["detail"]
    else:
        assert response.json()["type"] == f"urn:inclinet:problem:{slug}"


async def test_a_batch_says_in_a_header_what_it_took_for_what() -> None:
    wide = ",".join(f"c{number}é" for number in range(2000))
    async with gateway() as client:
        response = await client.post("/api/batch", content=f"RAJ2000,DEJ2000,{wide}\n400,1\n".encode())
        images = await client.post("/api/batch", files=[("file", ("a.png", encoded(disc(128), "PNG")))])
    header = response.headers["x-inclinet-columns"]
    assert json.loads(header)["columns"]["ra"]["column"] == "RAJ2000"
    assert header.isascii()
    assert len(header) <= 2000
    assert "x-inclinet-columns" not in images.headers


async def test_a_position_that_contradicts_the_pgc_number_is_warned_of(sky: FakeSky) -> None:
    rows = [
        {"pgc": 69327, **NGC_7331},
        {"pgc": 69327, "ra": 10.684708, "dec": 41.26875},
        {"name": "NGC 628", **NGC_7331},
        {"name": "NGC 7331", **NGC_7331},
        {"name": "GAL_0001", **NGC_7331, "pa": -999},
    ]
    settings: dict[str, Any] = {**sky.urls}
    async with gateway(**settings) as client:
        answers = [line["answer"] for line in lines(await client.post("/api/batch", json=rows, timeout=60))]
    assert {answer["galaxy"]["pgc"] for answer in answers} == {69327}
    contradictions = [[one for one in answer["warnings"] if "was measured" in one] for answer in answers]
    assert [len(found) for found in contradictions] == [0, 1, 1, 0, 0]
    assert "arcmin from PGC 69327" in contradictions[1][0]
    assert contradictions[2][0].startswith("The name NGC 628 is a galaxy")
    assert answers[4]["warnings"][0] == "The position angle -999 is no angle and was left out."


async def test_a_table_s_image_that_did_not_come_along_leaves_the_row_to_its_position(sky: FakeSky) -> None:
    settings: dict[str, Any] = {**sky.urls}
    async with gateway(**settings) as client:
        row = {"file": "/data/ngc7331.fits", **NGC_7331}
        (line,) = lines(await client.post("/api/batch", json=[row], timeout=60))
    assert line["answer"]["galaxy"]["name"] == "NGC 7331"
    assert "/data/ngc7331.fits did not come along" in line["answer"]["warnings"][0]
