from __future__ import annotations

import re
from typing import Any

import pytest

from gateway.api.routes.probes import READINESS_TIMEOUT_S
from gateway.app import create_app
from gateway.settings import Settings
from serving.flags import parse
from tests.support.deployment import BASE, OVERLAYS, load, one, pod, problem_of, rendered, resources, serving_flags
from tests.support.manifests import manifest

DEFAULTS = Settings()
DEPLOYMENTS = ("inclinet-gateway", "inclinet-serving")
NEWEST_MINORS = ("1.35", "1.37")
OPERATOR_KINDS = {"ServiceMonitor", "PrometheusRule"}


def container(name: str) -> dict[str, Any]:
    (found,) = pod(name)["containers"]
    return dict(found)


def ports(name: str) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for port in container(name)["ports"]}


def overlay(name: str) -> list[dict[str, Any]]:
    found = rendered(f"overlays/{name}")
    if found is None:
        pytest.skip("kubectl is not installed, so no overlay can be rendered")
    return found


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_pods_run_without_privileges(name: str) -> None:
    spec, inside = pod(name), container(name)["securityContext"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert inside["readOnlyRootFilesystem"] is True
    assert inside["allowPrivilegeEscalation"] is False
    assert inside["privileged"] is False
    assert inside["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_containers_have_requests_and_limits(name: str) -> None:
    assert set(container(name)["resources"]["requests"]) == {"cpu", "memory"}
    assert set(container(name)["resources"]["limits"]) == {"cpu", "memory"}
    assert all("sizeLimit" in volume["emptyDir"] for volume in pod(name)["volumes"])
    assert {mount["name"] for mount in container(name)["volumeMounts"]} == {v["name"] for v in pod(name)["volumes"]}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_what_belongs_to_a_deployment_selects_its_pods(name: str) -> None:
    both_tracks = {"app.kubernetes.io/name": name}
    labels = both_tracks | {"track": "stable"}
    deployment = one("Deployment", name)
    assert deployment["spec"]["template"]["metadata"]["labels"] == labels
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    # A canary's gateways take their share of the requests; its networks are asked by its own gateways only.
    assert one("Service", name)["spec"]["selector"] == (both_tracks if name == "inclinet-gateway" else labels)
    assert one("PodDisruptionBudget", name)["spec"]["selector"]["matchLabels"] == both_tracks
    assert one("NetworkPolicy", name)["spec"]["podSelector"]["matchLabels"] == both_tracks
    assert one("HorizontalPodAutoscaler", name)["spec"]["scaleTargetRef"]["name"] == name
    assert {spread["topologyKey"] for spread in pod(name)["topologySpreadConstraints"]} == {
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    }
    assert "replicas" not in deployment["spec"]


def test_the_gateway_finds_every_replica_of_the_networks() -> None:
    (generated,) = load("k8s/base/deployments/kustomization.yaml")["configMapGenerator"]
    environment = dict(literal.split("=", 1) for literal in generated["literals"])
    service = one("Service", "inclinet-serving")
    assert service["spec"]["clusterIP"] == "None"
    assert environment["INCLINET_SERVING"] == f"{service['metadata']['name']}:{ports('inclinet-serving')['grpc']}"
    assert container("inclinet-gateway")["envFrom"] == [{"configMapRef": {"name": generated["name"]}}]
    assert {name.removeprefix("INCLINET_").lower() for name in environment} <= set(Settings.model_fields)
    mounts = {mount["mountPath"] for mount in container("inclinet-gateway")["volumeMounts"]}
    assert environment["INCLINET_CACHE_DIR"] in mounts
    assert float(environment["INCLINET_REQUEST_TIMEOUT_S"]) == DEFAULTS.request_timeout_s


def test_probes_ask_ports_and_paths_that_exist() -> None:
    app = create_app(DEFAULTS, manifest=manifest())
    paths = set(app.openapi()["paths"])
    gateway = container("inclinet-gateway")
    asked = {name: gateway[name]["httpGet"]["path"] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert asked == {"startupProbe": "/livez", "readinessProbe": "/readyz", "livenessProbe": "/livez"}
    assert set(asked.values()) <= paths
    assert ports("inclinet-gateway") == {"http": 8080}
    assert gateway["readinessProbe"]["timeoutSeconds"] > READINESS_TIMEOUT_S


def test_the_networks_ports_are_those_of_the_model_server_and_its_health_service_is_on() -> None:
    options, _ = parse(serving_flags())
    serving = container("inclinet-serving")
    assert ports("inclinet-serving") == {"grpc": options.port, "rest": 8501}
    assert serving["readinessProbe"]["grpc"]["port"] == serving["livenessProbe"]["grpc"]["port"] == options.port
    assert options.enable_grpc_healthcheck_service
    assert serving["startupProbe"]["tcpSocket"] == {"port": "grpc"}


def test_a_replica_that_goes_finishes_its_requests_first() -> None:
    def pause(name: str) -> float:
        return float(container(name)["lifecycle"]["preStop"]["exec"]["command"][1])

    for name, work_s in (
        ("inclinet-gateway", DEFAULTS.request_timeout_s + 5),
        ("inclinet-serving", DEFAULTS.predict_timeout_s),
    ):
        assert pod(name)["terminationGracePeriodSeconds"] > pause(name) + work_s


def test_traffic_is_denied_unless_a_policy_allows_it() -> None:
    deny = one("NetworkPolicy", "inclinet-default-deny")["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    serving = one("NetworkPolicy", "inclinet-serving")["spec"]
    (source,) = serving["ingress"]
    assert source["from"] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "inclinet-gateway"}}}]
    assert [port["port"] for port in source["ports"]] == [8500]
    assert "egress" not in serving
    (outside,) = (
        rule["to"][0]["ipBlock"]
        for rule in one("NetworkPolicy", "inclinet-gateway")["spec"]["egress"]
        if "ipBlock" in rule["to"][0]
    )
    assert {"10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"} <= set(outside["except"])


def test_the_ingress_shows_the_page_and_the_api_and_keeps_probes_and_metrics_inside() -> None:
    ingress = one("Ingress", "inclinet")
    (rule,) = ingress["spec"]["rules"]
    shown = {path["path"]: path["pathType"] for path in rule["http"]["paths"]}
    assert shown == {
        "/": "Exact",
        "/web": "Prefix",
        "/swagger": "Prefix",
        "/api": "Prefix",
        "/docs": "Exact",
        "/openapi.json": "Exact",
    }
    backends = [path["backend"]["service"] for path in rule["http"]["paths"]]
    assert backends == [{"name": "inclinet-gateway", "port": {"name": "http"}}] * len(backends)
    annotations = ingress["metadata"]["annotations"]
    assert float(annotations["nginx.ingress.kubernetes.io/proxy-read-timeout"]) > DEFAULTS.request_timeout_s


def _metric_names(expression: str) -> set[str]:
    return set(re.findall(r"\binclinet_[a-z_]+", expression.replace("inclinet_server", "")))


def test_alerts_are_the_same_with_and_without_the_operator_and_name_metrics_that_exist() -> None:
    groups = load("monitoring/alerts.yml")["groups"]
    assert load("k8s/components/monitoring/rules.yaml")["spec"]["groups"] == groups
    exposed = {
        f"{family.name}{suffix}" for family in _families() for suffix in ("", "_total", "_bucket", "_count", "_sum")
    }
    for rule in groups[0]["rules"]:
        assert _metric_names(rule["expr"]) <= exposed, rule["alert"]
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}


def _families() -> list[Any]:
    from prometheus_client import CollectorRegistry

    from gateway.api.metrics import Metrics

    return list(Metrics(CollectorRegistry()).registry.collect())


def test_prometheus_scrapes_the_same_paths_in_compose_and_in_kubernetes() -> None:
    jobs = {job["job_name"]: job for job in load("monitoring/prometheus.yml")["scrape_configs"]}
    targets = {name: job["static_configs"][0]["targets"] for name, job in jobs.items()}
    assert targets == {"inclinet-gateway": ["gateway:8080"], "inclinet-serving": ["serving:8501"]}
    assert set(load("docker-compose.yml")["services"]) >= {"gateway", "serving"}
    monitors = [r for r in resources("components/monitoring") if r["kind"] == "ServiceMonitor"]
    for monitor in monitors:
        name = monitor["metadata"]["name"]
        (endpoint,) = monitor["spec"]["endpoints"]
        assert endpoint["path"] == jobs[name]["metrics_path"]
        assert endpoint["port"] in {port["name"] for port in one("Service", name)["spec"]["ports"]}
    assert len(monitors) == 2


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_renders_with_one_tag_for_both_images_and_a_hashed_config(name: str) -> None:
    found = overlay(name)
    pods = {r["metadata"]["name"]: r["spec"]["template"]["spec"] for r in found if r["kind"] == "Deployment"}
    tags = {spec["containers"][0]["image"].partition(":")[2] for spec in pods.values()}
    assert len(tags) == 1
    assert tags != {""}
    (config,) = (r["metadata"]["name"] for r in found if r["kind"] == "ConfigMap")
    assert re.fullmatch(r"inclinet-gateway-[a-z0-9]{10}", config)
    assert pods["inclinet-gateway"]["containers"][0]["envFrom"] == [{"configMapRef": {"name": config}}]
    for spec in pods.values():
        assert spec["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    assert OPERATOR_KINDS.isdisjoint({r["kind"] for r in found}) == (name == "dev")


def test_production_is_larger_than_development() -> None:
    least = {
        name: {r["metadata"]["name"]: r["spec"]["minReplicas"] for r in overlay(name) if "Autoscaler" in r["kind"]}
        for name in OVERLAYS
    }
    assert all(least["prod"][name] > least["dev"][name] for name in DEPLOYMENTS)


def test_a_canary_is_a_second_release_that_shares_nothing_but_the_requests() -> None:
    found = overlay("canary")
    assert {(r["kind"], r["metadata"]["name"].rsplit("-", 1)[0]) for r in found if r["kind"] == "ConfigMap"} == {
        ("ConfigMap", "inclinet-gateway-canary")
    }
    others = {(r["kind"], r["metadata"]["name"]) for r in found if r["kind"] != "ConfigMap"}
    assert others == {
        ("Deployment", "inclinet-gateway-canary"),
        ("Deployment", "inclinet-serving-canary"),
        ("Service", "inclinet-serving-canary"),
    }
    (config,) = (r for r in found if r["kind"] == "ConfigMap")
    assert config["data"]["INCLINET_SERVING"] == "inclinet-serving-canary:8500"
    (service,) = (r for r in found if r["kind"] == "Service")
    deployments = {r["metadata"]["name"].removesuffix("-canary"): r["spec"] for r in found if r["kind"] == "Deployment"}
    assert service["spec"]["selector"] == deployments["inclinet-serving"]["selector"]["matchLabels"]
    for name, spec in deployments.items():
        labels = spec["template"]["metadata"]["labels"]
        assert spec["replicas"] == 1
        assert labels["track"] == "canary"
        # The Deployments of prod don't take these pods for theirs; budgets, policies and the page's Service do.
        assert not one("Deployment", name)["spec"]["selector"]["matchLabels"].items() <= labels.items()
        for kind in ("PodDisruptionBudget", "NetworkPolicy"):
            selector = one(kind, name)["spec"].get("selector") or one(kind, name)["spec"]["podSelector"]
            assert selector["matchLabels"].items() <= labels.items()
    gateways = deployments["inclinet-gateway"]["template"]["metadata"]["labels"]
    assert one("Service", "inclinet-gateway")["spec"]["selector"].items() <= gateways.items()
    networks = deployments["inclinet-serving"]["template"]["metadata"]["labels"]
    assert not one("Service", "inclinet-serving")["spec"]["selector"].items() <= networks.items()


def test_a_canary_lives_where_production_lives_under_another_tag() -> None:
    settings = {name: load(f"k8s/overlays/{name}/kustomization.yaml") for name in ("prod", "canary")}
    assert settings["canary"]["namespace"] == settings["prod"]["namespace"]
    tags = {name: {image["newTag"] for image in one["images"]} for name, one in settings.items()}
    assert len(tags["canary"]) == 1
    assert tags["canary"].isdisjoint(tags["prod"])


@pytest.mark.parametrize("minor", NEWEST_MINORS)
def test_every_resource_is_valid_for_the_newest_minors(minor: str) -> None:
    found = [r for r in resources(*BASE, "components/monitoring", "batch") if r["kind"] not in OPERATOR_KINDS]
    assert len(found) == 22
    for name in (*(f"overlays/{name}" for name in (*OVERLAYS, "canary", "gpu", "batch-bucket")), "batch"):
        found += [r for r in rendered(name) or [] if r["kind"] not in OPERATOR_KINDS]
    for resource in found:
        assert problem_of(resource, minor) is None
    broken = {**one("Service", "inclinet-gateway"), "spec": {"ports": [{"prot": 80}]}}
    assert problem_of(broken, minor)
