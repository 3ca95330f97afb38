"""A galaxy in uploaded images of the sky, over HTTP: which it is, and what was cut."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from gateway.images.model_input import model_input
from tests.support.fake_serving import FakeServing, inclination_of
from tests.support.gateway import RELEASE, gateway
from tests.support.imaging import SkyDisc, plane, tile, written
from tests.support.manifests import models_of
from tests.support.pictures import disc, encoded
from tests.support.sky_fakes import FakeSky

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# as large as NGC 7331 is in the catalogue
NGC_7331 = SkyDisc(339.267, 34.4156, scale_arcsec=70, axis_ratio=0.4, position_angle_deg=170)
SHAPE = (600, 600)
WCS = plane(339.25, 34.42, SHAPE, pixel_arcsec=2.0, turn_deg=12)


def images(bands: str = "gri") -> list[bytes]:
    return [
        written(tile([NGC_7331], WCS, SHAPE, band=band, seed=seed, compressed=True)) for seed, band in enumerate(bands)
    ]


GRI = images()


@pytest.fixture
def sky() -> Iterator[FakeSky]:
    with FakeSky() as fakes:
        yield fakes


async def ask(query: str, data: Sequence[bytes] = GRI, sky: FakeSky | None = None, **settings: Any) -> Any:
    settings |= sky.urls if sky is not None else {}
    files = [("file", (f"{number}.fits", one)) for number, one in enumerate(data)]
    async with gateway(**settings) as client:
        return await client.post(f"/api/file{query}", files=files, timeout=60)


async def test_a_position_and_a_field_are_cut_from_the_bands_and_told() -> None:
    response = await ask("?ra=339.267&dec=34.4156&fov=14&pa=350&include=cutout&include=model_input")
    assert response.status_code == 200, response.text
    answer = response.json()
    image = answer["image"]
    assert (image["source"], image["format"], image["stretch"]) == ("upload", "FITS", "asinh")
    assert (image["ra_deg"], image["dec_deg"]) == pytest.approx((339.267, 34.4156), abs=2e-3)
    assert (image["fov_arcmin"], image["position_angle_deg"]) == (14, 170)
    assert image["bands"] == ["i", "r", "g"]
    assert image["pixel_arcsec"] == pytest.approx(2.0, rel=1e-3)
    assert image["frame"]["chosen_by"] == "whole"
    assert answer["galaxy"]["ra_deg"] == image["ra_deg"]
    kind, _, data = image["cutout"].partition(",")
    assert kind == "data:image/png;base64"
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    assert picture.shape == (image["height"], image["width"], 3)
    assert answer["inclination"]["median_deg"] == pytest.approx(inclination_of(model_input(picture)), abs=0.01)
    # turned: the major axis lies along the rows
    fitted = answer["ellipticity"]
    assert (fitted["ellipse"]["angle_deg"] + 90) % 180 - 90 == pytest.approx(0, abs=3)
    assert fitted["axis_ratio"] == pytest.approx(0.4, abs=0.06)


@pytest.mark.parametrize("query", ["?name=NGC%207331", "?pgc=69327", "?ra=339.26671&dec=34.41553"])
async def test_a_known_galaxy_has_the_field_and_the_angle_of_a_survey_s_cutout(sky: FakeSky, query: str) -> None:
    response = await ask(query, sky=sky)
    assert response.status_code == 200, response.text
    galaxy, image = response.json()["galaxy"], response.json()["image"]
    assert galaxy["name"] == "NGC 7331"
    assert image["fov_arcmin"] == pytest.approx(1.5 * galaxy["d25_arcmin"], rel=0.01)
    assert image["position_angle_deg"] == pytest.approx(galaxy["position_angle_deg"], abs=0.01)
    assert (image["ra_deg"], image["dec_deg"]) == (galaxy["ra_deg"], galaxy["dec_deg"])


async def test_without_a_size_the_picture_says_how_large_the_galaxy_is_and_no_service_is_asked(sky: FakeSky) -> None:
    ra, dec = 150.0, 2.0  # where no galaxy is catalogued
    disc = SkyDisc(ra, dec, scale_arcsec=6, axis_ratio=0.5, position_angle_deg=40)
    data = [written(tile([disc], plane(ra, dec, (500, 500)), (500, 500), band=band)) for band in "gr"]
    response = await ask(f"?ra={ra}&dec={dec}&pa=40", data, sky)
    assert response.status_code == 200, response.text
    answer = response.json()
    assert 9 * 6 / 60 < answer["image"]["fov_arcmin"] < 17 * 6 / 60
    assert "is from the picture" in answer["warnings"][0]
    assert answer["ellipticity"]["axis_ratio"] == pytest.approx(0.5, abs=0.05)
    assert (answer["ellipticity"]["ellipse"]["angle_deg"] + 90) % 180 - 90 == pytest.approx(0, abs=3)
    nothing = await ask(f"?ra={ra + 0.015}&dec={dec}", data, sky)
    assert (nothing.status_code, nothing.json()["type"].rpartition(":")[2]) == (422, "bad-target")
    assert "name the field of view" in nothing.json()["detail"]
    assert sky.calls == {}


async def test_bands_are_taken_from_the_query_where_headers_say_nothing() -> None:
    silent = [written(tile([NGC_7331], WCS, SHAPE, band=None, seed=seed)) for seed in range(2)]
    place = "?ra=339.267&dec=34.4156&fov=14"
    refused = await ask(place, silent)
    assert refused.json()["type"].endswith(":bands-unknown")
    answer = await ask(f"{place}&bands=g,%20z", silent)
    assert answer.json()["image"]["bands"] == ["z", "g"]


async def test_an_image_without_a_place_is_measured_as_it_is() -> None:
    answer = (await ask("", GRI[:1])).json()
    assert answer["image"]["width"] == SHAPE[1]
    assert answer["image"]["ra_deg"] is None
    assert answer["galaxy"] is None


@pytest.mark.parametrize(
    ("query", "data", "kind", "said"),
    [
        ("", GRI, "bad-request", "say which"),
        ("?fov=4", GRI, "bad-request", "need the galaxy too"),
        ("?bands=g,r,i", GRI, "bad-request", "need the galaxy too"),
        ("?ra=339.267&dec=34.4156&fov=14&x=3&y=4", GRI, "bad-request", "not both"),
        ("?ra=339.267&dec=34.4156&fov=14&frame=whole", GRI, "bad-request", "not both"),
        ("?ra=339.267&fov=14", GRI, "bad-target", "Both right ascension and declination"),
        ("?ra=339.267&dec=34.4156&fov=500", GRI, "bad-target", "0.01 to 400 arcmin"),
        ("?ra=339.267&dec=34.4156&fov=0.1", GRI, "bad-target", "16 are needed"),
        ("?ra=10&dec=34.4156&fov=14", GRI, "outside-images", "None of the images"),
        ("?ra=339.267&dec=34.4156&fov=14", [encoded(disc(64), "PNG")], "unsupported-image", "no FITS"),
        ("?ra=339.267&dec=34.4156&fov=14", [*GRI, GRI[0]], "bands-duplicate", "twice"),
        ("?ra=339.267&dec=34.4156&fov=14", GRI * 5, "bad-request", "Too many files"),
    ],
)
async def test_what_can_t_be_cut_is_told_why_and_never_reaches_a_network(
    query: str, data: list[bytes], kind: str, said: str
) -> None:
    serving = FakeServing(models_of(RELEASE))
    files = [("file", (f"{number}.fits", one)) for number, one in enumerate(data)]
    async with gateway(serving) as client:
        response = await client.post(f"/api/file{query}", files=files, timeout=60)
    body = response.json()
    assert (body["type"].rpartition(":")[2], 400 <= response.status_code < 500) == (kind, True), body
    assert said in body["detail"]
    assert body["detail"].endswith(".")
    assert serving.batches == []


async def test_a_field_of_more_pixels_than_are_read_is_refused() -> None:
    response = await ask("?ra=339.267&dec=34.4156&fov=18", GRI[:1], max_pixels=200_000)
    assert (response.status_code, response.json()["type"].rpartition(":")[2]) == (413, "image-too-large")
    assert "smaller field" in response.json()["detail"]


async def test_each_file_and_all_together_have_a_largest_size() -> None:
    most = max(map(len, GRI))
    place = "?ra=339.267&dec=34.4156&fov=14"
    assert (await ask(place, max_upload_bytes=most)).status_code == 200
    assert (await ask(place, max_upload_bytes=most - 100)).status_code == 413
    bulky = [bytes(300_000)] * 4
    together = await ask(place, bulky, max_upload_bytes=300_000)
    assert together.status_code == 413
    assert "together" in together.json()["detail"]
