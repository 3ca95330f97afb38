"""docker-compose.yml, run: the stack and its demo, asked through their ports, killed, and rolled to another release."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.containers.conftest import FIRST, SECOND, served_versions
from tests.support import podman
from tests.support.asking import Asker, free_port
from tests.support.deployment import load
from tests.support.podman import Inside
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICES = load("docker-compose.yml")["services"]
RUN = ("serving", "gateway", "sky", "demo")
BYTES = {"M": 1024**2, "G": 1024**3}
SLOW_S = 120.0


@dataclass
class Stack:
    """The stack of docker-compose.yml with the profile ``demo``, under a name and on ports of its own."""

    project: str = f"inclinet-test-{os.getpid()}"
    port: int = field(default_factory=free_port)
    demo_port: int = field(default_factory=free_port)

    def compose(self, tag: str, *words: str) -> None:
        environment = {
            "INCLINET_TAG": tag,
            "INCLINET_PORT": str(self.port),
            "INCLINET_DEMO_PORT": str(self.demo_port),
        }
        podman.command("podman-compose", "-p", self.project, "--profile", "demo", *words, environment=environment)

    def up(self, tag: str, *groups: tuple[str, ...]) -> None:
        # podman-compose waits for health only where something schedules the checks; this does it in its place.
        for services in groups:
            self.compose(tag, "up", "-d", "--no-build", "--no-deps", *services)
            for service in services:
                wait_until(partial(self.healthy, service), f"the health of {service}", SLOW_S)

    def container(self, service: str) -> str:
        return f"{self.project}_{service}_1"

    def healthy(self, service: str) -> bool:
        try:
            podman.podman("healthcheck", "run", self.container(service))
        except podman.CommandFailed:
            return False
        return True

    @property
    def gateway(self) -> Asker:
        return Asker(f"http://127.0.0.1:{self.port}")

    @property
    def demo(self) -> Asker:
        return Asker(f"http://127.0.0.1:{self.demo_port}")


@pytest.fixture(scope="module")
def stack(releases: dict[str, str]) -> Iterator[Stack]:
    assert set(releases) == {FIRST, SECOND}
    running = Stack()
    try:
        running.up(FIRST, ("serving", "sky"), ("gateway", "demo"))
        running.gateway.wait()
        running.demo.wait()
        yield running
    finally:
        running.compose(FIRST, "down", "-v", "-t", "2")


def test_an_upload_through_the_published_port_is_measured_by_the_release(
    stack: Stack, releases: dict[str, str]
) -> None:
    answer = stack.gateway.measure()
    assert answer["release"] == releases[FIRST]
    assert 0 <= answer["inclination"]["median_deg"] <= 90
    assert versions_of(answer) == served_versions(FIRST)


def versions_of(answer: dict[str, Any]) -> dict[str, set[int]]:
    """Return the version of each network that answered."""
    return {one["name"]: {one["version"]} for one in (*answer["flavors"], *answer["rejection"]["rejectors"])}


def test_the_page_and_the_description_of_the_api_are_published_too(stack: Stack) -> None:
    for path in ("/", "/docs", "/openapi.json", "/livez", "/metrics"):
        assert stack.gateway.status(path) == httpx.codes.OK, path


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/objname/UGC 12158", {}),
        ("/api/pgc/69533", {}),
        ("/api/coordinates", {"ra": "22:42:11.52", "dec": "+19:59:52.8", "fov": 2}),
    ],
)
def test_the_demo_answers_every_way_to_ask_from_the_faked_sky(
    stack: Stack, path: str, query: dict[str, str | int]
) -> None:
    response = stack.demo.get(path, **query)
    assert response.status_code == httpx.codes.OK, response.text
    answer = response.json()
    assert answer["galaxy"]["ra_deg"] == pytest.approx(340.548, abs=0.001)
    assert answer["image"]["source"].startswith("SDSS")
    assert 0 <= answer["inclination"]["median_deg"] <= 90


def test_a_table_is_answered_and_one_in_parquet_is_told_what_to_send_instead(stack: Stack) -> None:
    answered = stack.demo.post("/api/batch", content=b"pgc\n69533\n")
    assert answered.json()["ok"] is True
    refused = stack.demo.post("/api/batch", content=b"PAR1....PAR1")
    assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "CSV, VOTable or FITS" in refused.json()["detail"]


@pytest.mark.parametrize("service", RUN)
def test_a_container_has_no_rights_and_the_limits_of_the_file(stack: Stack, service: str) -> None:
    limits = SERVICES[service]["deploy"]["resources"]["limits"]
    inside = Inside.of(stack.container(service))
    assert inside == Inside(
        user=10001,
        root="read-only",
        capabilities=0,
        no_new_privileges=True,
        seccomp=2,
        memory=int(limits["memory"][:-1]) * BYTES[limits["memory"][-1]],
        processors=float(limits["cpus"]),
        processes=limits["pids"],
    )


def test_the_networks_are_published_nowhere(stack: Stack) -> None:
    assert not any((podman.inspect(stack.container("serving"))["HostConfig"]["PortBindings"] or {}).values())
    networks = podman.inspect(stack.container("serving"))["NetworkSettings"]["Networks"]
    assert set(networks) == {f"{stack.project}_models"}
    with pytest.raises(OSError, match="refused"), socket.create_connection(("127.0.0.1", 8500), timeout=5):
        pass


@pytest.mark.parametrize("service", ["gateway", "serving"])
def test_a_killed_container_comes_back_and_answers(stack: Stack, service: str) -> None:
    container = stack.container(service)
    before = int(podman.inspect(container)["RestartCount"])
    podman.kill(container)
    wait_until(
        lambda: int(podman.inspect(container)["RestartCount"]) > before, f"{service} to be started again", SLOW_S
    )
    stack.gateway.wait()
    assert "inclination" in stack.gateway.measure()


def test_a_release_is_rolled_and_rolled_back_by_its_tag_and_the_cache_stays(
    stack: Stack, releases: dict[str, str]
) -> None:
    podman.podman("exec", stack.container("gateway"), "touch", "/cache/kept")
    for tag in (SECOND, FIRST):
        stack.up(tag, ("serving",), ("gateway",))
        stack.gateway.wait()
        answer = stack.gateway.measure()
        assert answer["release"] == releases[tag]
        assert versions_of(answer) == served_versions(tag) == stack.gateway.versions()
    assert podman.podman("exec", stack.container("gateway"), "ls", "/cache/kept") == "/cache/kept"
