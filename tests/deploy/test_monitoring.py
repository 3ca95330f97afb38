"""Rules and dashboard ask for what is there: metrics that are exported, by labels that these have."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from gateway.api.metrics import Metrics
from gateway.core.drift import expectation
from gateway.core.ensemble import RejectionLikelihood, combine
from gateway.core.errors import BadImage
from gateway.core.manifest import Flavor, read_manifest
from gateway.core.models import EnsemblePrediction, FlavorPrediction, Frame, ImageInput
from gateway.measure.one import MeasuredGalaxy
from tests.support.deployment import ROOT, load
from tests.support.pictures import disc
from tests.support.promql import ALWAYS, Asked, asked, exposed

if TYPE_CHECKING:
    from collections.abc import Iterator

MONITORING = ROOT / "monitoring"
OF_PROMETHEUS: Asked = {"up": set(), "ALERTS": {"alertname", "alertstate"}}


def gateways() -> Asked:
    """Every metric of the gateway after it has seen one of everything."""
    release = read_manifest(ROOT / "model_repo" / "manifest.json")
    metrics = Metrics(CollectorRegistry())
    metrics.expect(release, expectation(release), quorum=3)
    metrics.circuits.source = lambda: {"SIMBAD": {"https://simbad.example.org/tap": "closed"}}
    readings = tuple(FlavorPrediction(one.name, 1, 60.0 + number) for number, one in enumerate(release.flavors))
    inclination = combine([one.inclination_deg for one in readings], release.calibration)
    image = ImageInput(disc(128), 128, 128, "PNG", Frame(64, 64, 128, "whole"))
    reading = EnsemblePrediction(readings, (), ("vgg8_reject",))
    rejection = RejectionLikelihood(median=0.2, face_on=0.15, unsuitable=0.05)
    metrics.observe_answer(MeasuredGalaxy(image, "upload", inclination, reading, rejection, None, release.release, ()))
    metrics.observe_stage("decode", 0.1)
    metrics.observe_call("vgg8_m0", "OK", 0.1)
    metrics.observe_upstream("SIMBAD", "ok", 0.1)
    metrics.observe_row(BadImage("damaged"))
    metrics.requests.labels("/api/file", "POST", "200").inc()
    metrics.latency.labels("/api/file").observe(0.1)
    metrics.problems.labels("bad-image").inc()
    return exposed(generate_latest(metrics.registry).decode())


# TensorFlow Serving's own, whose page only the real server has (core/util/prometheus_exporter.cc and
# servables/tensorflow/util.cc at 2.20)
_LATENCY = {"model_name", "API"}
OF_SERVING: Asked = {
    ":tensorflow:serving:request_count": {"model_name", "status"},
    **{f":tensorflow:serving:request_latency_{part}": _LATENCY | {"entrypoint"} for part in ("sum", "count")},
    ":tensorflow:serving:request_latency_bucket": _LATENCY | {"entrypoint", "le"},
    **{f":tensorflow:serving:runtime_latency_{part}": _LATENCY | {"runtime"} for part in ("sum", "count")},
    ":tensorflow:serving:runtime_latency_bucket": _LATENCY | {"runtime", "le"},
}
EXPORTED = OF_PROMETHEUS | gateways() | OF_SERVING
DASHBOARD: dict[str, Any] = json.loads((MONITORING / "grafana/dashboards/inclinet.json").read_text(encoding="utf-8"))
GROUPS: list[dict[str, Any]] = load("monitoring/alerts.yml")["groups"]
RULES: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    for rule in RULES:
        yield rule["alert"], rule["expr"]
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for annotation in DASHBOARD["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_every_expression_asks_for_metrics_and_labels_that_are_exported(where: str, expression: str) -> None:
    wanted = asked(expression)
    assert wanted, where
    for name, labels in wanted.items():
        assert name in EXPORTED, f"{where}: nothing exports {name}"
        assert labels <= EXPORTED[name] | ALWAYS, f"{where}: {name} has no {labels - EXPORTED[name] - ALWAYS}"


def test_an_expression_that_asks_for_what_is_not_there_is_noticed() -> None:
    assert asked('sum by (flavor) (rate(nosuch_total{slug="busy"}[5m]))') == {"nosuch_total": {"flavor", "slug"}}
    assert asked("1.5 * scalar(max(a)) - max(-b)") == {"a": set(), "b": set()}
    with pytest.raises(ValueError, match="parenthesis"):
        asked("sum(rate(a[5m])")


def test_everything_that_the_gateway_counts_is_shown_or_watched() -> None:
    looked_at = {name for _, expression in expressions() for name in asked(expression)}
    families = {re.sub(r"_(total|bucket|sum|count|created)$", "", name) for name in looked_at}
    counted = {re.sub(r"_(total|bucket|sum|count|created)$", "", name) for name in gateways()}
    assert {name for name in counted if name.startswith("inclinet_")} <= families


def test_alerts_have_names_of_their_own_and_say_what_is_wrong() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names) >= 15
    for rule in RULES:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert re.fullmatch(r"\d+[mh]", rule["for"])
        assert rule["annotations"]["summary"].endswith(".")


def test_what_an_alert_says_of_its_labels_its_expression_keeps() -> None:
    for rule in RULES:
        said = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
        kept = set().union(*asked(rule["expr"]).values())
        assert said <= kept, rule["alert"]


def test_every_alert_has_an_example_of_when_it_fires() -> None:
    tests = load("monitoring/alerts_test.yml")["tests"]
    firing = {case["alertname"] for test in tests for case in test.get("alert_rule_test", []) if case["exp_alerts"]}
    assert firing == {rule["alert"] for rule in RULES}


def test_alerts_fire_when_they_should_and_only_then() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool (Debian: package prometheus) is not installed, so no rule can be evaluated")
    for command in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]):
        done = subprocess.run(
            [promtool, *command], cwd=MONITORING, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_finds_its_data_source_and_grafana_its_dashboard() -> None:
    (source,) = load("monitoring/grafana/provisioning/datasources/prometheus.yaml")["datasources"]
    (provider,) = load("monitoring/grafana/provisioning/dashboards/inclinet.yaml")["providers"]
    (choice,) = (one for one in DASHBOARD["templating"]["list"] if one["type"] == "datasource")
    assert choice["current"]["value"] == source["uid"]
    assert source["url"] == "http://prometheus:9090"
    assert provider["options"]["path"] == "/etc/grafana/dashboards"
    for panel in PANELS:
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == f"${{{choice['name']}}}"


def test_panels_have_room_and_names_of_their_own() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies over {taken[x, y]}"
                taken[x, y] = panel["title"]
    for key in ("id", "title"):
        named = [panel[key] for panel in DASHBOARD["panels"]]
        assert len(set(named)) == len(named)
    assert all(panel["targets"] for panel in PANELS)


def test_variables_of_the_dashboard_are_declared() -> None:
    declared = {one["name"] for one in DASHBOARD["templating"]["list"]} | {"__rate_interval"}
    for where, expression in expressions():
        assert set(re.findall(r"\$\{?(\w+)", expression)) <= declared, where


def test_every_network_of_the_release_is_expected_to_stand_somewhere() -> None:
    release = read_manifest(ROOT / "model_repo" / "manifest.json")
    assert set(expectation(release).deviation_deg) == {one.name for one in release.models if isinstance(one, Flavor)}
