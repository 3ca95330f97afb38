"""The zoo's image, which stands on the gateway's: it starts hardened, and what people say outlives its container."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.containers.conftest import FIRST
from tests.support import podman
from tests.support.podman import ROOT, Inside
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = f"inclinet-zoo-{os.getpid()}"


@pytest.fixture(scope="module")
def zoo(images: None) -> Iterator[str]:  # noqa: ARG001 - it stands on the gateway's
    """The name of a running container."""
    image = f"localhost/inclinet-zoo:{FIRST}"
    base = f"localhost/inclinet-gateway:{FIRST}"
    podman.build(image, ROOT / "zoo" / "Dockerfile", ROOT, "--build-arg", f"GATEWAY={base}")
    podman.podman(
        *("run", "--detach", "--name", NAME, "--publish", "127.0.0.1::8090", "--volume", f"{NAME}:/data"),
        *("--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges"),
        *("--tmpfs", "/tmp:size=64m"),  # noqa: S108 - in the container
        *("--memory", "1g", "--cpus", "2", "--pids-limit", "256", image),
    )
    try:
        yield NAME
    finally:
        podman.podman("rm", "--force", "--volumes", NAME)
        podman.podman("volume", "rm", "--force", NAME)


def ready(container: str) -> str:
    """Wait until the zoo answers; return its address."""
    url = f"http://{podman.podman('port', container, '8090/tcp').splitlines()[0]}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/readyz", timeout=10).is_success
        except httpx.HTTPError:
            return False

    wait_until(answers, "the zoo to be ready", podman.START_S)
    return url


def test_it_starts_as_nobody_on_a_read_only_root_and_shows_its_page(zoo: str) -> None:
    url = ready(zoo)
    inside = Inside.of(zoo)
    assert (inside.user, inside.root, inside.capabilities, inside.no_new_privileges) == (10001, "read-only", 0, True)
    assert "zoo" in httpx.get(f"{url}/").text
    assert "The key of the moderator" in podman.podman("logs", zoo)


def test_a_person_and_a_project_outlive_a_container_that_is_killed(zoo: str) -> None:
    url = ready(zoo)
    (line,) = [one for one in podman.podman("logs", zoo).splitlines() if "The key of the moderator" in one]
    boss = {"Authorization": f"Bearer {line.split()[-1]}"}
    slug = f"p{uuid.uuid4().hex[:8]}"
    person = {"Authorization": f"Bearer {httpx.post(f'{url}/api/people').json()['token']}"}
    httpx.post(f"{url}/api/projects", headers=boss, json={"slug": slug, "title": "P"}).raise_for_status()
    podman.podman("kill", zoo)
    podman.podman("start", zoo)
    url = ready(zoo)
    given = httpx.post(f"{url}/api/projects/{slug}/next", headers=person).raise_for_status().json()
    assert given, "practice comes first, also where a project has no galaxies yet"
    standard = httpx.get(f"{url}/{given[0]['picture']}")
    assert standard.headers["content-type"].startswith("image/")
