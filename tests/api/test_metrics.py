"""What the metrics say after something has happened."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from tests.support.fake_serving import FakeServing
from tests.support.gateway import RELEASE, gateway
from tests.support.manifests import models_of
from tests.support.pictures import disc, encoded
from tests.support.promql import value, values
from tests.support.sky_fakes import FakeSky

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

FILE = {"file": ("galaxy.png", encoded(disc(128), "PNG"))}
MODELS = models_of(RELEASE)


@pytest.fixture
def sky() -> Iterator[FakeSky]:
    with FakeSky() as fakes:
        yield fakes


async def page(client: httpx.AsyncClient) -> str:
    response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    return response.text


async def until(client: httpx.AsyncClient, name: str, wanted: float) -> str:
    """Return the page as soon as a metric has a value; the test's own time limit ends a wait in vain."""
    while value(text := await page(client), name) != wanted:  # noqa: ASYNC110 - the gateway's own word is waited for
        await asyncio.sleep(0.01)
    return text


async def test_every_step_of_an_upload_and_of_a_question_is_timed(sky: FakeSky) -> None:
    urls: dict[str, Any] = dict(sky.urls)
    async with gateway(**urls) as client:
        await client.post("/api/file", files=FILE)
        await client.get("/api/pgc/69327", timeout=60)
        text = await page(client)
    counted = values(text, "inclinet_stage_seconds_count")
    once, twice = ("upload", "resolve", "cutout"), ("queue", "decode", "predict")
    assert counted == {(stage,): 1.0 for stage in once} | {(stage,): 2.0 for stage in twice}


async def test_problems_are_counted_by_type_and_rows_of_batches_apart() -> None:
    async with gateway() as client:
        await client.post("/api/file", files={"file": ("notes.txt", b"no image")})
        await client.post("/api/file")
        await client.get("/nowhere")
        await client.post("/api/batch", files=[("file", FILE["file"]), ("file", ("notes.txt", b"no image"))])
        text = await page(client)
    assert values(text, "inclinet_problems_total") == {
        ("unsupported-image",): 1.0,
        ("bad-request",): 1.0,
        ("http",): 1.0,
    }
    assert values(text, "inclinet_batch_rows_total") == {("ok",): 1.0, ("unsupported-image",): 1.0}


async def test_the_states_of_the_networks_are_those_of_this_moment() -> None:
    serving = FakeServing({**MODELS, "vgg6_m3": 7}, states={"vgg6_m1": "LOADING"})
    async with gateway(serving) as client:
        text = await page(client)
        assert values(text, "inclinet_model_available", kind="flavor") == {
            ("vgg6_m0",): 1.0,
            ("vgg6_m1",): 0.0,
            ("vgg6_m2",): 1.0,
            # another version than the release's is not asked
            ("vgg6_m3",): 0.0,
        }
        assert value(text, "inclinet_model_released_version", model="vgg6_m3") == 1
        assert values(text, "inclinet_model_available", kind="rejector") == {("vgg6_reject",): 1.0}
        assert value(text, "inclinet_model_version", model="vgg6_m3") == 7
        assert value(text, "inclinet_model_version", model="vgg6_m1") == 0
        assert value(text, "inclinet_quorum") == 3
        serving.states["vgg6_m1"] = "AVAILABLE"
        assert value(await page(client), "inclinet_model_available", model="vgg6_m1") == 1
        await serving.stop()
        assert set(values(await page(client), "inclinet_model_available").values()) == {0.0}
        await serving.start()


async def test_every_model_counts_from_zero_so_that_its_first_failure_is_an_increase() -> None:
    serving = FakeServing(MODELS, failing={"vgg6_m2": grpc.StatusCode.INTERNAL})
    async with gateway(serving) as client:
        assert values(await page(client), "inclinet_missing_models_total") == {(name,): 0.0 for name in MODELS}
        await client.post("/api/file", files=FILE)
        text = await page(client)
    assert value(text, "inclinet_missing_models_total", model="vgg6_m2") == 1
    assert value(text, "inclinet_predict_calls_total", model="vgg6_m2", code="INTERNAL") == 1
    assert value(text, "inclinet_predict_calls_total", model="vgg6_m0", code="OK") == 1


async def test_the_queue_tells_who_works_and_who_waits() -> None:
    serving = FakeServing(MODELS)
    serving.hold = asyncio.Event()
    async with gateway(serving, max_concurrency=2, max_queue=3, batches_in_flight=1) as client:
        asked = [asyncio.create_task(client.post("/api/file", files=FILE)) for _ in range(4)]
        await until(client, "inclinet_requests_waiting", 2)
        text = await until(client, "inclinet_images_waiting", 1)
        assert value(text, "inclinet_requests_inside") == 4
        assert value(text, "inclinet_requests_working") == 2
        assert value(text, "inclinet_requests_capacity") == 5
        assert value(text, "inclinet_batches_out") == 1
        serving.hold.set()
        assert {(await one).status_code for one in asked} == {200}
        text = await page(client)
    for name in ("requests_inside", "requests_working", "requests_waiting", "images_waiting", "batches_out"):
        assert value(text, f"inclinet_{name}") == 0, name


async def test_a_caller_that_gives_up_leaves_nothing_behind_in_the_queue() -> None:
    serving = FakeServing(MODELS)
    serving.hold = asyncio.Event()
    async with gateway(serving, max_concurrency=1, max_queue=3) as client:
        worker, waiter = (asyncio.create_task(client.post("/api/file", files=FILE)) for _ in range(2))
        await until(client, "inclinet_requests_waiting", 1)
        waiter.cancel()
        text = await until(client, "inclinet_requests_waiting", 0)
        assert value(text, "inclinet_requests_inside") == 1
        serving.hold.set()
        assert (await worker).status_code == 200


async def test_calls_circuits_and_cache_of_the_sky_are_shown(sky: FakeSky, tmp_path: Path) -> None:
    urls: dict[str, Any] = dict(sky.urls)
    async with gateway(cache_dir=tmp_path, cache_max_bytes=1_000_000, **urls) as client:
        for _ in range(2):
            await client.get("/api/pgc/69327?fov=12", timeout=60)
        text = await page(client)
        assert value(text, "inclinet_upstream_calls_total", service="SkyServer", outcome="ok") == 1
        assert value(text, "inclinet_upstream_calls_total", service="SkyServer", outcome="cached") == 1
        assert value(text, "inclinet_cache_bytes") > 1000
        assert value(text, "inclinet_cache_limit_bytes") == 1_000_000
        mirror = f"127.0.0.1:{sky.skyserver.port}/dr18/SkyServerWS/ImgCutout/getjpeg"
        shown = values(text, "inclinet_upstream_circuit", service="SkyServer", mirror=mirror)
        assert shown == {("closed",): 1.0, ("half-open",): 0.0, ("open",): 0.0}
        sky.skyserver.fault = "500"
        for fov in range(3, 9):
            await client.get(f"/api/pgc/69327?fov={fov}", timeout=60)
        shown = values(await page(client), "inclinet_upstream_circuit", service="SkyServer", mirror=mirror)
        assert shown == {("closed",): 0.0, ("half-open",): 0.0, ("open",): 1.0}


async def test_without_a_cache_none_is_shown() -> None:
    async with gateway() as client:
        text = await page(client)
    assert value(text, "inclinet_cache_bytes") == value(text, "inclinet_cache_limit_bytes") == 0


async def test_the_spread_and_where_each_flavor_stands_are_counted_for_every_way_to_ask() -> None:
    serving = FakeServing(MODELS, offsets={"vgg6_m0": 0.0, "vgg6_m1": 1.0, "vgg6_m2": 2.0, "vgg6_m3": 5.0})
    async with gateway(serving) as client:
        answer = (await client.post("/api/file", files=FILE)).json()
        await client.post("/api/batch", files=FILE)
        text = await page(client)
    stdev = answer["inclination"]["stdev_deg"]
    assert value(text, "inclinet_ensemble_stdev_deg_sum") == pytest.approx(2 * stdev, rel=1e-3)
    assert value(text, "inclinet_ensemble_stdev_deg_bucket", le="2.0") == 0
    assert value(text, "inclinet_ensemble_stdev_deg_bucket", le="3.0") == 2
    assert values(text, "inclinet_flavor_answers_total") == {(f"vgg6_m{bag}",): 2.0 for bag in range(4)}
    # the median lies at 1.5 above the first
    assert values(text, "inclinet_flavor_deviation_deg_total", side="above") == {
        ("vgg6_m0",): 0.0,
        ("vgg6_m1",): 0.0,
        ("vgg6_m2",): pytest.approx(1.0, abs=1e-3),
        ("vgg6_m3",): pytest.approx(7.0, abs=1e-3),
    }
    assert values(text, "inclinet_flavor_deviation_deg_total", side="below") == {
        ("vgg6_m0",): pytest.approx(3.0, abs=1e-3),
        ("vgg6_m1",): pytest.approx(1.0, abs=1e-3),
        ("vgg6_m2",): 0.0,
        ("vgg6_m3",): 0.0,
    }
    assert value(text, "inclinet_rejection_likelihood_count") == 2


async def test_what_the_release_promises_is_shown_beside_it() -> None:
    metrics = {"rms_deg": 4.0, "bias_deg": 0.5}
    flavors = tuple(one.model_copy(update={"metrics": metrics}) for one in RELEASE.flavors)
    told = RELEASE.model_copy(update={"flavors": flavors, "metrics": {"rms_deg": 3.0, "bias_deg": 0.2}})
    async with gateway(release=told) as client:
        text = await page(client)
    assert value(text, "inclinet_expected_stdev_deg", release="test") == pytest.approx((4 / 3 * 7) ** 0.5)
    assert values(text, "inclinet_expected_deviation_deg") == {
        (f"vgg6_m{bag}",): pytest.approx(0.3) for bag in range(4)
    }
    assert values(text, "inclinet_expected_rejected_share") == {}


async def test_nothing_that_a_client_sends_becomes_a_label(sky: FakeSky) -> None:
    urls: dict[str, Any] = dict(sky.urls)
    async with gateway(**urls) as client:
        for path in ("/api/objname/markarian", "/markarian", "/web/markarian.js", "/api/pgc/markarian"):
            await client.get(path, headers={"X-Request-ID": "markarian"}, timeout=60)
        await client.request("MARKARIAN", "/api/models")
        await client.post("/api/batch", content=b"name\nmarkarian\n", headers={"Content-Type": "text/csv"}, timeout=60)
        text = await page(client)
    assert "markarian" not in text.lower()
    assert len(values(text, "inclinet_requests_total")) <= 8
