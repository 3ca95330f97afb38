"""The ways to ask that name a galaxy, over the gateway's own sky and the fakes of its services."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from astropy.io.votable import parse_single_table

from tests.support.gateway import gateway
from tests.support.sky_fakes import FakeSky

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractAsyncContextManager

    import httpx


def beside(sky: FakeSky, **more: Any) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    """A gateway that asks these fakes."""
    settings: dict[str, Any] = {**sky.urls, **more}
    return gateway(**settings)


@pytest.fixture
def sky() -> Iterator[FakeSky]:
    with FakeSky() as fakes:
        yield fakes


@pytest.mark.parametrize(
    "path",
    [
        "/api/pgc/69327",
        "/api/objname/NGC%207331",
        "/api/objname/ngc7331",
        "/api/coordinates?ra=339.26671&dec=34.41553",
        "/api/coordinates?RA=22:37:04.01&DEC=%2B34:24:55.9",
    ],
)
async def test_every_way_to_ask_finds_and_measures_the_same_galaxy(sky: FakeSky, path: str) -> None:
    async with beside(sky) as client:
        response = await client.get(path, timeout=60)
    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["galaxy"]["pgc"] == 69327
    assert answer["galaxy"]["name"] == "NGC 7331"
    assert answer["image"]["source"].startswith("SDSS")
    assert answer["image"]["fov_arcmin"] == pytest.approx(1.5 * answer["galaxy"]["d25_arcmin"], rel=0.01)
    assert answer["image"]["position_angle_deg"] == pytest.approx(answer["galaxy"]["position_angle_deg"])
    assert 45 <= answer["inclination"]["median_deg"] <= 90


async def test_a_field_of_view_and_an_angle_given_are_used(sky: FakeSky) -> None:
    async with beside(sky) as client:
        response = await client.get("/api/coordinates?ra=339.267&dec=34.4156&fov=12&pa=30&include=cutout", timeout=60)
    image = response.json()["image"]
    assert (image["fov_arcmin"], image["position_angle_deg"]) == (12.0, 30.0)
    assert image["cutout"].startswith("data:image/jpeg;base64,")


async def test_another_survey_can_be_asked(sky: FakeSky) -> None:
    async with beside(sky) as client:
        answer = (await client.get("/api/pgc/69327?survey=panstarrs", timeout=60)).json()
    assert answer["image"]["source"] == "PanSTARRS DR1"


@pytest.mark.parametrize("path", ["/api/galaxy?name=NGC%207331", "/api/galaxy?PGC=69327", "/api/pgc/69327"])
async def test_csv_and_votable_read_back_with_units(sky: FakeSky, path: str) -> None:
    mark = "&" if "?" in path else "?"
    async with beside(sky) as client:
        plain = (await client.get(path, timeout=60)).json()
        as_csv = await client.get(f"{path}{mark}format=csv", timeout=60)
        as_votable = await client.get(path, headers={"accept": "application/x-votable+xml"}, timeout=60)
    galaxy = plain.get("galaxy", plain)
    row = next(csv.DictReader(io.StringIO(as_csv.text)))
    assert (row["name"], float(row["ra_deg"])) == ("NGC 7331", galaxy["ra_deg"])
    table = parse_single_table(io.BytesIO(as_votable.content)).to_table()
    assert table["ra_deg"][0] == galaxy["ra_deg"]
    assert str(table["ra_deg"].unit) == "deg"
    assert str(table["d25_arcmin"].unit) == "arcmin"
    assert table["ra_deg"].meta["ucd"] == "pos.eq.ra;meta.main"
    assert table["pgc"][0] == 69327


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/api/objname/Andromedda", 404, "unknown-target"),
        ("/api/objname/M%2042", 422, "not-a-galaxy"),
        ("/api/coordinates?ra=400&dec=1&fov=3", 422, "bad-target"),
        ("/api/coordinates?ra=ten&dec=1&fov=3", 422, "bad-target"),
        ("/api/coordinates?ra=10&dec=-80&fov=3", 422, "outside-footprint"),
        ("/api/pgc/69327?survey=nosuch", 422, "bad-target"),
        ("/api/pgc/0", 422, "bad-request"),
        ("/api/pgc/69327?fov=-1", 422, "bad-request"),
        ("/api/galaxy", 422, "bad-request"),
        ("/api/galaxy?pgc=1&name=M31", 422, "bad-request"),
    ],
)
async def test_what_can_not_be_answered_is_a_problem_of_the_right_kind(
    sky: FakeSky, path: str, status: int, kind: str
) -> None:
    async with beside(sky) as client:
        response = await client.get(path, timeout=60)
    assert response.status_code == status
    body = response.json()
    assert body["type"] == f"urn:inclinet:problem:{kind}"
    assert body["detail"]
    if kind == "unknown-target":
        assert "Andromeda Galaxy" in body["suggestions"]
    if kind == "outside-footprint":
        assert body["surveys"]


async def test_an_html_page_in_place_of_a_picture_is_502_and_names_the_service(sky: FakeSky) -> None:
    sky.skyserver.fault = "html"
    async with beside(sky) as client:
        response = await client.get("/api/pgc/69327", timeout=60)
    assert response.status_code == 502
    assert response.json()["type"] == "urn:inclinet:problem:upstream-broken"
    assert response.json()["service"] == "SkyServer"


async def test_a_batch_of_targets_gives_every_row_its_galaxy_or_its_problem(sky: FakeSky) -> None:
    rows = [
        {"name": "NGC 7331"},
        {"pgc": 69327, "key": "mine"},
        {"name": "Andromedda"},
        {"ra": 339.267, "dec": 34.4156},
    ]
    async with beside(sky) as client:
        response = await client.post("/api/batch", json=rows, timeout=60)
    results = {line["row"]: line for line in map(json.loads, response.text.splitlines())}
    assert [results[row]["ok"] for row in range(4)] == [True, True, False, True]
    assert results[1]["key"] == "mine"
    assert results[2]["problem"]["suggestions"]
    assert {results[row]["answer"]["galaxy"]["pgc"] for row in (0, 1, 3)} == {69327}
