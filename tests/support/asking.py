"""A client of a whole service over HTTP, wherever it runs."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx

from inclinet_service.local import listen
from tests.support.pictures import disc, encoded
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from httpx import Response

START_S = 180.0


def free_port() -> int:
    """Return a port that nothing listens on."""
    with listen("127.0.0.1", 0) as taken:
        return int(taken.getsockname()[1])


class Asker:
    """A client of one gateway.

    Parameters
    ----------
    url : str
        URL of the gateway.
    """

    def __init__(self, url: str) -> None:
        # One connection per question, since another container may answer than before.
        self._client = httpx.Client(base_url=url, timeout=60, trust_env=False, headers={"Connection": "close"})

    def get(self, path: str, **query: Any) -> Response:
        """Send a GET request."""
        return self._client.get(path, params=query or None)

    def post(self, path: str, **request: Any) -> Response:
        """Send a POST request."""
        return self._client.post(path, **request)

    def measure(self) -> dict[str, Any]:
        """Return the answer to an upload."""
        response = self.post("/api/file", files={"file": ("galaxy.png", encoded(disc(128), "PNG"))})
        assert response.status_code == httpx.codes.OK, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def status(self, path: str) -> int:
        """Return the status of an answer; 0 without an answer."""
        with suppress(httpx.TransportError):
            return self.get(path).status_code
        return 0

    def wait(self) -> None:
        """Wait until the gateway's networks are ready."""
        wait_until(lambda: self.status("/readyz") == httpx.codes.OK, "the networks behind the gateway", START_S)

    def versions(self) -> dict[str, set[int]]:
        """Return the versions of each network that are AVAILABLE."""
        models = self.get("/api/models").json()["models"]
        return {
            model["name"]: {one["version"] for one in model["versions"] if one["state"] == "AVAILABLE"}
            for model in models
        }
