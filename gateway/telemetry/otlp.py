"""Spans for a collector of OpenTelemetry, by OTLP over HTTP. Imported only where an operator names a collector.

Spans leave in batches from a thread of their own; a collector that is down costs the spans and a line of log, never a
request. The SDK's own environment variables hold for what is not set here, such as ``OTEL_EXPORTER_OTLP_HEADERS`` (the
collector's credentials) and ``OTEL_RESOURCE_ATTRIBUTES``.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import requests
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from requests.adapters import HTTPAdapter

from gateway.core import proxies
from gateway.core.errors import InclinetError
from gateway.telemetry import tracing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from opentelemetry.sdk.trace.export import SpanExporter

EXPORT_TIMEOUT_S = 3.0
"""For one batch; also the longest that a gateway waits for its last spans when it ends."""


class _Span(tracing.Span):
    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self.trace_id = trace.format_trace_id(span.get_span_context().trace_id)

    def note(self, attributes: tracing.Attributes) -> None:
        self._span.set_attributes(dict(attributes))

    def fail(self, kind: str) -> None:
        self._span.set_attribute("error.type", kind)
        self._span.set_status(trace.StatusCode.ERROR)

    def rename(self, name: str) -> None:
        """Name it anew, as soon as the route of a request is known."""
        self._span.update_name(name)


class OpenTelemetry:
    """Records spans with a provider of its own, not the process's global one.

    Parameters
    ----------
    exporter : SpanExporter
        Where finished spans go.
    share : float
        Fraction of the requests that are traced, 0..1. A caller may opt out by its ``traceparent``, and can't opt in:
        what strangers send decides no cost here.
    version, release : str
        Of the gateway and of the models; attributes of every span.
    """

    def __init__(self, exporter: SpanExporter, *, share: float, version: str, release: str) -> None:
        drawn = TraceIdRatioBased(share)
        self._provider = TracerProvider(
            sampler=ParentBased(drawn, remote_parent_sampled=drawn),
            resource=Resource.create(
                {"service.name": "inclinet-gateway", "service.version": version, "inclinet.release": release}
            ),
            # closed by whoever opened it; at the interpreter's exit it would be too late to wait
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("inclinet", version)
        self._context = TraceContextTextMapPropagator()

    @contextmanager
    def request(self, method: str, headers: Mapping[str, str]) -> Iterator[_Span]:
        """Record a request that came in, joining the trace that its headers name."""
        parent = self._context.extract(headers)
        attributes = {"http.request.method": method}
        with (
            self._tracer.start_as_current_span(
                method, parent, trace.SpanKind.SERVER, attributes, record_exception=False, set_status_on_exception=False
            ) as span,
            tracing.traced_by(self),
        ):
            yield _Span(span)

    @contextmanager
    def span(
        self, name: str, attributes: tracing.Attributes, *, calls: bool, links: Sequence[Any]
    ) -> Iterator[tracing.Span]:
        """Record the work of a ``with`` block below the current span."""
        with self._tracer.start_as_current_span(
            name,
            kind=trace.SpanKind.CLIENT if calls else trace.SpanKind.INTERNAL,
            attributes=dict(attributes),
            links=[trace.Link(one) for one in links],
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            one = _Span(span)
            try:
                yield one
            except BaseException as error:
                # the sentence of an error may hold what a user asked; its kind does not
                one.fail(error.slug if isinstance(error, InclinetError) else type(error).__name__)
                raise

    def outgoing(self) -> dict[str, str]:
        """Return ``traceparent``, and ``tracestate`` where the caller sent one."""
        headers: dict[str, str] = {}
        self._context.inject(headers)
        return headers

    def here(self) -> Any:
        """Return the current span's context."""
        return trace.get_current_span().get_span_context()

    async def aclose(self) -> None:
        """Send the last spans, within :data:`EXPORT_TIMEOUT_S`, and end the thread."""
        await asyncio.to_thread(self._provider.force_flush, int(EXPORT_TIMEOUT_S * 1000))
        await asyncio.to_thread(self._provider.shutdown)


class _Adapter(HTTPAdapter):
    """Sends requests by the project's own rule for proxies, which spares loopback, instead of that of ``requests``."""

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:  # type: ignore[override]
        proxy = proxies.from_environment().of(request.url or "")
        how["proxies"] = {"http": proxy, "https": proxy} if proxy else {}
        return super().send(request, **how)


def exporter(endpoint: str) -> SpanExporter:
    """Return what sends spans to the collector at ``endpoint``, the address without ``/v1/traces``."""
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter())
    return OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_TIMEOUT_S, session=session)
