"""The rendered k8s/, as far as podman plays it: pods, settings, limits, a canary beside its release, a roll and back.

Podman plays Deployments with their ConfigMaps, one pod each; a name on the pods' network stands for a Service. What it
passes over (HPA, PDB, NetworkPolicy, Ingress, readiness) is checked by reading, in tests/deploy.
"""

from __future__ import annotations

import copy
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.containers.conftest import FIRST, SECOND
from tests.support import podman
from tests.support.asking import Asker, free_port
from tests.support.deployment import rendered
from tests.support.podman import Inside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NETWORK = f"inclinet-test-{os.getpid()}-kube"
BYTES = {"Mi": 1024**2, "Gi": 1024**3}


@dataclass
class Played:
    """The Deployments of an overlay as pods, each under its Service's name."""

    overlay: str
    folder: Path

    def __post_init__(self) -> None:
        found = rendered(f"overlays/{self.overlay}")
        if found is None:
            pytest.skip("kubectl is not installed, so no overlay can be rendered")
        self.configs = [one for one in found if one["kind"] == "ConfigMap"]
        deployments = [copy.deepcopy(one) for one in found if one["kind"] == "Deployment"]
        self.deployments = {one["metadata"]["name"]: one for one in deployments}
        # Podman publishes a container's ports on the machine, where they may be taken.
        for deployment in deployments:
            for container in deployment["spec"]["template"]["spec"]["containers"]:
                for port in container["ports"]:
                    port["hostPort"] = free_port()

    def play(self, deployment: str, tag: str) -> None:
        """Start a Deployment's pod with the images of a tag, in the place of one that is there."""
        path = self.folder / f"{deployment}.yaml"
        text = yaml.safe_dump_all([*self.configs, self.deployments[deployment]])
        # As `images:` of a kustomization does it.
        path.write_text(re.sub(r"image: (inclinet-\w+):\S+", rf"image: localhost/\1:{tag}", text), encoding="utf-8")
        podman.podman("kube", "play", "--replace", "--network", f"{NETWORK}:alias={deployment}", str(path))

    def up(self, tag: str) -> None:
        for name in sorted(self.deployments, reverse=True):  # serving before the gateway
            self.play(name, tag)

    def down(self) -> None:
        for name in self.deployments:
            path = self.folder / f"{name}.yaml"
            if path.exists():
                podman.podman("kube", "down", str(path))

    def container(self, deployment: str) -> str:
        (spec,) = self.spec(deployment)["containers"]
        return f"{deployment}-pod-0-{spec['name']}"

    def spec(self, deployment: str) -> dict[str, Any]:
        return dict(self.deployments[deployment]["spec"]["template"]["spec"])

    def asker(self, deployment: str) -> Asker:
        (container,) = self.spec(deployment)["containers"]
        (port,) = container["ports"]
        return Asker(f"http://127.0.0.1:{port['hostPort']}")


@pytest.fixture(scope="module")
def network(releases: dict[str, str]) -> Iterator[str]:
    assert set(releases) == {FIRST, SECOND}
    podman.podman("network", "create", NETWORK)
    try:
        yield NETWORK
    finally:
        podman.podman("network", "rm", "-f", NETWORK)


@pytest.fixture(scope="module")
def stable(network: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:  # noqa: ARG001 - pods need it
    played = Played("dev", tmp_path_factory.mktemp("stable"))
    try:
        played.up(FIRST)
        played.asker("inclinet-gateway").wait()
        yield played
    finally:
        played.down()


def test_the_pods_find_each_other_and_answer(stable: Played, releases: dict[str, str]) -> None:
    answer = stable.asker("inclinet-gateway").measure()
    assert answer["release"] == releases[FIRST]
    assert 45 <= answer["inclination"]["median_deg"] <= 90


@pytest.mark.parametrize("deployment", ["inclinet-gateway", "inclinet-serving"])
def test_a_pod_has_no_rights_and_the_limits_of_its_manifest(stable: Played, deployment: str) -> None:
    (container,) = stable.spec(deployment)["containers"]
    limits = container["resources"]["limits"]
    inside = Inside.of(stable.container(deployment))
    assert (inside.user, inside.root, inside.capabilities) == (10001, "read-only", 0)
    assert inside.no_new_privileges
    assert inside.seccomp == 2
    assert inside.memory == int(limits["memory"][:-2]) * BYTES[limits["memory"][-2:]]
    assert inside.processors == float(limits["cpu"])


def test_a_killed_pod_comes_back_and_answers(stable: Played) -> None:
    for deployment in ("inclinet-gateway", "inclinet-serving"):
        podman.kill(stable.container(deployment))
        stable.asker("inclinet-gateway").wait()
    assert "inclination" in stable.asker("inclinet-gateway").measure()


def test_a_canary_asks_its_own_networks_and_goes_without_a_trace(
    stable: Played, releases: dict[str, str], tmp_path: Path
) -> None:
    canary = Played("canary", tmp_path)
    assert set(canary.deployments) == {"inclinet-gateway-canary", "inclinet-serving-canary"}
    try:
        canary.up(SECOND)
        asked = {"stable": stable.asker("inclinet-gateway"), "canary": canary.asker("inclinet-gateway-canary")}
        for asker in asked.values():
            asker.wait()
        answers = {track: asker.measure() for track, asker in asked.items()}
        assert {track: answer["release"] for track, answer in answers.items()} == {
            "stable": releases[FIRST],
            "canary": releases[SECOND],
        }
        assert asked["stable"].versions() == {1}
        assert asked["canary"].versions() == {2}
        # The same networks under another version: what an operator compares is equal here.
        assert answers["stable"]["inclination"] == answers["canary"]["inclination"]
        for track, asker in asked.items():
            assert f'release="{answers[track]["release"]}"' in asker.get("/metrics").text
    finally:
        canary.down()
    assert stable.asker("inclinet-gateway").measure()["release"] == releases[FIRST]


def test_a_release_is_rolled_and_rolled_back(stable: Played, releases: dict[str, str]) -> None:
    for tag, version in ((SECOND, 2), (FIRST, 1)):
        stable.up(tag)
        asker = stable.asker("inclinet-gateway")
        asker.wait()
        assert asker.measure()["release"] == releases[tag]
        assert asker.versions() == {version}
