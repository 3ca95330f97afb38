"""The rendered k8s/batch, as far as podman plays it: Dask's scheduler and worker, a Job, and a worker killed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.containers.conftest import FIRST
from tests.support import podman
from tests.support.kube import Played, network
from tests.support.pictures import disc, encoded
from tests.support.podman import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JOB, SCHEDULER, WORKERS = "inclinet-batch", "inclinet-batch-scheduler", "inclinet-batch-workers"
SIDES = range(64, 96)


@pytest.fixture(scope="module")
def batch_image(images: None) -> str:  # noqa: ARG001 - it stands on the gateway's
    image = f"localhost/inclinet-batch:{FIRST}"
    base = f"localhost/inclinet-gateway:{FIRST}"
    podman.build(image, ROOT / "batch" / "Dockerfile", ROOT, "--build-arg", f"GATEWAY={base}")
    return image


@pytest.fixture(scope="module")
def cluster(batch_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """The networks, a scheduler and a worker, with a folder of images on the volume."""
    folder = tmp_path_factory.mktemp("batch")
    pictures = folder / "pictures"
    pictures.mkdir()
    for side in SIDES:
        (pictures / f"{side}.png").write_bytes(encoded(disc(side), "PNG"))
    with network("batch") as name:
        stable, batch = Played("overlays/dev", folder, name), Played("batch", folder, name)
        (volume,) = batch.claims
        podman.podman("volume", "create", volume)
        try:
            _fill(volume, pictures, batch_image)
            stable.play("inclinet-serving", FIRST)
            batch.play(SCHEDULER, FIRST)
            batch.play(WORKERS, FIRST)
            yield batch
        finally:
            batch.down()
            stable.down()
            podman.podman("volume", "rm", "-f", volume)


def _fill(volume: str, pictures: Path, image: str) -> None:
    """Copy the images to the volume and give it to the pods' group, as a cluster does by fsGroup."""
    podman.podman(
        *("run", "--rm", "--user", "0", "--network", "none", "--entrypoint", "sh"),
        *("-v", f"{volume}:/data", "-v", f"{pictures}:/pictures:ro", image, "-c"),
        "cp -r /pictures /data/catalogue && chown -R 10001:10001 /data",
    )


def run(cluster: Played, image: str, result: str) -> dict[str, Any]:
    """Run the Job's pod as its manifest has it, on the images and into a folder of its own; return its summary."""
    (container,) = cluster.spec(JOB)["containers"]
    (volume,) = cluster.claims
    given = {"/data/catalogue.csv": "/data/catalogue", "--output=/data/result": f"--output=/data/{result}"}
    arguments = [given.get(argument, argument) for argument in container["args"]]
    assert sorted(set(given) - set(container["args"])) == []
    (config,) = cluster.configs
    environment = [word for name, value in config["data"].items() for word in ("-e", f"{name}={value}")]
    said = podman.podman(
        *("run", "--rm", "--read-only", "--cap-drop", "all", "--network", cluster.network),
        *("-v", f"{volume}:/data", *environment, image, *arguments, "--rows", "4"),
    )
    summary: dict[str, Any] = json.loads(said.splitlines()[-1])
    return summary


def test_a_catalogue_is_measured_by_the_workers(cluster: Played, batch_image: str) -> None:
    summary = run(cluster, batch_image, "result")
    assert (summary["rows"], summary["written"], summary["answered"]) == (len(SIDES),) * 3
    assert summary["problems"] == {}


def test_what_is_written_is_not_measured_again(cluster: Played, batch_image: str) -> None:
    run(cluster, batch_image, "once")
    again = run(cluster, batch_image, "once")
    assert again["written"] == len(SIDES)
    assert again["seconds"] == 0


def test_a_worker_that_is_killed_comes_back_and_works_on(cluster: Played, batch_image: str) -> None:
    podman.kill(cluster.container(WORKERS))
    assert run(cluster, batch_image, "after")["answered"] == len(SIDES)
