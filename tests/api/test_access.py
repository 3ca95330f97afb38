"""API keys: who may ask."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from gateway.api.keys import Keys, KeysError, make
from gateway.app import create_app
from gateway.settings import Settings
from inclinet import main
from inclinet_service.local import StartError, server
from tests.support.fake_serving import FakeServing
from tests.support.gateway import RELEASE, gateway
from tests.support.logs import logged
from tests.support.manifests import models_of
from tests.support.pictures import disc, encoded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


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


async def test_a_flood_of_requests_without_a_key_takes_no_place_from_holders(holder: Holder) -> None:
    serving = FakeServing(models_of(RELEASE))
    async with gateway(serving, api_keys_file=holder.path, max_concurrency=1, max_queue=0) as client:
        refused = await asyncio.gather(*(client.post("/api/file", files=FILE) for _ in range(20)))
        assert {response.status_code for response in refused} == {401}
        assert (await client.post("/api/file", files=FILE, headers=holder.headers)).status_code == 200
