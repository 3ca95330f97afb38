"""docker-compose.yml, read: what starts when, what it may, and whether its names and ports are the programs' own."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.settings import Settings
from tests.support.deployment import ROOT, load, value
from tests.support.sky_fakes import FakeSky

DEFAULTS = Settings()
COMPOSE = load("docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ALWAYS, DEMO, MONITORING, ZOO = {"serving", "gateway"}, {"sky", "demo"}, {"prometheus", "grafana"}, {"zoo"}
GATEWAYS = ("gateway", "demo")


def seconds(text: str) -> float:
    return float(text.removesuffix("s"))


@pytest.mark.parametrize(
    ("name", "waits_for"),
    [("gateway", {"serving"}), ("demo", {"serving", "sky"}), ("grafana", {"prometheus"})],
)
def test_who_asks_another_starts_once_that_is_healthy(name: str, waits_for: set[str]) -> None:
    depends = SERVICES[name]["depends_on"]
    assert depends == {other: {"condition": "service_healthy"} for other in waits_for}
    assert all("test" in SERVICES[other]["healthcheck"] for other in waits_for)


@pytest.mark.parametrize(
    ("name", "dockerfile"),
    [("serving", "serving/Dockerfile"), ("gateway", "gateway/Dockerfile"), ("zoo", "zoo/Dockerfile")],
)
def test_compose_and_the_image_check_health_alike(name: str, dockerfile: str) -> None:
    check = SERVICES[name]["healthcheck"]
    options, _, command = value(dockerfile, "HEALTHCHECK").partition(" CMD ")
    assert check["test"] == ["CMD", *json.loads(command)]
    for option in ("interval", "timeout", "retries", "start_period"):
        assert f"--{option.replace('_', '-')}={check[option]}" in options


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_hardened_limited_and_comes_back(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert int(service["user"].split(":")[0]) > 0
    assert {"cpus", "memory", "pids"} <= set(service["deploy"]["resources"]["limits"])
    assert "privileged" not in service


@pytest.mark.parametrize("name", GATEWAYS)
def test_a_gateway_that_is_stopped_finishes_its_requests_first(name: str) -> None:
    assert seconds(SERVICES[name]["stop_grace_period"]) >= DEFAULTS.request_timeout_s + 5


def test_only_the_gateway_and_the_zoo_are_published_beyond_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == {"gateway", "zoo", "demo", "prometheus", "grafana"}
    for name, ports in published.items():
        assert all(port.startswith("127.0.0.1:") for port in ports) == (name not in {"gateway", "zoo"})
    assert published["gateway"] == ["${INCLINET_PORT:-8080}:8080"]


def test_the_networks_and_the_faked_sky_are_reached_from_inside_only() -> None:
    assert SERVICES["serving"]["networks"] == ["models"]
    assert SERVICES["sky"]["networks"] == ["sky"]
    assert COMPOSE["networks"]["models"]["internal"] is True
    assert COMPOSE["networks"]["sky"]["internal"] is True


@pytest.mark.parametrize("name", GATEWAYS)
def test_a_gateways_environment_is_made_of_settings_and_valid(name: str) -> None:
    environment = SERVICES[name]["environment"]
    fields = {key.removeprefix("INCLINET_").lower(): text for key, text in environment.items()}
    assert fields["serving"] == "serving:8500"
    plain = {field: text for field, text in fields.items() if not text.startswith("${")}
    values = {field: json.loads(text) if text.startswith("[") else text for field, text in plain.items()}
    assert set(fields) <= set(Settings.model_fields)
    assert Settings(**values).serving == "serving:8500"


def test_the_demo_asks_the_fakes_and_nothing_else() -> None:
    first = int(SERVICES["sky"]["command"][-1])
    with FakeSky() as fakes:
        for offset, fake in enumerate(fakes.services.values()):
            fake.port = first + offset
        expected = {
            f"INCLINET_{name.upper()}": [url.replace("127.0.0.1", "sky") for url in urls]
            for name, urls in fakes.urls.items()
        }
    environment = SERVICES["demo"]["environment"]
    assert {key: json.loads(text) for key, text in environment.items() if key.endswith("_URLS")} == expected
    last = max(urlsplit(url).port or 0 for urls in expected.values() for url in urls)
    assert f"('127.0.0.1', {last})" in SERVICES["sky"]["healthcheck"]["test"][-1]
    assert {f"INCLINET_{name.upper()}" for name in Settings.model_fields if name.endswith("_urls")} == set(expected)


def test_what_monitoring_mounts_is_in_the_repository_and_read_only() -> None:
    for name in MONITORING:
        mounts = [volume.split(":") for volume in SERVICES[name]["volumes"] if volume.startswith("./")]
        assert mounts
        for source, _, mode in mounts:
            assert (ROOT / source).exists(), source
            assert mode == "ro"


def test_grafana_finds_its_data_source_and_its_dashboards() -> None:
    mounts = dict(volume.split(":")[:2] for volume in SERVICES["grafana"]["volumes"])
    assert mounts["./monitoring/grafana/provisioning"] == "/etc/grafana/provisioning"
    (source,) = load("monitoring/grafana/provisioning/datasources/prometheus.yaml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert SERVICES["prometheus"]["ports"][0].endswith(":9090")
    (provider,) = load("monitoring/grafana/provisioning/dashboards/inclinet.yaml")["providers"]
    assert mounts["./monitoring/grafana/dashboards"] == provider["options"]["path"]
    shared = set(SERVICES["grafana"]["networks"]) & set(SERVICES["prometheus"]["networks"])
    assert shared == {"outside"}
