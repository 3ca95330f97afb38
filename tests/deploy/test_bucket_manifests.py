"""k8s/overlays/batch-bucket, rendered: a batch's catalogue, images and results in a bucket, and no shared volume."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from inclinet.main import app
from tests.support.deployment import ROOT, container_of, one, rendered

JOB, SCHEDULER, WORKERS = "inclinet-batch", "inclinet-batch-scheduler", "inclinet-batch-workers"
TOUCHING = (JOB, WORKERS)
"""The pods that read and write the bucket."""


@pytest.fixture(scope="module")
def overlay() -> list[dict[str, Any]]:
    found = rendered("overlays/batch-bucket")
    if found is None:
        pytest.skip("kubectl is not installed, so no overlay can be rendered")
    return found


def test_the_job_asks_a_bucket_what_the_program_understands(overlay: list[dict[str, Any]]) -> None:
    what, *options = container_of(overlay, JOB)["args"]
    given = dict(option.partition("=")[::2] for option in options)
    assert what.startswith("s3://")
    assert given["--output"].startswith("s3://")
    shown = CliRunner().invoke(app, ["batch", "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"}).output
    assert all(option in shown for option in given)
    # for the rest it is the run that k8s/batch has
    (job,) = (r for r in overlay if r["kind"] == "Job")
    own = one("Job", JOB)["spec"]
    assert job["spec"]["podFailurePolicy"] == own["podFailurePolicy"]
    kept = [argument for argument in own["template"]["spec"]["containers"][0]["args"] if "/data/" not in argument]
    assert set(kept) <= set(options)


def test_no_volume_is_shared_and_what_is_fetched_has_room(overlay: list[dict[str, Any]]) -> None:
    assert not [r for r in overlay if r["kind"] == "PersistentVolumeClaim"]
    for resource in (r for r in overlay if r["kind"] in {"Deployment", "Job"}):
        spec = resource["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        assert {mount["name"] for mount in container["volumeMounts"]} == {v["name"] for v in spec["volumes"]} == {"tmp"}
        assert all("sizeLimit" in volume["emptyDir"] for volume in spec["volumes"])
        assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_credentials_come_from_a_secret_to_those_pods_alone_that_touch_the_bucket(
    overlay: list[dict[str, Any]],
) -> None:
    for name in TOUCHING:
        sources = container_of(overlay, name)["envFrom"]
        assert {"secretRef": {"name": "inclinet-bucket"}} in sources
        (config,) = (source["configMapRef"]["name"] for source in sources if "configMapRef" in source)
        (written,) = (r["data"] for r in overlay if r["kind"] == "ConfigMap" and r["metadata"]["name"] == config)
        assert written["INCLINET_SERVING"] == "inclinet-serving:8500"
        assert written["AWS_DEFAULT_REGION"]
        assert not any("SECRET" in key or "ACCESS_KEY" in key for key in written)
    assert "envFrom" not in container_of(overlay, SCHEDULER)


def test_those_pods_reach_a_bucket_outside_and_nothing_inside(overlay: list[dict[str, Any]]) -> None:
    (policy,) = (
        r["spec"] for r in overlay if r["kind"] == "NetworkPolicy" and r["metadata"]["name"] == "inclinet-bucket"
    )
    (chosen,) = policy["podSelector"]["matchExpressions"]
    assert set(chosen["values"]) == set(TOUCHING)
    (rule,) = policy["egress"]
    (peer,) = rule["to"]
    assert {"10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"} <= set(peer["ipBlock"]["except"])
    assert [port["port"] for port in rule["ports"]] == [443]


def test_the_image_has_a_driver_of_s3_and_that_of_hats_is_one_lock_away() -> None:
    locks = {name: (ROOT / f"requirements-{name}.lock").read_text() for name in ("batch", "hats")}
    assert all("\ns3fs==" in lock for lock in locks.values())
    assert "\nhats==" in locks["hats"]
    assert "\nhats==" not in locks["batch"]
