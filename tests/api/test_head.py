"""HEAD is answered wherever GET is: the same status and headers, no body."""

from __future__ import annotations

from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from gateway.app import create_app
from gateway.settings import Settings
from tests.support.fake_serving import FakeServing
from tests.support.gateway import RELEASE, gateway
from tests.support.live import Live, live_gateway
from tests.support.manifests import models_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PATHS = [
    "/",
    "/docs",
    "/openapi.json",
    "/web/app.js",
    "/swagger/swagger-ui.css",
    "/livez",
    "/readyz",
    "/metrics",
    "/api/models",
    "/api/pgc/0",
    "/api/galaxy",
    "/api/galaxy?ra=339.267&dec=34.4156",
    "/api/galaxy?RA=339.267&DEC=34.4156&format=votable",
    "/nowhere",
    "/api/file",
    "/api/batch",
    "/api/batch/columns?names=ra,dec",
]
OF_THE_MOMENT = {"date", "x-request-id"}


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with live_gateway(FakeServing(models_of(RELEASE))) as one:
        yield one


def asked(live: Live, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(live.url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    connection.request(method, path, headers={"Accept-Encoding": "gzip"})
    response = connection.getresponse()
    body = response.read()
    headers = {name.lower(): value for name, value in response.getheaders() if name.lower() not in OF_THE_MOMENT}
    # whatever came behind the head would be taken for the next answer
    connection.request("GET", "/livez")
    assert connection.getresponse().read() == b'{"status":"ok","flavors_available":null,"quorum":null}'
    connection.close()
    return response.status, headers, body


@pytest.mark.parametrize("path", PATHS)
def test_head_has_the_status_and_headers_of_get_and_no_body(path: str, live: Live) -> None:
    status, headers, body = asked(live, "GET", path)
    head_status, head_headers, nothing = asked(live, "HEAD", path)
    assert (head_status, nothing) == (status, b"")
    if path == "/metrics":
        # it has counted meanwhile
        del headers["content-length"], head_headers["content-length"]
    assert head_headers == headers
    assert body


def test_every_route_that_get_has_is_among_those() -> None:
    described = create_app(Settings(), manifest=RELEASE).openapi()["paths"]
    with_get = {path.split("{")[0] for path, item in described.items() if "get" in item}
    # these ask archives, and are answered by the code of those above
    assert {path for path in with_get if not any(one.startswith(path) for one in PATHS)} <= {
        "/api/objname/",
        "/api/coordinates",
    }


async def test_head_is_counted_as_what_it_is_and_as_a_request_of_its_client() -> None:
    async with gateway(rate_limit_per_minute=2) as client:
        statuses = [(await client.head("/api/galaxy?ra=339.267&dec=34.4156&format=json")).status_code for _ in range(3)]
        text = (await client.get("/metrics")).text
    assert statuses == [200, 200, 429]
    assert 'inclinet_requests_total{method="HEAD",route="/api/galaxy",status="200"} 2.0' in text
