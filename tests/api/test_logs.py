"""What is logged of a request, and what never is."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.fake_serving import FakeServing
from tests.support.gateway import RELEASE, gateway
from tests.support.logs import logged
from tests.support.manifests import models_of
from tests.support.pictures import disc, encoded
from tests.support.sky_fakes import FakeSky

PNG = encoded(disc(128), "PNG")
FILE = {"file": ("my_secret_galaxy.png", PNG)}


async def test_a_line_tells_request_target_release_route_and_time() -> None:
    with FakeSky() as sky, logged() as log:
        urls: dict[str, Any] = dict(sky.urls)
        async with gateway(**urls) as client:
            await client.get("/api/pgc/69327", headers={"X-Request-ID": "run-7"}, timeout=60)
            await client.get("/api/objname/NGC%207331", timeout=60)
            await client.get("/api/galaxy?ra=339.26671&dec=34.41553", timeout=60)
            await client.post("/api/file", files=FILE)
            await client.post("/api/batch", json=[{"pgc": 69327}, {"name": "nosuch galaxy"}], timeout=60)
    lines = log.of("request")
    assert [line["target"] for line in lines] == [
        "PGC 69327",
        "NGC 7331",
        "339.26671 34.41553",
        "upload",
        "batch of 2",
    ]
    assert {line["release"] for line in lines} == {"test"}
    assert lines[0]["request_id"] == "run-7"
    assert len({line["request_id"] for line in lines}) == 5
    for line in lines:
        assert {"method", "path", "status", "seconds", "timestamp", "level", "logger"} <= set(line)
        assert line["status"] == 200


async def test_probes_are_answered_without_a_line() -> None:
    with logged("DEBUG") as log:
        async with gateway() as client:
            for path in ("/livez", "/readyz", "/metrics", "/nowhere"):
                await client.get(path)
    assert [line["path"] for line in log.of("request")] == ["/nowhere"]


@pytest.mark.parametrize("wanted", [False, True])
async def test_addresses_of_clients_are_logged_only_where_an_operator_wants_them(*, wanted: bool) -> None:
    with logged("DEBUG") as log:
        async with gateway(log_client_address=wanted) as client:
            await client.post("/api/file", files=FILE)
    (line,) = log.of("request")
    assert line.get("client") == ("127.0.0.1" if wanted else None)
    assert ("127.0.0.1" in "".join(one for one in log.text.splitlines() if "grpc" not in one)) is wanted


async def test_nothing_of_an_upload_is_logged_at_any_level() -> None:
    with logged("DEBUG") as log:
        async with gateway() as client:
            await client.post("/api/file", files=FILE)
            await client.post("/api/file", files={"file": ("my_secret_galaxy.txt", b"a secret text")})
            await client.post("/api/batch", files={"table": ("my_secret_galaxy.csv", b"name\nsecret galaxy\n")})
    assert len(log.of("request")) == 3
    assert "secret" not in log.text.replace('"target": "secret galaxy"', "")
    assert "IHDR" not in log.text


async def test_networks_that_disagree_are_named_with_the_target_for_a_person_to_look() -> None:
    offsets = {"vgg6_m0": 30.0, "vgg6_m1": 0.0, "vgg6_m2": 15.0, "vgg6_m3": 1.0}
    with logged() as log:
        async with gateway(FakeServing(models_of(RELEASE), offsets=offsets)) as client:
            answer = (await client.post("/api/file", files=FILE)).json()
    (line,) = log.of("networks disagree")
    assert line["level"] == "warning"
    assert line["target"] == "upload"
    assert line["stdev_deg"] == pytest.approx(answer["inclination"]["stdev_deg"], abs=0.01)
    assert set(line["flavors"]) == {f"vgg6_m{bag}" for bag in range(4)}
    assert line["request_id"] == log.of("request")[0]["request_id"]


async def test_a_failed_network_is_logged_with_the_request_that_it_failed() -> None:
    import grpc

    serving = FakeServing(models_of(RELEASE), failing={"vgg6_m2": grpc.StatusCode.INTERNAL})
    with logged() as log:
        async with gateway(serving) as client:
            await client.post("/api/file", files=FILE, headers={"X-Request-ID": "run-8"})
    (line,) = log.of("flavor failed")
    assert (line["model"], line["code"], line["request_id"]) == ("vgg6_m2", "INTERNAL", "run-8")


async def test_an_error_that_nothing_foresaw_is_logged_once_with_its_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a wire came loose")

    monkeypatch.setattr("gateway.measure.one.prepare", broken)
    with logged() as log:
        async with gateway() as client:
            response = await client.post("/api/file", files=FILE)
    assert response.status_code == httpx.codes.INTERNAL_SERVER_ERROR
    assert sum("a wire came loose" in line for line in log.text.splitlines()) == 1
    (line,) = log.of("unforeseen error")
    assert "Traceback" in line["exception"]
    assert line["request_id"] == response.headers["x-request-id"]
