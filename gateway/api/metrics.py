"""Prometheus metrics for the operator, on a registry that the caller gives."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.core.manifest import Flavor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gateway.core.drift import Expectation
    from gateway.core.errors import GatewayError
    from gateway.core.manifest import Manifest
    from gateway.inference.versions import VersionState
    from gateway.measure.one import MeasuredGalaxy

_LATENCY_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_DEG = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 20.0)
_TENTHS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_BATCH = (1, 2, 4, 8, 16, 32, 64)
CIRCUITS = ("closed", "half-open", "open")


class RequestMetrics:
    """Metrics of requests, the same for every service."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        ProcessCollector(registry=registry)
        self.requests = Counter(
            "inclinet_requests", "Answered requests.", ("route", "method", "status"), registry=registry
        )
        self.latency = Histogram(
            "inclinet_request_seconds", "Time to answer.", ("route",), buckets=_LATENCY_S, registry=registry
        )
        self.problems = Counter("inclinet_problems", "Answers that were problems.", ("slug",), registry=registry)


class Metrics(RequestMetrics):
    """Every metric of the gateway.

    Labels are bounded: routes, stages, slugs of problems, models of the release, gRPC status names, and the services
    and mirrors that the settings name. Nothing that a client sends becomes a label.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self.rows = Counter(
            "inclinet_batch_rows", "Rows of batches: ok, or the slug of a problem.", ("outcome",), registry=registry
        )
        self.stages = Histogram(
            "inclinet_stage_seconds", "Time of one step.", ("stage",), buckets=_LATENCY_S, registry=registry
        )
        self._queue(registry)
        self._networks(registry)
        self._drift(registry)
        self._sky(registry)

    def _queue(self, registry: CollectorRegistry) -> None:
        self.inside = Gauge("inclinet_requests_inside", "Requests admitted and not yet answered.", registry=registry)
        self.working = Gauge("inclinet_requests_working", "Of these, those that have a place.", registry=registry)
        self.waiting = Gauge("inclinet_requests_waiting", "Of these, those waiting for a place.", registry=registry)
        self.capacity = Gauge("inclinet_requests_capacity", "Most requests inside; then 503.", registry=registry)
        self.images_waiting = Gauge(
            "inclinet_images_waiting", "Model inputs waiting for the next batch.", registry=registry
        )
        self.batches_out = Gauge("inclinet_batches_out", "Batches that the networks work on.", registry=registry)

    def _networks(self, registry: CollectorRegistry) -> None:
        self.release = Gauge("inclinet_release", "1 for the model release served.", ("release",), registry=registry)
        self.quorum = Gauge("inclinet_quorum", "Flavors that must answer.", registry=registry)
        self.available = Gauge(
            "inclinet_model_available",
            "1 while the version to ask is AVAILABLE, 0 while it is not or TensorFlow Serving can't be asked; "
            "as of this scrape.",
            ("model", "kind"),
            registry=registry,
        )
        self.version = Gauge(
            "inclinet_model_version",
            "Highest version that is AVAILABLE; 0 while none is.",
            ("model",),
            registry=registry,
        )
        self.released_version = Gauge(
            "inclinet_model_released_version", "Version that the manifest names.", ("model",), registry=registry
        )
        self.calls = Counter("inclinet_predict_calls", "Predict calls.", ("model", "code"), registry=registry)
        self.call_latency = Histogram(
            "inclinet_predict_seconds", "Time of a Predict call.", buckets=_LATENCY_S, registry=registry
        )
        self.batch_size = Histogram(
            "inclinet_batch_images", "Images that shared a Predict call.", buckets=_BATCH, registry=registry
        )
        self.missing = Counter(
            "inclinet_missing_models", "Answers given without a model.", ("model",), registry=registry
        )

    def _drift(self, registry: CollectorRegistry) -> None:
        self.disagreement = Histogram(
            "inclinet_ensemble_stdev_deg",
            "Spread of the flavors of an answer; a drift to the right calls for a person to look.",
            buckets=_DEG,
            registry=registry,
        )
        self.rejection = Histogram(
            "inclinet_rejection_likelihood", "Median of the rejectors.", buckets=_TENTHS, registry=registry
        )
        self.flavor_answers = Counter(
            "inclinet_flavor_answers", "Answers that a flavor took part in.", ("flavor",), registry=registry
        )
        # two counters, since rate() would take the decreases of a signed sum for resets
        self.deviation = Counter(
            "inclinet_flavor_deviation_deg",
            "Sum of a flavor's distances from the median, degrees, apart for those above and below it.",
            ("flavor", "side"),
            registry=registry,
        )
        self.expected_stdev = Gauge(
            "inclinet_expected_stdev_deg",
            "Spread of the flavors (root mean square) on the release's test galaxies.",
            ("release",),
            registry=registry,
        )
        self.expected_rejected = Gauge(
            "inclinet_expected_rejected_share",
            "Fraction of the release's test images whose rejection likelihood is at least one half.",
            ("release",),
            registry=registry,
        )
        self.expected_deviation = Gauge(
            "inclinet_expected_deviation_deg",
            "Mean of a flavor minus the ensemble's on the release's test galaxies.",
            ("flavor",),
            registry=registry,
        )

    def _sky(self, registry: CollectorRegistry) -> None:
        self.upstream = Counter(
            "inclinet_upstream_calls", "Calls to the sky's services.", ("service", "outcome"), registry=registry
        )
        self.upstream_latency = Histogram(
            "inclinet_upstream_seconds", "Time of such a call.", ("service",), buckets=_LATENCY_S, registry=registry
        )
        self.circuits = _Circuits()
        registry.register(self.circuits)
        self.cache = Gauge("inclinet_cache_bytes", "Answers of the sky's services on disk.", registry=registry)
        self.cache_limit = Gauge("inclinet_cache_limit_bytes", "Most of these; 0 keeps none.", registry=registry)

    def expect(self, manifest: Manifest, expected: Expectation, *, quorum: int) -> None:
        """Show which release is served and what is expected of it; every model counts from 0, not from absent."""
        self.release.labels(manifest.release).set(1)
        self.quorum.set(quorum)
        self.observe_states(manifest, {})
        for model in manifest.models:
            self.missing.labels(model.name)
            self.released_version.labels(model.name).set(model.version)
        for flavor in manifest.flavors:
            self.flavor_answers.labels(flavor.name)
            for side in ("above", "below"):
                self.deviation.labels(flavor.name, side)
        if expected.stdev_deg is not None:
            self.expected_stdev.labels(manifest.release).set(expected.stdev_deg)
        if expected.rejected_share is not None:
            self.expected_rejected.labels(manifest.release).set(expected.rejected_share)
        for name, deviation_deg in expected.deviation_deg.items():
            self.expected_deviation.labels(name).set(deviation_deg)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the duration of a ``with`` block as one step of a request."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.observe_stage(name, time.perf_counter() - started)

    def observe_stage(self, stage: str, seconds: float) -> None:
        """Count the duration of one step of a request."""
        self.stages.labels(stage).observe(seconds)

    def observe_answer(self, answer: MeasuredGalaxy) -> None:
        """Count the signs of drift: the flavors' deviations from each other, and the rejectors' judgement."""
        self.disagreement.observe(answer.inclination.stdev_deg)
        if answer.rejection is not None:
            self.rejection.observe(answer.rejection.median)
        for model in answer.reading.missing:
            self.missing.labels(model).inc()
        for flavor in answer.reading.flavors:
            apart = flavor.inclination_deg - answer.inclination.median_deg
            self.flavor_answers.labels(flavor.name).inc()
            self.deviation.labels(flavor.name, "above" if apart > 0 else "below").inc(abs(apart))

    def observe_row(self, problem: GatewayError | None) -> None:
        """Count one row of a batch, by its problem if it has one."""
        self.rows.labels("ok" if problem is None else problem.slug).inc()

    def observe_call(self, model: str, code: str, seconds: float) -> None:
        """Count one Predict call."""
        self.calls.labels(model, code).inc()
        self.call_latency.observe(seconds)

    def observe_upstream(self, service: str, outcome: str, seconds: float) -> None:
        """Count one call to a service of the sky."""
        self.upstream.labels(service, outcome).inc()
        self.upstream_latency.labels(service).observe(seconds)

    def observe_states(
        self, manifest: Manifest, states: Mapping[str, Iterable[VersionState]], *, pinned: bool = True
    ) -> None:
        """Show which models of the release answer; a model that ``states`` does not name counts as unavailable."""
        for model in manifest.models:
            up = [one.version for one in states.get(model.name, ()) if one.state == "AVAILABLE"]
            kind = "flavor" if isinstance(model, Flavor) else "rejector"
            self.available.labels(model.name, kind).set(model.version in up if pinned else bool(up))
            self.version.labels(model.name).set(max(up, default=0))


class _Circuits(Collector):
    """States of the circuit breakers of the sky's mirrors, read at every scrape."""

    def __init__(self) -> None:
        self.source: Callable[[], Mapping[str, Mapping[str, str]]] = dict

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Make one sample per mirror and state."""
        family = GaugeMetricFamily(
            "inclinet_upstream_circuit",
            "1 for the state of a mirror's circuit; open lets no call through.",
            labels=("service", "mirror", "state"),
        )
        for service, mirrors in self.source().items():
            for url, state in mirrors.items():
                for possible in CIRCUITS:
                    family.add_metric((service, _mirror(url), possible), float(state == possible))
        yield family


def _mirror(url: str) -> str:
    """Return host and path of a mirror; an operator's URL may hold credentials."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] + parts.path
