"""CORS, trusted proxies and headers: from where one may ask, and what an answer gives away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.inference.predictor import Predictor
from gateway.inference.versions import VersionState
from gateway.settings import Settings
from tests.support.gateway import RELEASE, gateway
from tests.support.logs import logged
from tests.support.manifests import models_of
from tests.support.pictures import disc, encoded

if TYPE_CHECKING:
    import httpx

FILE = {"file": ("galaxy.png", encoded(disc(128), "PNG"))}
ORIGIN = "https://survey.example.org"


async def test_pages_from_elsewhere_can_not_read_answers_unless_they_are_named() -> None:
    async with gateway() as client:
        closed = await client.get("/api/models", headers={"Origin": ORIGIN})
        asked = await client.options("/api/file", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
    assert not [name for response in (closed, asked) for name in response.headers if name.startswith("access-control")]


async def test_a_page_that_is_named_can_and_its_neighbours_can_not() -> None:
    async with gateway(cors_origins=[ORIGIN]) as client:

        async def preflight(origin: str, header: str = "authorization") -> httpx.Response:
            return await client.options(
                "/api/file",
                headers={
                    "Origin": origin,
                    "Access-Control-Request-Method": "POST",
                    "Access-Control-Request-Headers": header,
                },
            )

        allowed = await preflight(ORIGIN)
        answer = await client.post("/api/file", files=FILE, headers={"Origin": ORIGIN})
        failed = await client.get("/nowhere", headers={"Origin": ORIGIN})
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "Retry-After" in answer.headers["access-control-expose-headers"]
        assert "Origin" in answer.headers["vary"]
        assert failed.headers["access-control-allow-origin"] == ORIGIN
        assert "access-control-allow-credentials" not in answer.headers
        for stranger in ("http://survey.example.org", "https://survey.example.org.evil.org", "null"):
            assert "access-control-allow-origin" not in (await preflight(stranger)).headers
            told = await client.get("/api/models", headers={"Origin": stranger})
            assert "access-control-allow-origin" not in told.headers


@pytest.mark.parametrize(
    "origin", ["*", "https://*.example.org", f"{ORIGIN}/", f"{ORIGIN}/path", "example.org", "null"]
)
def test_origins_are_exact_or_the_gateway_does_not_start(origin: str) -> None:
    with pytest.raises(ValueError, match="cors_origins"):
        Settings.model_validate({"cors_origins": [origin]})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trusted_proxies", "everyone"),
        ("trusted_proxies", "10.0.0.0/8, ingress"),
        ("trusted_proxies", "10.0.0.1/8"),
        ("simbad_urls", ["file:///etc/passwd"]),
        ("skyserver_urls", ["skyserver.sdss.org/dr{release}"]),
        ("trace_share", 1.5),
    ],
)
def test_settings_of_whom_to_believe_and_whom_to_ask_are_checked_at_the_start(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        Settings.model_validate({name: value})


@pytest.mark.parametrize("value", ["", "*", "127.0.0.1", "10.0.0.0/8, fd00::/8,192.168.1.7"])
def test_proxies_are_addresses_networks_or_everyone(value: str) -> None:
    assert Settings(trusted_proxies=value).trusted_proxies == value


async def test_an_error_that_nothing_foresaw_gives_nothing_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("/srv/inclinet/secret.py line 7: password=hunter2")

    monkeypatch.setattr("gateway.measure.one.prepare", broken)
    # as in production: structlog's own console draws every traceback, for seconds
    with logged():
        async with gateway(cors_origins=[ORIGIN]) as client:
            one = await client.post("/api/file", files=FILE, headers={"Origin": ORIGIN})
            many = await client.post("/api/batch", files=FILE)
    assert one.status_code == 500
    assert one.headers["content-type"] == "application/problem+json"
    assert one.json()["type"] == "urn:inclinet:problem:internal"
    assert one.json()["instance"] == "/api/file"
    # as every other answer: to be found in the log, under the policy, and readable for the page that asked
    assert one.headers["x-request-id"]
    assert one.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in one.headers["content-security-policy"]
    assert one.headers["access-control-allow-origin"] == ORIGIN
    assert many.status_code == 200
    for text in (one.text, many.text):
        for secret in ("srv", "secret", "hunter2", "Traceback", "RuntimeError", ".py"):
            assert secret not in text


async def test_an_error_in_a_probe_gives_nothing_away_either(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise OSError(2, "No such file", "/srv/models/secret")

    monkeypatch.setattr(Predictor, "release_status", broken)
    with logged():
        async with gateway() as client:
            response = await client.get("/readyz")
    assert response.status_code == 500
    assert "srv" not in response.text


async def test_what_tensorflow_serving_says_of_its_disk_stays_there(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "Could not find SavedModel .pb or .pbtxt at supplied export directory path: /models/vgg6_m0/1"

    async def states(*_: object, **__: object) -> dict[str, tuple[VersionState, ...]]:
        return {name: (VersionState(1, "END", said),) for name in models_of(RELEASE)}

    monkeypatch.setattr(Predictor, "states", states)
    async with gateway() as client:
        (first, *_) = (await client.get("/api/models")).json()["models"]
    assert first["versions"][0]["error"].endswith("export directory path: …")


async def test_answers_of_the_api_are_kept_by_no_cache_and_files_of_the_page_may_be() -> None:
    async with gateway(root_path="/inclinet") as client:
        for path in ("/api/models", "/inclinet/api/models", "/api/pgc/x"):
            assert (await client.get(path)).headers["cache-control"] == "no-store"
        assert "no-store" not in (await client.get("/web/app.js")).headers.get("cache-control", "")
