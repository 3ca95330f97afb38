"""What the operator sees: JSON logs and Prometheus metrics, on a registry that the caller gives."""

from __future__ import annotations

import logging
import sys

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_LATENCY_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_DEG = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 20.0)
_TENTHS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_BATCH = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Every metric of the gateway. Labels are bounded: routes, stages, models and status names only."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.requests = Counter(
            "inclinet_requests", "Answered requests.", ("route", "method", "status"), registry=registry
        )
        self.latency = Histogram(
            "inclinet_request_seconds", "Time to answer.", ("route",), buckets=_LATENCY_S, registry=registry
        )
        self.problems = Counter("inclinet_problems", "Answers that were problems.", ("slug",), registry=registry)
        self.stages = Histogram(
            "inclinet_stage_seconds", "Time of one step.", ("stage",), buckets=_LATENCY_S, registry=registry
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
        self.disagreement = Histogram(
            "inclinet_ensemble_stdev_deg",
            "Spread of the flavors of an answer; a drift to the right calls for a person to look.",
            buckets=_DEG,
            registry=registry,
        )
        self.rejection = Histogram(
            "inclinet_rejection_likelihood", "Median of the rejectors.", buckets=_TENTHS, registry=registry
        )
        self.inside = Gauge("inclinet_requests_inside", "Requests admitted and not yet answered.", registry=registry)
        self.release = Gauge("inclinet_release", "1 for the model release served.", ("release",), registry=registry)
        self.upstream = Counter(
            "inclinet_upstream_calls", "Calls to the sky's services.", ("service", "outcome"), registry=registry
        )
        self.upstream_latency = Histogram(
            "inclinet_upstream_seconds", "Time of such a call.", ("service",), buckets=_LATENCY_S, registry=registry
        )

    def observe_stage(self, stage: str, seconds: float) -> None:
        """Count one step of a request."""
        self.stages.labels(stage).observe(seconds)

    def observe_call(self, model: str, code: str, seconds: float) -> None:
        """Count one Predict call."""
        self.calls.labels(model, code).inc()
        self.call_latency.observe(seconds)

    def observe_upstream(self, service: str, outcome: str, seconds: float) -> None:
        """Count one call to a service of the sky."""
        self.upstream.labels(service, outcome).inc()
        self.upstream_latency.labels(service).observe(seconds)


def configure_logging(level: str) -> None:
    """Log one JSON object a line to standard error, for this process: structlog's own and the libraries' alike."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        ),
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # one line per call to each upstream is the metrics' work
    logging.getLogger("httpx").setLevel(logging.WARNING)
