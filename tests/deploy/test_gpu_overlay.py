"""k8s/overlays/gpu, rendered: production's networks on GPUs, and the gateways that fill them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gateway.settings import Settings
from tests.support.deployment import instructions, load, rendered, serving_flags


@pytest.fixture(scope="module")
def overlay() -> list[dict[str, Any]]:
    found = rendered("overlays/gpu")
    if found is None:
        pytest.skip("kubectl is not installed, so no overlay can be rendered")
    return found


def one(overlay: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (found,) = (r for r in overlay if r["kind"] == kind and r["metadata"]["name"].startswith(name))
    return found


def test_each_pod_of_the_networks_has_a_gpu_to_itself_on_a_node_that_has_one(overlay: list[dict[str, Any]]) -> None:
    deployment = one(overlay, "Deployment", "inclinet-serving")["spec"]
    spec = deployment["template"]["spec"]
    (container,) = spec["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert "nvidia.com/gpu" not in container["resources"]["requests"]
    assert spec["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert spec["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    # no GPU lies idle for one pod more, and no autoscaler takes a processor's word for a GPU's
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    assert deployment["replicas"] > 1
    scaled = {r["spec"]["scaleTargetRef"]["name"] for r in overlay if r["kind"] == "HorizontalPodAutoscaler"}
    assert scaled == {"inclinet-gateway"}


def test_what_hardens_a_pod_of_the_networks_holds_with_a_gpu_too(overlay: list[dict[str, Any]]) -> None:
    spec = one(overlay, "Deployment", "inclinet-serving")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    inside = container["securityContext"]
    assert inside["readOnlyRootFilesystem"] is True
    assert inside["allowPrivilegeEscalation"] is False
    assert inside["privileged"] is False
    assert inside["capabilities"] == {"drop": ["ALL"]}
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in spec["volumes"]}
    (kept,) = (one["value"] for one in container["env"] if one["name"] == "CUDA_CACHE_PATH")
    assert any(kept.startswith(f"{mount['mountPath']}/") for mount in container["volumeMounts"])


def test_it_is_productions_release_on_the_variant_for_gpus(overlay: list[dict[str, Any]]) -> None:
    (tag,) = {image["newTag"] for image in load("k8s/overlays/prod/kustomization.yaml")["images"]}
    images = {
        name: one(overlay, "Deployment", name)["spec"]["template"]["spec"]["containers"][0]["image"]
        for name in ("inclinet-gateway", "inclinet-serving")
    }
    assert images == {"inclinet-gateway": f"inclinet-gateway:{tag}", "inclinet-serving": f"inclinet-serving:{tag}-gpu"}
    built = instructions("serving/Dockerfile")
    assert ("ARG", "VARIANT=") in built
    (base,) = (rest for name, rest in built if name == "FROM")
    assert base.endswith("${VARIANT}")


def test_the_servers_batches_are_those_of_a_gpu_and_a_gateways_fit_in(overlay: list[dict[str, Any]]) -> None:
    spec = one(overlay, "Deployment", "inclinet-serving")["spec"]["template"]["spec"]
    (config,) = (volume["configMap"]["name"] for volume in spec["volumes"] if volume["name"] == "batching")
    written = one(overlay, "ConfigMap", "inclinet-serving-batching")
    assert written["metadata"]["name"] == config
    lines = [line for line in written["data"]["batching.config"].splitlines() if not line.startswith("#")]
    sizes = [int(line.removeprefix("allowed_batch_sizes: ")) for line in lines if line.startswith("allowed_")]
    assert sizes == sorted(set(sizes))
    matched = [re.fullmatch(r"(\w+) \{ value: (\d+) \}", line) for line in lines if not line.startswith("allowed_")]
    values = {found[1]: int(found[2]) for found in matched if found}
    # the fields of TensorFlow Serving's BatchingParameters
    assert set(values) == {"max_batch_size", "batch_timeout_micros", "num_batch_threads", "max_enqueued_batches"}
    # the server does not start otherwise
    assert sizes[-1] == values["max_batch_size"]
    settings = one(overlay, "ConfigMap", "inclinet-gateway")["data"]
    given = Settings(max_batch=settings["INCLINET_MAX_BATCH"], batches_in_flight=settings["INCLINET_BATCHES_IN_FLIGHT"])
    assert given.max_batch in sizes
    assert given.batches_in_flight > Settings().batches_in_flight
    # what production says of the gateway stays
    assert settings["INCLINET_SERVING"] == "inclinet-serving:8500"
    (mount,) = (m for m in spec["containers"][0]["volumeMounts"] if m["name"] == "batching")
    assert f"--batching_parameters_file={mount['mountPath']}" in serving_flags()
