"""API keys, CORS and headers: who may ask, from where, and what an answer gives away."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from gateway.api.keys import Keys, KeysError, make
from gateway.app import create_app
from gateway.inference.predictor import Predictor
from gateway.inference.versions import VersionState
from gateway.settings import Settings
from inclinet import main
from inclinet.local import StartError, server
from tests.support.fake_serving import FakeServing
from tests.support.gateway import RELEASE, gateway
from tests.support.logs import logged
from tests.support.manifests import models_of
from tests.support.pictures import disc, encoded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

FILE = {"file": ("galaxy.png", encoded(disc(128), "PNG"))}
ORIGIN = "https://survey.example.org"


class Holder:
    """A file of keys with one key in it."""

    def __init__(self, path: Path, name: str = "survey") -> None:
        self.path = path
        self.key, self.line = make(name)
        path.write_text(f"{self.line}\n", encoding="utf-8")

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


@pytest.fixture
def holder(tmp_path: Path) -> Holder:
    return Holder(tmp_path / "keys")


ASKED = [
    ("GET", "/api/pgc/2557"),
    ("GET", "/api/objname/M31"),
    ("GET", "/api/coordinates?ra=1&dec=1&fov=2"),
    ("GET", "/api/galaxy?pgc=2557"),
    ("GET", "/api/models"),
    ("POST", "/api/file"),
    ("POST", "/api/batch"),
    ("GET", "/api/batch/columns?names=ra,dec"),
    ("POST", "/api/batch/columns"),
]


@pytest.mark.parametrize(("method", "path"), ASKED)
async def test_without_a_key_no_question_is_answered(method: str, path: str, holder: Holder) -> None:
    async with gateway(api_keys_file=holder.path) as client:
        bare = await client.request(method, path)
        wrong = await client.request(method, path, headers={"Authorization": f"Bearer {holder.key[:-1]}"})
        other = await client.request(method, path, headers={"Authorization": "Basic c3VydmV5OnBhc3M="})
    for response in (bare, wrong, other):
        assert response.status_code == 401
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["type"] == "urn:inclinet:problem:unauthorized"
    assert bare.headers["www-authenticate"] == other.headers["www-authenticate"] == 'Bearer realm="inclinet"'
    assert wrong.headers["www-authenticate"] == 'Bearer realm="inclinet", error="invalid_token"'


def test_every_question_of_the_api_is_behind_the_key(holder: Holder) -> None:
    app = create_app(Settings(api_keys_file=holder.path), manifest=RELEASE)
    asked = {(method, path.partition("?")[0]) for method, path in ASKED}
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            guarded = "security" in operation
            assert guarded == path.startswith("/api/"), path
            assert guarded == ("401" in operation["responses"]), path
            if guarded:
                like = re.sub(r"\{[^}]*\}", "[^/]+", path)
                assert any(re.fullmatch(like, known) and method.upper() == verb for verb, known in asked), path


async def test_a_key_lets_in_and_the_page_the_docs_and_the_probes_need_none(holder: Holder) -> None:
    async with gateway(api_keys_file=holder.path) as client:
        assert (await client.post("/api/file", files=FILE, headers=holder.headers)).status_code == 200
        assert (await client.get("/api/models", headers=holder.headers)).status_code == 200
        for path in ("/", "/docs", "/openapi.json", "/web/app.js", "/livez", "/readyz", "/metrics"):
            assert (await client.get(path)).status_code == 200, path


async def test_the_api_says_how_a_key_is_sent_where_one_is_needed_and_nothing_where_none_is(holder: Holder) -> None:
    async with gateway(api_keys_file=holder.path) as client:
        described = (await client.get("/openapi.json")).json()
    async with gateway() as client:
        open_to_all = (await client.get("/openapi.json")).json()
    scheme = described["components"]["securitySchemes"]["API key"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert described["paths"]["/api/file"]["post"]["security"] == [{"API key": []}]
    assert "securitySchemes" not in open_to_all["components"]
    assert "401" not in open_to_all["paths"]["/api/file"]["post"]["responses"]


async def test_a_stranger_is_refused_before_a_byte_of_the_upload_is_read(holder: Holder) -> None:
    sent = []

    async def upload() -> AsyncIterator[bytes]:
        for number in range(100):
            sent.append(number)
            yield b"x" * 100_000

    async with gateway(api_keys_file=holder.path) as client:
        response = await client.post("/api/file", content=upload())
    assert response.status_code == 401
    assert sent == []


async def test_a_key_revoked_is_refused_at_the_next_request(holder: Holder) -> None:
    async with gateway(api_keys_file=holder.path) as client:
        assert (await client.get("/api/models", headers=holder.headers)).status_code == 200
        Holder(holder.path, "another")
        assert (await client.get("/api/models", headers=holder.headers)).status_code == 401


async def test_the_rate_is_counted_by_the_keys_name(holder: Holder) -> None:
    other = Holder(holder.path.with_name("other"), "wiki")
    holder.path.write_text(f"{holder.line}\n{other.line}\n", encoding="utf-8")
    async with gateway(api_keys_file=holder.path, rate_limit_per_minute=2) as client:

        async def ask(headers: dict[str, str]) -> int:
            return (await client.post("/api/file", headers=headers)).status_code

        assert [await ask(holder.headers) == 429 for _ in range(3)] == [False, False, True]
        assert [await ask(other.headers) == 429 for _ in range(3)] == [False, False, True]


async def test_the_log_names_the_key_and_never_holds_it(holder: Holder) -> None:
    almost = holder.key[:-3] + "xyz"
    with logged("DEBUG") as log:
        async with gateway(api_keys_file=holder.path) as client:
            await client.post("/api/file", files=FILE, headers=holder.headers)
            await client.get("/api/models", headers={"Authorization": f"Bearer {almost}"})
            metrics = (await client.get("/metrics")).text
    assert [line.get("key") for line in log.of("request")] == ["survey", None]
    for secret in (holder.key, almost, holder.line.partition(":")[2]):
        assert secret not in log.text
        assert secret not in metrics


def test_a_file_of_keys_that_can_not_be_used_ends_the_start_with_one_sentence(tmp_path: Path) -> None:
    settings = Settings(api_keys_file=tmp_path / "missing")
    with pytest.raises(KeysError):
        create_app(settings, manifest=RELEASE)
    with pytest.raises(StartError, match="can't be read: No such file"):
        server(settings, RELEASE)


def test_the_command_line_makes_a_key_and_the_line_that_lets_it_in(tmp_path: Path) -> None:
    made = CliRunner().invoke(main.app, ["key", "new", "survey"])
    assert made.exit_code == 0
    (key,) = re.findall(r"^inclinet_\S{43}$", made.stderr, re.MULTILINE)
    assert key not in made.stdout
    (tmp_path / "keys").write_text(made.stdout, encoding="utf-8")
    assert Keys(tmp_path / "keys").name_of(key) == "survey"
    refused = CliRunner().invoke(main.app, ["key", "new", "a b"])
    assert refused.exit_code == 2
    assert "letters" in refused.stderr


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


async def test_a_flood_of_requests_without_a_key_takes_no_place_from_holders(holder: Holder) -> None:
    serving = FakeServing(models_of(RELEASE))
    async with gateway(serving, api_keys_file=holder.path, max_concurrency=1, max_queue=0) as client:
        refused = await asyncio.gather(*(client.post("/api/file", files=FILE) for _ in range(20)))
        assert {response.status_code for response in refused} == {401}
        assert (await client.post("/api/file", files=FILE, headers=holder.headers)).status_code == 200
