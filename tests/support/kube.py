"""The rendered ``k8s/`` in podman: Deployments with their ConfigMaps, one pod each.

A name on the pods' network replaces a Service. Resources that podman ignores (HPA, PDB, NetworkPolicy, Ingress,
readiness) are checked by reading, in ``tests/deploy``.
"""

from __future__ import annotations

import copy
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support.asking import Asker, free_port
from tests.support.deployment import rendered
from tests.support.podman import podman

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def network(purpose: str) -> Iterator[str]:
    """Make a network for this test run; yield its name."""
    name = f"inclinet-test-{os.getpid()}-{purpose}"
    podman("network", "create", name)
    try:
        yield name
    finally:
        podman("network", "rm", "-f", name)


@dataclass
class Played:
    """A rendered folder below ``k8s/`` in podman; each Deployment is a pod with its Service's name.

    Parameters
    ----------
    rendering : str
        Folder below ``k8s/``.
    folder : Path
        Folder for the files that podman plays.
    network : str
        Network of the pods.
    """

    rendering: str
    folder: Path
    network: str

    def __post_init__(self) -> None:
        """Render, and replace the published ports by free ones."""
        found = copy.deepcopy(rendered(self.rendering))
        if found is None:
            pytest.skip("kubectl is not installed, so nothing can be rendered")
        self.configs = [one for one in found if one["kind"] == "ConfigMap"]
        self.claims = [one["metadata"]["name"] for one in found if one["kind"] == "PersistentVolumeClaim"]
        self.deployments = {one["metadata"]["name"]: one for one in found if one["kind"] == "Deployment"}
        self.jobs = {one["metadata"]["name"]: one for one in found if one["kind"] == "Job"}
        for deployment in self.deployments.values():
            deployment["spec"]["replicas"] = 1
            for container in deployment["spec"]["template"]["spec"]["containers"]:
                for port in container["ports"]:
                    port["hostPort"] = free_port()

    def play(self, deployment: str, tag: str) -> None:
        """Start a Deployment's pod with the images of a tag, replacing its present pod."""
        text = yaml.safe_dump_all([*self.configs, self.deployments[deployment]])
        # As `images:` of a kustomization does it.
        tagged = re.sub(r"image: (inclinet-\w+):\S+", rf"image: localhost/\1:{tag}", text)
        self._file(deployment).write_text(tagged, encoding="utf-8")
        podman(
            "kube", "play", "--replace", "--network", f"{self.network}:alias={deployment}", str(self._file(deployment))
        )

    def up(self, tag: str) -> None:
        """Start every Deployment, the networks before the gateway."""
        for name in sorted(self.deployments, reverse=True):
            self.play(name, tag)

    def down(self) -> None:
        """Stop all pods."""
        for name in self.deployments:
            if self._file(name).exists():
                podman("kube", "down", str(self._file(name)))
                self._file(name).unlink()

    def _file(self, deployment: str) -> Path:
        return self.folder / f"{deployment}.yaml"

    def spec(self, name: str) -> dict[str, Any]:
        """Return the pod spec of a Deployment or Job."""
        return dict((self.deployments | self.jobs)[name]["spec"]["template"]["spec"])

    def container(self, deployment: str) -> str:
        """Return podman's name of a Deployment's container."""
        (spec,) = self.spec(deployment)["containers"]
        return f"{deployment}-pod-0-{spec['name']}"

    def asker(self, deployment: str) -> Asker:
        """Return a client of a gateway."""
        (container,) = self.spec(deployment)["containers"]
        (port,) = container["ports"]
        return Asker(f"http://127.0.0.1:{port['hostPort']}")
