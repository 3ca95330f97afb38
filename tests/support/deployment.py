"""Reads the deployment files for tests."""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = ("dev", "prod")
BASE = ("base", "base/deployments")


def load(path: str) -> Any:
    """Read a YAML file of one document."""
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def problem_of(resource: dict[str, Any], minor: str) -> str | None:
    """Return why a minor version of Kubernetes would refuse a resource; None where it accepts it."""
    import kubernetes_validate  # takes two seconds to import, for these tests only

    try:
        kubernetes_validate.validate(resource, minor, strict=True)
    except kubernetes_validate.ValidationError as error:
        return str(error)
    return None


@functools.cache
def resources(*folders: str) -> list[dict[str, Any]]:
    """Return every resource in folders below ``k8s/``, as written (no kustomize needed)."""
    return [
        document
        for folder in folders
        for path in sorted((ROOT / "k8s" / folder).glob("*.yaml"))
        if path.name not in {"kustomization.yaml", "size.yaml"}
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]


def one(kind: str, name: str) -> dict[str, Any]:
    """Return the base's or the batches' resource of that kind and name."""
    (found,) = (r for r in resources(*BASE, "batch") if r["kind"] == kind and r["metadata"]["name"] == name)
    return found


def pod(name: str) -> dict[str, Any]:
    """Return the pod spec of a Deployment, or of the Job of that name."""
    kind = "Job" if name == "inclinet-batch" else "Deployment"
    spec: dict[str, Any] = one(kind, name)["spec"]["template"]["spec"]
    return spec


@functools.cache
def rendered(folder: str) -> list[dict[str, Any]] | None:
    """Return the resources of a folder below ``k8s/`` as kubectl renders them; None without kubectl."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        return None
    done = subprocess.run(
        [kubectl, "kustomize", str(ROOT / "k8s" / folder)],
        check=True,
        capture_output=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    return list(yaml.safe_load_all(done.stdout))


def container_of(found: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return the container of the one Deployment or Job of that name among rendered resources."""
    (resource,) = (r for r in found if r["kind"] in {"Deployment", "Job"} and r["metadata"]["name"] == name)
    (container,) = resource["spec"]["template"]["spec"]["containers"]
    return dict(container)


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile, continuation lines joined."""
    lines = [line for line in (ROOT / dockerfile).read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in joined.splitlines() if line]


def last_stage(dockerfile: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile's last stage."""
    found = instructions(dockerfile)
    start = max(index for index, (name, _) in enumerate(found) if name == "FROM")
    return found[start:]


def value(dockerfile: str, wanted: str) -> str:
    """Return the value of an instruction that occurs once in the last stage."""
    (found,) = (rest for name, rest in last_stage(dockerfile) if name == wanted)
    return found


def serving_flags() -> list[str]:
    """Return the arguments that the serving image gives its entry point."""
    (arguments,) = (json.loads(rest) for name, rest in instructions("serving/Dockerfile") if name == "CMD")
    return [str(argument) for argument in arguments]
