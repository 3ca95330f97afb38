"""The components of k8s/ that an overlay takes when it wants them: keys, traces."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from gateway.settings import Settings
from tests.support.deployment import ROOT, problem_of, rendered
from zoo.settings import ZooSettings

if TYPE_CHECKING:
    from pathlib import Path

NEWEST_MINORS = ("1.35", "1.37")


def with_components(folder: Path, overlay: str, *components: str) -> list[dict[str, Any]]:
    """Render an overlay as somebody's own overlay has it that adds components."""

    def there(path: str) -> str:
        return os.path.relpath(ROOT / "k8s" / path, folder)

    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [there(f"overlays/{overlay}")],
        "components": [there(f"components/{name}") for name in components],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
    found = rendered(os.path.relpath(folder, ROOT / "k8s"))
    if found is None:
        pytest.skip("kubectl is not installed, so no overlay can be rendered")
    return found


def gateway(found: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the pod spec of the gateway and its container."""
    (deployment,) = (r for r in found if r["kind"] == "Deployment" and "gateway" in r["metadata"]["name"])
    spec = deployment["spec"]["template"]["spec"]
    return spec, spec["containers"][0]


@pytest.mark.parametrize("overlay", ["dev", "prod", "canary"])
def test_keys_come_from_a_secret_and_take_nothing_away(tmp_path: Path, overlay: str) -> None:
    spec, container = gateway(with_components(tmp_path, overlay, "keys"))
    environment = {one["name"]: one["value"] for one in container["env"]}
    assert set(environment) == {"INCLINET_API_KEYS_FILE"}
    assert "api_keys_file" in Settings.model_fields
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert {"cache", "tmp", "keys"} == set(mounts)
    assert environment["INCLINET_API_KEYS_FILE"] == f"{mounts['keys']['mountPath']}/keys"
    assert mounts["keys"]["readOnly"] is True
    assert "subPath" not in mounts["keys"]
    (volume,) = (one for one in spec["volumes"] if one["name"] == "keys")
    # 0440 in octal: the pod's group reads, and nobody else.
    assert volume["secret"] == {"secretName": "inclinet-keys", "defaultMode": 0o440}
    assert spec["securityContext"]["fsGroup"] == spec["securityContext"]["runAsGroup"]
    assert container["envFrom"]


def test_traces_may_leave_for_the_collector_that_the_gateway_is_told(tmp_path: Path) -> None:
    found = with_components(tmp_path, "prod", "tracing")
    _, container = gateway(found)
    ((name, url),) = ((one["name"], one["value"]) for one in container["env"])
    assert name == "INCLINET_OTLP_ENDPOINT"
    assert Settings(otlp_endpoint=url).otlp_endpoint == url
    (policy,) = (r for r in found if r["metadata"]["name"] == "inclinet-tracing")
    (rule,) = policy["spec"]["egress"]
    namespace = rule["to"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    assert url == f"http://otel-collector.{namespace}:{rule['ports'][0]['port']}"


@pytest.mark.parametrize("minor", NEWEST_MINORS)
def test_an_overlay_with_all_components_is_valid(tmp_path: Path, minor: str) -> None:
    for resource in with_components(tmp_path, "dev", "keys", "tracing", "zoo"):
        assert problem_of(resource, minor) is None


def test_the_zoo_is_made_of_its_settings_without_privileges_and_reaches_a_database(tmp_path: Path) -> None:
    found = with_components(tmp_path, "prod", "zoo")
    (deployment,) = (r for r in found if r["kind"] == "Deployment" and r["metadata"]["name"] == "inclinet-zoo")
    spec = deployment["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    names = {one["name"] for one in container["env"]} - {"INCLINET_CACHE_DIR"}
    assert {name.removeprefix("INCLINET_ZOO_").lower() for name in names} <= set(ZooSettings.model_fields)
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["terminationGracePeriodSeconds"] >= 10 + ZooSettings().request_timeout_s + 5
    (policy,) = (r for r in found if r["kind"] == "NetworkPolicy" and r["metadata"]["name"] == "inclinet-zoo")
    assert {"protocol": "TCP", "port": 5432} in policy["spec"]["egress"][0]["ports"]
