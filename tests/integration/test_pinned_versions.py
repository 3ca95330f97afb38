"""A version that is not the release's: never answered as the release, and told to whoever looks."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

from gateway.core import errors
from gateway.core.models import Deadline
from gateway.inference.predictor import Predictor
from gateway.inference.versions import OTHER_REPLICAS
from tests.support.fake_serving import FakeServing
from tests.support.gateway import RELEASE, gateway
from tests.support.manifests import manifest, models_of
from tests.support.models import write_flavor, write_repository
from tests.support.pictures import disc, encoded
from tests.support.service import UpProcess
from tests.support.serving import ServingProcess
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

BATCH = np.full((1, 128, 128, 3), 100, np.uint8)
FILES = {"file": ("galaxy.png", encoded(disc(128), "PNG"))}
NEWER = dict.fromkeys(models_of(RELEASE), 2)


def predictor(address: str, release: Any = RELEASE, **more: Any) -> Predictor:
    return Predictor(
        address,
        release,
        quorum_fraction=2 / 3,
        call_timeout_s=30,
        retry_s=0.2,
        observe=lambda _model, _code, _seconds: None,
        **more,
    )


async def test_the_manifest_s_version_is_asked_for_unless_that_is_turned_off() -> None:
    release = manifest(2, version=7)
    for pinned, asked in ((True, {7}), (False, {None})):
        async with FakeServing(models_of(release)) as serving:
            client = predictor(serving.address, release, pin_versions=pinned)
            (reading,) = await client.read(BATCH, Deadline.after(30))
            await client.aclose()
            assert {one.version for one in reading.flavors} == {7}
            assert reading.unreleased == ()
            assert set(serving.asked_versions) == asked


async def test_networks_of_another_version_are_refused_in_plain_words_and_soon_asked_once_only() -> None:
    async with FakeServing(NEWER) as serving:
        client = predictor(serving.address)
        with pytest.raises(errors.QuorumLost, match=r"Only 0 of the 4 .* does not have version 1 of vgg6_m0"):
            await client.read(BATCH, Deadline.after(30))
        assert len(serving.batches) == (1 + OTHER_REPLICAS) * len(NEWER)
        with pytest.raises(errors.QuorumLost):
            await client.read(BATCH, Deadline.after(30))
        assert len(serving.batches) == (2 + OTHER_REPLICAS) * len(NEWER)
        await client.aclose()


async def test_one_flavor_of_another_version_is_missing_and_the_others_answer() -> None:
    async with gateway(FakeServing(models_of(RELEASE) | {"vgg6_m1": 2})) as client:
        answer = (await client.post("/api/file", files=FILES)).json()
        assert [one["name"] for one in answer["flavors"]] == ["vgg6_m0", "vgg6_m2", "vgg6_m3"]
        assert any("did not answer: vgg6_m1" in warning for warning in answer["warnings"])
        ready = await client.get("/readyz")
        assert ready.status_code == 200
        assert ready.json()["flavors_available"] == 3
        assert "another version than the release's manifest of vgg6_m1 (version 2)" in ready.json()["status"]


async def test_an_answer_in_the_name_of_another_version_does_not_count() -> None:
    async with FakeServing(models_of(RELEASE), answers_as=3) as serving:
        client = predictor(serving.address)
        with pytest.raises(errors.QuorumLost):
            await client.read(BATCH, Deadline.after(30))
        await client.aclose()


async def test_what_is_served_instead_is_shown_by_every_page_of_the_operator() -> None:
    async with gateway(FakeServing(NEWER)) as client:
        refused = await client.post("/api/file", files=FILES)
        ready = await client.get("/readyz")
        models = (await client.get("/api/models")).json()
        metrics = (await client.get("/metrics")).text
    assert (refused.status_code, ready.status_code) == (503, 503)
    assert "does not have version 1 of vgg6_m0" in refused.json()["detail"]
    assert "of vgg6_m0 (version 2) and 4 more" in ready.json()["status"]
    assert models["versions_pinned"] is True
    for one in models["models"]:
        assert (one["released_version"], one["released_version_available"]) == (1, False)
        assert [version["version"] for version in one["versions"]] == [2]
    assert 'inclinet_model_available{kind="flavor",model="vgg6_m0"} 0.0' in metrics
    assert 'inclinet_model_version{model="vgg6_m0"} 2.0' in metrics
    assert 'inclinet_model_released_version{model="vgg6_m0"} 1.0' in metrics


async def test_without_pinning_the_newest_answers_and_says_that_it_is_not_the_release() -> None:
    async with gateway(FakeServing(models_of(RELEASE) | {"vgg6_m1": 2}), pin_versions=False) as client:
        answer = (await client.post("/api/file", files=FILES)).json()
        assert [one["version"] for one in answer["flavors"]] == [1, 2, 1, 1]
        assert any("vgg6_m1 version 2 answered, which its manifest does not name" in one for one in answer["warnings"])
        table = (await client.post("/api/batch?format=csv", files=[("file", FILES["file"])])).text
        assert "vgg6_m1 version 2 answered" in table
        ready = (await client.get("/readyz")).json()
        assert (ready["flavors_available"], ready["status"].startswith("TensorFlow Serving has")) == (4, True)


def has_ipv6() -> bool:
    try:
        with closing(socket.socket(socket.AF_INET6)) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="localhost has one address only on this machine, and replicas need two")
async def test_while_replicas_of_two_releases_serve_each_gateway_finds_its_own() -> None:
    old, new = manifest(8), manifest(8, version=2)
    async with FakeServing(models_of(old)) as one:
        port = int(one.address.rpartition(":")[2])
        other = FakeServing(models_of(new))
        await other.start(port, "[::1]")
        for release in (old, new):
            client = predictor(f"localhost:{port}", release)
            for _ in range(20):
                (reading,) = await client.read(BATCH, Deadline.after(30))
                assert {said.version for said in reading.flavors} == {release.flavors[0].version}
                status = await client.release_status(timeout_s=30)
                assert status.has_quorum
            await client.aclose()
        await other.stop()
        assert one.batches
        assert other.batches


def test_a_server_that_goes_to_a_newer_version_by_itself_is_not_answered_as_the_old_release(tmp_path: Path) -> None:
    release = write_repository(tmp_path / "release", flavors=2, rejectors=0)
    manifest_path = f"--manifest={release.root / 'manifest.json'}"
    with (
        ServingProcess(release.config, tmp_path / "serving.log") as serving,
        UpProcess(tmp_path, manifest_path, f"--serving={serving.address}") as service,
    ):
        answers = [httpx.post(f"{service.url}/api/file", files=FILES, timeout=60)]
        for name in ("tiny_m0", "tiny_m1"):
            write_flavor(release.base(name), version=2)

        def refused() -> bool:
            answers.append(httpx.post(f"{service.url}/api/file", files=FILES, timeout=60))
            return answers[-1].status_code == 503

        wait_until(refused, "the old release to be gone", 60)
        assert "does not have version 1 of tiny_m0" in answers[-1].json()["detail"]
        assert httpx.get(f"{service.url}/readyz").status_code == 503
        good = [answer.json() for answer in answers if answer.status_code == 200]
        assert good
        assert {said["version"] for answer in good for said in answer["flavors"]} == {1}
