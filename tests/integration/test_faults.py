"""What breaks around the gateway, with real processes: no wrong answer, no 500, every request answered or refused."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from benchmarks import load
from tests.support.models import flavor_answer, write_corrupt, write_repository
from tests.support.pictures import disc, encoded
from tests.support.service import UpProcess
from tests.support.serving import ServingProcess
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.models import Repository

pytestmark = pytest.mark.slow

DISC = disc(128)
PNG = encoded(DISC, "PNG")
RIGHT_DEG = float(flavor_answer(DISC[None])[0]) + 1.5
PATIENCE_S = 240.0
MEGABYTE = 1024 * 1024


@pytest.fixture
def release(tmp_path: Path) -> Repository:
    return write_repository(tmp_path / "release")


def gateway(folder: Path, release: Repository, serving: ServingProcess, **settings: str) -> UpProcess:
    environment = {f"INCLINET_{name.upper()}": value for name, value in settings.items()}
    manifest = f"--manifest={release.root / 'manifest.json'}"
    return UpProcess(folder, manifest, f"--serving={serving.address}", environment=environment)


class LoadThread(threading.Thread):
    """Clients that ask again and again, and keep what they were answered."""

    def __init__(self, url: str, clients: int = 4) -> None:
        super().__init__()
        self._url = url
        self._clients = clients
        self._enough = threading.Event()
        self.answers: list[tuple[int, float | None]] = []

    def run(self) -> None:
        asyncio.run(self._all())

    async def _all(self) -> None:
        async with httpx.AsyncClient(base_url=self._url, timeout=PATIENCE_S) as client:
            await asyncio.gather(*(self._one(client) for _ in range(self._clients)))

    async def _one(self, client: httpx.AsyncClient) -> None:
        while not self._enough.is_set():
            answer = await client.post("/api/file", files={"file": ("galaxy.png", PNG)})
            median = answer.json()["inclination"]["median_deg"] if answer.status_code == 200 else None
            self.answers.append((answer.status_code, median))

    def good(self) -> int:
        """How many were answered well so far."""
        return sum(status == 200 for status, _ in self.answers)

    def finish(self) -> None:
        """Stop asking, and hold everything answered to the bars."""
        self._enough.set()
        self.join()
        statuses = Counter(status for status, _ in self.answers)
        assert set(statuses) <= {200, 503}, statuses
        for _, median in self.answers:
            if median is not None:
                assert median == pytest.approx(RIGHT_DEG, abs=0.02)


def test_serving_killed_and_restarted_under_load(release: Repository, tmp_path: Path) -> None:
    with (
        ServingProcess(release.config, tmp_path / "serving.log") as serving,
        gateway(tmp_path, release, serving) as service,
    ):
        clients = LoadThread(service.url)
        clients.start()
        wait_until(lambda: clients.good() > 20, "the load to run")
        serving.kill()
        wait_until(lambda: httpx.get(f"{service.url}/readyz").status_code == 503, "the gateway to be unready")
        serving.start()
        again = clients.good()
        wait_until(lambda: clients.good() > again + 20, "answers to come again")
        assert httpx.get(f"{service.url}/readyz").status_code == 200
        clients.finish()


def test_a_corrupt_version_dropped_in_under_load_changes_no_answer(release: Repository, tmp_path: Path) -> None:
    with (
        ServingProcess(release.config, tmp_path / "serving.log", "--max_num_load_retries=0") as serving,
        gateway(tmp_path, release, serving) as service,
    ):
        clients = LoadThread(service.url)
        clients.start()
        wait_until(lambda: clients.good() > 10, "the load to run")
        write_corrupt(release.base("tiny_m1"), version=2)

        def states() -> dict[int, str]:
            models = httpx.get(f"{service.url}/api/models", timeout=30).json()["models"]
            (one,) = [model for model in models if model["name"] == "tiny_m1"]
            return {version["version"]: version["state"] for version in one["versions"]}

        wait_until(lambda: states().get(2) == "END", "the corrupt version to be given up", 60)
        assert states()[1] == "AVAILABLE"
        before = clients.good()
        wait_until(lambda: clients.good() > before + 10, "answers to go on")
        clients.finish()
        assert {status for status, _ in clients.answers} == {200}


async def _flood(url: str, uploads: int) -> Counter[int]:
    """Open so many connections at once, each with one upload, and count the statuses."""
    parts = urlsplit(url)
    data = load.request(url, "/api/file", [load.part("file", "galaxy.png", PNG)])

    async def once() -> int:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(data)
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return int(head.split()[1])

    async with asyncio.timeout(PATIENCE_S):
        return Counter(await asyncio.gather(*(once() for _ in range(uploads))))


def test_a_thousand_uploads_at_once_on_a_queue_of_64_are_answered_or_refused(
    release: Repository, tmp_path: Path
) -> None:
    with (
        ServingProcess(release.config, tmp_path / "serving.log") as serving,
        gateway(tmp_path, release, serving, max_concurrency="32", max_queue="64") as service,
    ):
        # the first flood sizes buffers and connections; the second shows whether anything stays behind
        first = asyncio.run(_flood(service.url, 1000))
        before = service.process.memory_info().rss
        second = asyncio.run(_flood(service.url, 1000))
        after = service.process.memory_info().rss
        for one in (first, second):
            assert set(one) <= {200, 503}
            assert one[200] >= 64
            assert sum(one.values()) == 1000
        assert after <= 1.1 * before
        assert httpx.get(f"{service.url}/livez").status_code == 200


def test_a_client_that_stops_reading_holds_nobody_up(release: Repository, tmp_path: Path) -> None:
    with (
        ServingProcess(release.config, tmp_path / "serving.log") as serving,
        gateway(tmp_path, release, serving) as service,
    ):
        parts = urlsplit(service.url)
        body = b"name\n" + b"nobody knows this\n" * 5000
        head = (
            f"POST /api/batch HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        with socket.create_connection((parts.hostname or "", parts.port or 0)) as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.sendall(head + body)
            wait_until(lambda: "inside 1.0" in httpx.get(f"{service.url}/metrics").text, "the batch to be inside")
            answer = httpx.post(f"{service.url}/api/file", files={"file": ("galaxy.png", PNG)}, timeout=30)
            assert answer.status_code == 200
        wait_until(
            lambda: "requests_inside 0.0" in httpx.get(f"{service.url}/metrics").text,
            "the work of a client that went away to be dropped",
        )
