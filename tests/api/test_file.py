from __future__ import annotations

import asyncio
import csv
import io
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest
from astropy.io.votable import parse_single_table
from PIL import Image

from tests.support.fake_serving import FakeServing, inclination_of
from tests.support.gateway import RELEASE, gateway
from tests.support.manifests import models_of
from tests.support.pictures import disc, encoded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DISC = disc(128)
PNG = encoded(DISC, "PNG")
FILE = {"file": ("galaxy.png", PNG)}


def slug(response: Any) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert body["detail"].endswith(".")
    assert body["instance"] == "/api/file"
    return str(body["type"]).removeprefix("urn:inclinet:problem:")


async def test_an_image_is_answered_with_everything_the_design_promises() -> None:
    serving = FakeServing(models_of(RELEASE), offsets={"vgg6_m0": 0.0, "vgg6_m1": 1.0, "vgg6_m2": 2.0, "vgg6_m3": 5.0})
    async with gateway(serving) as client:
        response = await client.post("/api/file", files=FILE)
    assert response.status_code == 200
    answer = response.json()
    base = inclination_of(DISC)
    values = answer["inclination"]
    assert values["median_deg"] == pytest.approx(base + 1.5, abs=0.01)
    assert values["mean_deg"] == pytest.approx(base + 2.0, abs=0.01)
    assert values["stdev_deg"] == pytest.approx(2.16, abs=0.01)
    assert values["range_deg"]["low"] == pytest.approx(base, abs=0.01)
    assert values["range_deg"]["high"] == pytest.approx(base + 5, abs=0.01)
    assert values["interval68_deg"]["high"] == pytest.approx(base + 1.5 + np.hypot(2, 2.16), abs=0.02)
    assert [(one["name"], one["version"]) for one in answer["flavors"]] == [(f"vgg6_m{bag}", 1) for bag in range(4)]
    likelihood = DISC.mean() / 255
    parts = {"face_on": 0.75 * likelihood, "unsuitable": 0.25 * likelihood}
    (rejector,) = answer["rejection"].pop("rejectors")
    assert answer["rejection"] == pytest.approx({"median": likelihood} | parts, abs=1e-3)
    assert (rejector.pop("name"), rejector.pop("version")) == ("vgg6_reject", 1)
    assert rejector == pytest.approx({"rejection": likelihood} | parts, abs=1e-3)
    assert values["below95_deg"] is None
    assert answer["ellipticity"]["axis_ratio"] == pytest.approx(0.5, abs=0.04)
    assert answer["ellipticity"]["r"] == 0.3
    frame = {"x": 64.0, "y": 64.0, "side": 128.0, "chosen_by": "whole"}
    facts = {"source": "upload", "format": "PNG", "width": 128, "height": 128, "frame": frame, "stretch": "none"}
    cut = ("fov_arcmin", "position_angle_deg", "ra_deg", "dec_deg", "bands", "pixel_arcsec")
    assert answer["image"] == facts | dict.fromkeys(("part", *cut, "model_input", "cutout"))
    assert answer["release"] == "test"
    assert answer["galaxy"] is None


async def test_the_networks_see_what_the_answer_shows_as_model_input() -> None:
    async with gateway() as client:
        answer = (await client.post("/api/file?include=model_input", files=FILE)).json()
    kind, _, data = answer["image"]["model_input"].partition(",")
    assert kind == "data:image/png;base64"
    import base64

    assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), DISC)


async def test_where_the_interval_reaches_face_on_there_is_a_bound_in_every_format() -> None:
    base = inclination_of(DISC)
    serving = FakeServing(models_of(RELEASE), offsets=dict.fromkeys(models_of(RELEASE), 3.0 - base))
    async with gateway(serving) as client:
        answer = (await client.post("/api/file", files=FILE)).json()
        as_csv = await client.post("/api/file?format=csv", files=FILE)
        as_votable = await client.post("/api/file?format=votable", files=FILE)
    # quantiles of 2 and 1.5 for a scale of 2 deg
    assert answer["inclination"]["interval95_deg"] == {"low": 0.0, "high": 7.0}
    assert answer["inclination"]["below95_deg"] == 6.0
    row = next(csv.DictReader(io.StringIO(as_csv.text)))
    assert (row["below95_deg"], row["interval95_low_deg"]) == ("6.0", "0.0")
    table = parse_single_table(io.BytesIO(as_votable.content)).to_table()
    assert (table["below95_deg"][0], str(table["below95_deg"].unit)) == (6.0, "deg")


async def test_without_a_rejector_its_likelihoods_are_null_and_the_inclination_stands() -> None:
    serving = FakeServing(models_of(RELEASE), lacking={"vgg6_reject": "face_on"})
    async with gateway(serving) as client:
        answer = (await client.post("/api/file", files=FILE)).json()
        as_csv = await client.post("/api/file?format=csv", files=FILE)
    assert answer["rejection"] == {"median": None, "face_on": None, "unsuitable": None, "rejectors": []}
    assert answer["inclination"]["median_deg"] == pytest.approx(inclination_of(DISC), abs=0.01)
    row = next(csv.DictReader(io.StringIO(as_csv.text)))
    assert [row[name] for name in ("rejection", "rejection_face_on", "rejection_unsuitable")] == ["", "", ""]


async def test_r_changes_the_ellipticity_inclination_only_and_query_keys_may_be_upper_case() -> None:
    async with gateway() as client:
        plain = (await client.post("/api/file", files=FILE)).json()
        thin = (await client.post("/api/file?R=0", files=FILE)).json()
    assert thin["ellipticity"]["inclination_deg"] < plain["ellipticity"]["inclination_deg"]
    assert thin["inclination"] == plain["inclination"]


@pytest.mark.parametrize("how", ["query", "accept"])
async def test_csv_and_votable_carry_the_same_numbers_with_units(how: str) -> None:
    async with gateway() as client:

        async def ask(name: str, media: str) -> Any:
            if how == "query":
                return await client.post(f"/api/file?format={name}", files=FILE)
            return await client.post("/api/file", files=FILE, headers={"accept": media})

        json_answer = (await client.post("/api/file", files=FILE)).json()
        as_csv = await ask("csv", "text/csv")
        as_votable = await ask("votable", "application/x-votable+xml")
    row = next(csv.DictReader(io.StringIO(as_csv.text)))
    assert float(row["inclination_deg"]) == json_answer["inclination"]["median_deg"]
    assert int(row["n_flavors"]) == 4
    said = json_answer["rejection"]
    assert float(row["rejection_face_on"]) == said["face_on"]
    assert float(row["rejection_unsuitable"]) == said["unsuitable"]
    assert row["below95_deg"] == ""
    table = parse_single_table(io.BytesIO(as_votable.content)).to_table()
    assert table["inclination_deg"][0] == json_answer["inclination"]["median_deg"]
    assert str(table["inclination_deg"].unit) == "deg"
    assert table["inclination_deg"].meta["ucd"].startswith("src.orbital.inclination")
    assert table["rejection_face_on"][0] == said["face_on"]
    assert table["rejection_face_on"].meta["ucd"] == "stat.probability"
    assert table["release"][0] == "test"


@pytest.mark.parametrize(
    ("data", "status", "kind"),
    [
        (b"", 422, "bad-image"),
        (b"M31", 415, "unsupported-image"),
        (PNG[: len(PNG) // 2], 422, "bad-image"),
        (encoded(np.zeros((64, 64, 3), np.uint8), "PNG"), 422, "bad-image"),
        (encoded(disc(300), "PNG"), 413, "image-too-large"),
        (b"\x89PNG" + bytes(300_001), 413, "image-too-large"),
    ],
    ids=["empty", "text", "truncated", "black", "pixels", "bytes"],
)
async def test_a_bad_image_is_a_problem_and_never_reaches_a_network(data: bytes, status: int, kind: str) -> None:
    serving = FakeServing(models_of(RELEASE))
    async with gateway(serving, max_upload_bytes=300_000, max_pixels=80_000) as client:
        response = await client.post("/api/file", files={"file": ("x", data)})
    assert (response.status_code, slug(response)) == (status, kind)
    assert serving.batches == []


async def test_an_upload_without_a_declared_length_is_cut_off_while_reading() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
        while sent < 50_000_000:
            sent += 65536
            yield bytes(65536)

    async with gateway(max_upload_bytes=300_000) as client:
        headers = {"content-type": "multipart/form-data; boundary=b"}
        response = await client.post("/api/file", content=endless(), headers=headers)
    assert response.status_code == 413
    assert sent < 1_000_000


async def test_a_client_that_dawdles_is_told_so() -> None:
    never = asyncio.Event()

    async def dawdling() -> AsyncIterator[bytes]:
        yield b"--b\r\n"
        await never.wait()

    async with gateway(upload_timeout_s=0.2) as client:
        headers = {"content-type": "multipart/form-data; boundary=b"}
        response = await client.post("/api/file", content=dawdling(), headers=headers)
    assert (response.status_code, slug(response)) == (408, "slow-client")


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"content": PNG, "headers": {"content-type": "image/png"}},
        {"files": {"picture": ("galaxy.png", PNG)}},
        {"data": {"file": "galaxy.png"}},
        {"content": b"--b\r\nnonsense", "headers": {"content-type": "multipart/form-data; boundary=b"}},
        {"content": b"nonsense", "headers": {"content-type": "multipart/form-data"}},
        {"files": FILE, "params": {"r": "1"}},
        {"files": FILE, "params": {"r": "thin"}},
        {"files": FILE, "params": {"format": "pdf"}},
        {"files": FILE, "params": {"include": "everything"}},
    ],
)
async def test_a_request_that_does_not_fit_is_told_what_is_wrong(request_: dict[str, Any]) -> None:
    async with gateway() as client:
        response = await client.post("/api/file", **request_)
    assert (response.status_code, slug(response)) == (422, "bad-request")


async def test_with_a_flavor_missing_the_rest_answer_and_the_metrics_count_it() -> None:
    serving = FakeServing(models_of(RELEASE), failing={"vgg6_m2": grpc.StatusCode.NOT_FOUND})
    async with gateway(serving) as client:
        answer = (await client.post("/api/file", files=FILE)).json()
        metrics = (await client.get("/metrics")).text
    assert [one["name"] for one in answer["flavors"]] == ["vgg6_m0", "vgg6_m1", "vgg6_m3"]
    assert any("vgg6_m2" in warning for warning in answer["warnings"])
    assert 'inclinet_missing_models_total{model="vgg6_m2"} 1.0' in metrics
    assert 'inclinet_predict_calls_total{code="NOT_FOUND",model="vgg6_m2"} 1.0' in metrics


async def test_below_the_quorum_the_answer_is_503_with_retry_after() -> None:
    failing = dict.fromkeys(("vgg6_m0", "vgg6_m1"), grpc.StatusCode.RESOURCE_EXHAUSTED)
    async with gateway(FakeServing(models_of(RELEASE), failing=failing), predict_retry_s=0.2) as client:
        response = await client.post("/api/file", files=FILE)
    assert (response.status_code, slug(response)) == (503, "quorum-lost")
    assert int(response.headers["retry-after"]) > 0
    assert response.json()["missing"] == ["vgg6_m0", "vgg6_m1"]


async def test_the_deadline_is_kept_when_the_networks_hang() -> None:
    serving = FakeServing(models_of(RELEASE), slow_s=dict.fromkeys(models_of(RELEASE), 30.0))
    async with gateway(serving, request_timeout_s=0.5) as client:
        response = await client.post("/api/file", files=FILE)
    assert (response.status_code, slug(response)) == (504, "deadline-exceeded")


async def test_beyond_concurrency_and_queue_requests_are_refused_at_once() -> None:
    serving = FakeServing(models_of(RELEASE), slow_s=dict.fromkeys(models_of(RELEASE), 0.5))
    async with gateway(serving, max_concurrency=2, max_queue=3) as client:
        answers = await asyncio.gather(*(client.post("/api/file", files=FILE) for _ in range(30)))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [200] * 5 + [503] * 25
        assert {slug(answer) for answer in answers if answer.status_code == 503} == {"busy"}
        assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 503)
        again = await client.post("/api/file", files=FILE)
    assert again.status_code == 200


async def test_the_rate_limit_counts_by_client() -> None:
    async with gateway(rate_limit_per_minute=3) as client:
        statuses = [(await client.post("/api/file", files=FILE)).status_code for _ in range(5)]
        refused = await client.post("/api/file", files=FILE)
    assert statuses == [200, 200, 200, 429, 429]
    assert slug(refused) == "too-many-requests"
    assert 0 < int(refused.headers["retry-after"]) <= 60


async def test_concurrent_uploads_share_batches_and_get_their_own_answers() -> None:
    serving = FakeServing(models_of(RELEASE), slow_s=dict.fromkeys(models_of(RELEASE), 0.05))
    pictures = []
    for value in range(32):
        pixels = DISC.copy()
        pixels[40:56, 40:56] = 8 * value  # away from the border, where one colour would be taken for an empty part
        pictures.append(pixels)
    async with gateway(serving) as client:
        answers = await asyncio.gather(
            *(client.post("/api/file?frame=whole", files={"file": ("x", encoded(one, "PNG"))}) for one in pictures)
        )
    for pixels, answer in zip(pictures, answers, strict=True):
        assert answer.json()["inclination"]["median_deg"] == pytest.approx(inclination_of(pixels), abs=0.01)
    sizes = [shape[0] for name, shape in serving.batches if name == "vgg6_m0"]
    assert sum(sizes) == 32
    assert len(sizes) < 16
