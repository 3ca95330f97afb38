"""The rendered k8s/, as far as podman plays it: pods, settings, limits, a canary beside its release, a roll and back.

What happens here is what docs/how-to/roll-a-release.md has an operator do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.containers.conftest import FIRST, SECOND, served_versions
from tests.support import podman
from tests.support.kube import Played, network
from tests.support.podman import Inside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BYTES = {"Mi": 1024**2, "Gi": 1024**3}


@pytest.fixture(scope="module")
def stable(releases: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    assert set(releases) == {FIRST, SECOND}
    with network("kube") as name:
        played = Played("overlays/dev", tmp_path_factory.mktemp("stable"), name)
        try:
            played.up(FIRST)
            played.asker("inclinet-gateway").wait()
            yield played
        finally:
            played.down()


def test_the_pods_find_each_other_and_answer(stable: Played, releases: dict[str, str]) -> None:
    answer = stable.asker("inclinet-gateway").measure()
    assert answer["release"] == releases[FIRST]
    assert 0 <= answer["inclination"]["median_deg"] <= 90


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
    canary = Played("overlays/canary", tmp_path, stable.network)
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
        assert asked["stable"].versions() == served_versions(FIRST)
        assert asked["canary"].versions() == served_versions(SECOND)
        # The same networks under another version: what an operator compares is equal here.
        assert answers["stable"]["inclination"] == answers["canary"]["inclination"]
        for track, asker in asked.items():
            assert f'release="{answers[track]["release"]}"' in asker.get("/metrics").text
    finally:
        canary.down()
    assert stable.asker("inclinet-gateway").measure()["release"] == releases[FIRST]


def test_a_release_is_rolled_and_rolled_back(stable: Played, releases: dict[str, str]) -> None:
    for tag in (SECOND, FIRST):
        stable.up(tag)
        asker = stable.asker("inclinet-gateway")
        asker.wait()
        assert asker.measure()["release"] == releases[tag]
        assert asker.versions() == served_versions(tag)
