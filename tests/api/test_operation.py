from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gateway.api.problems import table
from gateway.app import create_app
from gateway.settings import Settings
from tests.support.fake_serving import FakeServing
from tests.support.gateway import RELEASE, gateway
from tests.support.manifests import models_of
from tools.reference import MADE

if TYPE_CHECKING:
    from collections.abc import Iterator


async def test_alive_says_nothing_of_the_networks() -> None:
    async with gateway("127.0.0.1:1") as client:
        assert (await client.get("/livez")).status_code == 200
        ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert "UNAVAILABLE" in ready.json()["status"]


@pytest.mark.parametrize(("loading", "status"), [(0, 200), (1, 200), (2, 503), (4, 503)])
async def test_ready_needs_a_quorum_of_available_flavors(loading: int, status: int) -> None:
    states = {f"vgg6_m{bag}": "LOADING" for bag in range(loading)}
    async with gateway(FakeServing(models_of(RELEASE), states=states)) as client:
        response = await client.get("/readyz")
    assert response.status_code == status
    assert response.json()["flavors_available"] == 4 - loading
    assert response.json()["quorum"] == 3


async def test_models_shows_the_release_and_what_the_server_says() -> None:
    async with gateway(FakeServing(models_of(RELEASE), states={"vgg6_m1": "END"})) as client:
        models = (await client.get("/api/models")).json()
    assert models["release"] == "test"
    assert models["metrics"] == {"rms_deg": 3.0}
    by_name = {model["name"]: model for model in models["models"]}
    assert by_name["vgg6_m1"]["versions"] == [{"version": 1, "state": "END", "error": ""}]
    assert by_name["vgg6_reject"]["kind"] == "rejector"
    assert by_name["vgg6_m3"]["bag"] == 3


async def test_models_without_a_server_is_a_problem_that_names_the_service() -> None:
    async with gateway("127.0.0.1:1") as client:
        response = await client.get("/api/models")
    assert response.status_code == 503
    assert response.json()["service"] == "tensorflow-serving"


async def test_every_answer_carries_security_headers_and_a_request_id() -> None:
    async with gateway() as client:
        mine = await client.get("/livez", headers={"x-request-id": "survey-42"})
        forged = await client.get("/nowhere", headers={"x-request-id": "a b<script>"})
    assert mine.headers["x-request-id"] == "survey-42"
    assert forged.headers["x-request-id"] != "a b<script>"
    for response in (mine, forged):
        assert "default-src 'self'" in response.headers["content-security-policy"]
        assert "unsafe" not in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/api/file", 405)])
async def test_what_does_not_exist_is_a_problem_too(method: str, path: str, status: int) -> None:
    async with gateway() as client:
        response = await client.request(method, path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["instance"] == path


async def test_the_page_and_the_docs_come_from_local_files_only() -> None:
    async with gateway() as client:
        page, docs = await client.get("/"), await client.get("/docs")
        bundle = await client.get("/swagger/swagger-ui-bundle.js")
    assert page.status_code == docs.status_code == bundle.status_code == 200
    assert len(bundle.content) > 100_000
    for text in (page.text, docs.text):
        assert 'src="http' not in text
        assert 'href="//' not in text


def fields(schemas: dict[str, dict[str, object]]) -> Iterator[tuple[str, dict[str, object]]]:
    for name, schema in schemas.items():
        properties = schema.get("properties")
        assert isinstance(properties, dict | None)
        for key, field in (properties or {}).items():
            yield f"{name}.{key}", field


def test_every_field_of_the_api_is_described_and_every_plain_one_has_an_example() -> None:
    described = create_app(Settings(), manifest=RELEASE).openapi()
    ours = {name: one for name, one in described["components"]["schemas"].items() if name not in _FASTAPI}
    for name, field in fields(ours):
        text = json.dumps(field)
        if "$ref" not in text:
            assert "description" in field, name
            assert "examples" in field, name
    for path, methods in described["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            for parameter in operation.get("parameters", []):
                assert parameter["description"], (path, parameter["name"])
                assert "examples" in parameter["schema"] or "examples" in parameter, (path, parameter["name"])


_FASTAPI = {"HTTPValidationError", "ValidationError"}


def test_slugs_are_unique_and_the_table_in_the_docs_is_complete() -> None:
    kinds = table()
    assert len(kinds) >= 20
    page = MADE["problems"]()
    for slug, (status, title) in kinds.items():
        assert f"| `{slug}` | {status} | {title} |" in page


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("serving", "no port"),
        ("quorum", 0),
        ("quorum", 1.1),
        ("max_batch", 0),
        ("survey", "nosuch"),
        ("root_path", "x"),
    ],
)
def test_settings_that_make_no_sense_fail_at_the_start(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        Settings.model_validate({name: value})


async def test_a_root_path_moves_the_whole_gateway() -> None:
    async with gateway(root_path="/inclinet") as client:
        described = (await client.get("/inclinet/openapi.json")).json()
        for path in ("/inclinet/livez", "/livez", "/inclinet/", "/inclinet/swagger/swagger-ui.css", "/web/icon.svg"):
            assert (await client.get(path)).status_code == 200
        assert (await client.get("/inclinetlivez")).status_code == 404
    assert described["servers"] == [{"url": "/inclinet"}]
