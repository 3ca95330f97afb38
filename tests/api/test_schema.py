"""Schemathesis against the gateway's own description: no answer that the description does not promise, and no 500."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, settings

from gateway.app import create_app
from gateway.settings import Settings
from tests.support.gateway import RELEASE

if TYPE_CHECKING:
    from collections.abc import Iterator

# Nothing listens on these ports: what the networks and the sky would add is tested with their fakes.
NOWHERE = ("http://127.0.0.1:9/",)
SETTINGS: dict[str, Any] = {name: NOWHERE for name in Settings.model_fields if name.endswith("_urls")} | {
    "serving": "127.0.0.1:9",
    "request_timeout_s": 1.0,
    "predict_retry_s": 0.01,
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = uvicorn.Server(
        uvicorn.Config(create_app(Settings(**SETTINGS), manifest=RELEASE), port=0, log_config=None, ws="none")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


CONFIG = schemathesis.Config.from_path(Path(__file__).parents[2] / "schemathesis.toml")
DESCRIPTION = json.loads(json.dumps(create_app(Settings(**SETTINGS), manifest=RELEASE).openapi()))

schema = schemathesis.openapi.from_dict(DESCRIPTION, config=CONFIG)


@schema.parametrize()
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_answers_are_as_described(case: schemathesis.Case[Any], url: str) -> None:
    response = case.call(base_url=url, timeout=20)
    case.validate_response(response)
