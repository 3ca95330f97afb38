"""k8s/batch, read: a batch's Job, its scheduler and its workers find each other, may no more, and lose nothing."""

from __future__ import annotations

import re
from typing import Any

import dask
import pytest
from typer.testing import CliRunner

from batch.dask.cluster import DASK_CONFIG
from gateway.settings import Settings
from inclinet.main import app
from inclinet_service.commands.running import REFUSED, SOME_FAILED, STOPPED
from tests.support.deployment import ROOT, instructions, load, one, pod, rendered, value

JOB, SCHEDULER, WORKERS = "inclinet-batch", "inclinet-batch-scheduler", "inclinet-batch-workers"
DOCKERFILE = "batch/Dockerfile"


def container(name: str) -> dict[str, Any]:
    (found,) = pod(name)["containers"]
    return dict(found)


def ports(name: str) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for port in container(name)["ports"]}


def allowed(policy: str, direction: str) -> set[int]:
    """Ports of the rules of a policy that name pods, whoever they are."""
    rules = one("NetworkPolicy", policy)["spec"].get(direction, [])
    peers = "from" if direction == "ingress" else "to"
    return {port["port"] for rule in rules for port in rule["ports"] if "podSelector" in rule[peers][0]}


@pytest.mark.parametrize("name", [JOB, SCHEDULER, WORKERS])
def test_pods_of_a_run_have_no_privileges_and_limits(name: str) -> None:
    spec, inside = pod(name), container(name)["securityContext"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert inside["readOnlyRootFilesystem"] is True
    assert inside["allowPrivilegeEscalation"] is False
    assert inside["capabilities"] == {"drop": ["ALL"]}
    assert set(container(name)["resources"]) == {"requests", "limits"}
    assert {mount["name"] for mount in container(name)["volumeMounts"]} == {v["name"] for v in spec["volumes"]}


def test_the_job_asks_what_the_program_understands() -> None:
    arguments = container(JOB)["args"]
    shown = CliRunner().invoke(app, ["batch", "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"}).output
    options = {argument.partition("=")[0] for argument in arguments if argument.startswith("--")}
    assert options == {"--output", "--dask", "--allow-problems", "--json"}
    assert all(option in shown for option in options)
    assert not arguments[0].startswith("--")


def test_job_and_workers_find_the_scheduler_and_the_networks() -> None:
    service = one("Service", SCHEDULER)
    address = f"tcp://{service['metadata']['name']}:{ports(SCHEDULER)['dask']}"
    assert f"--dask={address}" in container(JOB)["args"]
    assert address in container(WORKERS)["command"]
    assert service["spec"]["selector"] == one("Deployment", SCHEDULER)["spec"]["selector"]["matchLabels"]
    (generated,) = load("k8s/batch/kustomization.yaml")["configMapGenerator"]
    environment = dict(literal.split("=", 1) for literal in generated["literals"])
    serving = one("Service", "inclinet-serving")["metadata"]["name"]
    assert environment["INCLINET_SERVING"] == f"{serving}:8500"
    assert {name.removeprefix("INCLINET_").lower() for name in environment} <= set(Settings.model_fields)
    for name in (JOB, WORKERS):
        assert container(name)["envFrom"] == [{"configMapRef": {"name": generated["name"]}}]


def test_catalogue_and_result_lie_where_every_pod_that_touches_them_sees_them() -> None:
    claim = one("PersistentVolumeClaim", "inclinet-batch")
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    for name in (JOB, WORKERS):
        (mount,) = (m for m in container(name)["volumeMounts"] if m["name"] == "data")
        (volume,) = (v for v in pod(name)["volumes"] if v["name"] == "data")
        assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
        assert container(JOB)["args"][0].startswith(f"{mount['mountPath']}/")
        assert f"--output={mount['mountPath']}/result" in container(JOB)["args"]


def test_a_run_that_is_incomplete_is_tried_again_and_one_that_is_refused_is_not() -> None:
    job = one("Job", JOB)["spec"]
    assert job["backoffLimit"] > 0
    # The policy for exit codes needs it.
    assert job["template"]["spec"]["restartPolicy"] == "Never"
    (refused,) = (rule for rule in job["podFailurePolicy"]["rules"] if "onExitCodes" in rule)
    assert refused["action"] == "FailJob"
    assert refused["onExitCodes"] == {"containerName": "batch", "operator": "In", "values": [REFUSED]}
    assert not {SOME_FAILED, STOPPED} & set(refused["onExitCodes"]["values"])
    assert container(JOB)["name"] == refused["onExitCodes"]["containerName"]


def test_a_worker_ends_itself_before_the_kernel_ends_it() -> None:
    (limit,) = (a for a in container(WORKERS)["args"] if a.startswith("--memory-limit="))
    mebibytes = int(limit.removeprefix("--memory-limit=").removesuffix("MiB"))
    assert mebibytes < int(container(WORKERS)["resources"]["limits"]["memory"].removesuffix("Gi")) * 1024


def test_the_ports_of_a_run_are_those_of_its_programs_and_open_to_its_own_pods_only() -> None:
    arguments = dict(argument.split("=", 1) for argument in container(WORKERS)["args"])
    worker = {int(arguments[name]) for name in ("--nanny-port", "--worker-port")}
    assert {ports(WORKERS)["nanny"], ports(WORKERS)["worker"]} == worker
    assert f":{ports(WORKERS)['dashboard']}" == arguments["--dashboard-address"]
    given = container(SCHEDULER)["args"]
    assert given[given.index("--port") + 1] == str(ports(SCHEDULER)["dask"])
    assert given[given.index("--dashboard-address") + 1] == f":{ports(SCHEDULER)['dashboard']}"
    dask, serving = ports(SCHEDULER)["dask"], 8500
    assert allowed(SCHEDULER, "ingress") == {dask}
    assert allowed(SCHEDULER, "egress") == worker
    assert allowed(WORKERS, "ingress") == worker
    assert allowed(WORKERS, "egress") == worker | {dask, serving}
    assert allowed(JOB, "ingress") == set()
    assert allowed(JOB, "egress") == {dask}
    to_serving = one("NetworkPolicy", "inclinet-batch-to-serving")["spec"]
    assert to_serving["podSelector"] == one("NetworkPolicy", "inclinet-serving")["spec"]["podSelector"]
    (rule,) = to_serving["ingress"]
    assert rule["from"] == [{"podSelector": one("NetworkPolicy", WORKERS)["spec"]["podSelector"]}]


def test_a_run_is_of_the_release_that_production_serves() -> None:
    own, prod = (load(f"k8s/{folder}/kustomization.yaml") for folder in ("batch", "overlays/prod"))
    assert own["namespace"] == prod["namespace"]
    (image,) = own["images"]
    assert {image["newTag"]} == {one["newTag"] for one in prod["images"]}
    found = rendered("batch")
    if found is None:
        pytest.skip("kubectl is not installed, so nothing can be rendered")
    pods = [r["spec"]["template"]["spec"] for r in found if r["kind"] in {"Deployment", "Job"}]
    assert {spec["containers"][0]["image"] for spec in pods} == {f"inclinet-batch:{image['newTag']}"}


def test_the_image_stands_on_the_gateways_and_adds_only_what_is_locked() -> None:
    bases = [rest.split()[0] for name, rest in instructions(DOCKERFILE) if name == "FROM"]
    assert bases == ["docker.io/library/python:3.11-slim-bookworm", "${GATEWAY}", "${GATEWAY}"]
    assert value(DOCKERFILE, "USER") == "10001:10001"
    assert value(DOCKERFILE, "ENTRYPOINT") == '["inclinet", "batch"]'
    locked = {
        name: set(
            re.findall(r"^([a-z0-9-]+)==([^\s;]+)", (ROOT / f"requirements-{name}.lock").read_text(), re.MULTILINE)
        )
        for name in ("gateway", "batch", "hats")
    }
    assert locked["gateway"] < locked["batch"] < locked["hats"]
    assert {"distributed", "pyarrow"} <= {name for name, _ in locked["batch"] - locked["gateway"]}
    assert all("://" not in (ROOT / f"requirements-{name}.lock").read_text() for name in locked)


def test_workers_are_told_what_those_of_one_machine_are() -> None:
    said = {entry["name"]: entry["value"] for entry in container(WORKERS)["env"]}
    config = dask.config.collect_env(said)
    told = {key: value for key, value in DASK_CONFIG.items() if "environ" not in key}
    assert {key: dask.config.get(key, None, config=config) for key in told} == told
    # in a pod the variable has to have a value, far above Dask's, for what a machine's own workers are not told at all
    environ = {key.rpartition(".")[2]: value for key, value in DASK_CONFIG.items() if key not in told}
    assert environ == {"MALLOC_ARENA_MAX": said["MALLOC_ARENA_MAX"], "MALLOC_TRIM_THRESHOLD_": None}
    assert int(said["MALLOC_TRIM_THRESHOLD_"]) > int(said["MALLOC_MMAP_THRESHOLD_"]) > 4 << 20
