"""No picture takes a real gateway down: large ones in few bytes, long ones, damaged ones, under a limit of memory."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import numpy as np
import psutil
import pytest

from tests.support.fake_serving import FakeServing
from tests.support.gateway import RELEASE
from tests.support.live import networks
from tests.support.manifests import models_of
from tests.support.odd_pictures import LARGE, LARGE_ON_SKY, SKY_PLACE, damaged, small
from tests.support.pictures import disc, encoded, fits_file
from tests.support.service import UpProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's peak and lets it be reset"),
]

MEGABYTE = 1_000_000
PATIENT = {"INCLINET_REQUEST_TIMEOUT_S": "600", "INCLINET_UPLOAD_TIMEOUT_S": "600"}
"""What is watched is memory, on machines of any speed."""
ONE, FOUR = 200 * MEGABYTE, 500 * MEGABYTE


@cache
def large(kind: str) -> list[bytes]:
    """Return the files of a kind of large picture, or of a large field of the sky."""
    return [LARGE[kind]()] if kind in LARGE else LARGE_ON_SKY[kind]()


class LimitedGateway:
    """A gateway whose memory is watched."""

    def __init__(self, up: UpProcess, client: httpx.Client) -> None:
        self._folder = Path(f"/proc/{up.process.pid}")
        self._client = client
        for picture in (encoded(disc(64), "PNG"), fits_file(disc(64)[..., 0])):
            assert self.post(picture).status_code == 200  # what is imported once belongs to the base
        self.post(large("mosaic packed by gzip"), SKY_PLACE)
        self.base = self._memory("VmRSS")
        process = up.process
        space = process.memory_info().vms + 700 * MEGABYTE
        process.rlimit(psutil.RLIMIT_AS, (space, space))

    def post(self, data: bytes | list[bytes], place: dict[str, float] | None = None) -> httpx.Response:
        files = [("file", ("galaxy", one)) for one in ([data] if isinstance(data, bytes) else data)]
        return self._client.post("/api/file", files=files, params=place)

    def peak(
        self, data: bytes | list[bytes], together: int, place: dict[str, float] | None = None
    ) -> tuple[int, list[httpx.Response]]:
        """Post a picture several times at once; return the most memory above the base, bytes, and the answers."""
        (self._folder / "clear_refs").write_text("5")
        with ThreadPoolExecutor(together) as pool:
            answers = list(pool.map(self.post, [data] * together, [place] * together))
        return self._memory("VmHWM") - self.base, answers

    def _memory(self, name: str) -> int:
        line = next(line for line in (self._folder / "status").read_text().splitlines() if line.startswith(name))
        return int(line.split()[1]) * 1024


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LimitedGateway]:
    folder = tmp_path_factory.mktemp("up")
    manifest = folder / "manifest.json"
    manifest.write_text(RELEASE.model_dump_json())
    with (
        networks(FakeServing(models_of(RELEASE))) as address,
        UpProcess(folder, f"--manifest={manifest}", f"--serving={address}", environment=PATIENT) as up,
        httpx.Client(base_url=up.url, timeout=900) as client,
    ):
        yield LimitedGateway(up, client)


def is_an_answer(response: httpx.Response) -> bool:
    if response.status_code == 200:
        return True
    problem = response.headers["content-type"] == "application/problem+json"
    return problem and 400 <= response.status_code < 500 and response.json()["detail"].endswith(".")


def holds(watched: LimitedGateway, files: list[bytes], together: int, place: dict[str, float] | None = None) -> None:
    peak, answers = watched.peak(files, together, place)
    assert all(is_an_answer(answer) for answer in answers), [answer.text for answer in answers]
    assert peak <= (ONE if together == 1 else FOUR), f"{together} at once: {peak / MEGABYTE:.0f} MB"


@pytest.mark.parametrize("kind", LARGE)
def test_a_large_picture_costs_little_memory(watched: LimitedGateway, kind: str) -> None:
    (data,) = large(kind)
    assert len(data) < 10 * MEGABYTE
    holds(watched, [data], 1)


@pytest.mark.parametrize("kind", LARGE_ON_SKY)
def test_a_large_field_of_a_mosaic_costs_little_memory(watched: LimitedGateway, kind: str) -> None:
    files = large(kind)
    assert sum(map(len, files)) < 30 * MEGABYTE
    holds(watched, files, 1, SKY_PLACE)


@pytest.mark.parametrize("kind", ["PNG of 40 Mpx with alpha", "FITS of doubles"])
def test_large_pictures_at_once_wait_for_memory(watched: LimitedGateway, kind: str) -> None:
    holds(watched, large(kind), 4)


def test_large_fields_at_once_wait_for_memory(watched: LimitedGateway) -> None:
    holds(watched, large("three bands in tiles"), 4, SKY_PLACE)


def test_damaged_files_get_an_answer_or_a_problem(watched: LimitedGateway) -> None:
    files = list(small().values())
    rng = np.random.default_rng(20261128)
    for _ in range(100):
        one, other = (files[index] for index in rng.integers(len(files), size=2))
        data = damaged(one, other, rng)
        response = watched.post(data)
        assert is_an_answer(response), (data[:64].hex(), response.text)
