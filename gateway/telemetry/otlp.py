"""Sends spans to a collector of OpenTelemetry, by OTLP over HTTP. Imported only where an operator names a collector.

Spans leave in batches from a thread of their own; a collector that is down costs the spans and a line of log, never a
request. The SDK's own environment variables hold for what is not set here, such as ``OTEL_EXPORTER_OTLP_HEADERS`` (the
collector's credentials) and ``OTEL_RESOURCE_ATTRIBUTES``.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from requests.adapters import HTTPAdapter

from inclinet.http import proxies

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

EXPORT_TIMEOUT_S = 3.0
"""For one batch; also the longest that a gateway waits for its last spans when it ends."""


class CollectorTracerProvider(TracerProvider):
    """Makes the tracers of one gateway; it is not the process's global provider.

    Parameters
    ----------
    endpoint : str
        Base URL of the collector.
    share : float
        Fraction of the requests that are traced, 0..1. A caller may opt out by its ``traceparent``, and can't opt in:
        what strangers send decides no cost here.
    version, release : str
        Of the gateway and of the models; attributes of every span.

    Raises
    ------
    inclinet.http.proxies.ProxyUnusable
        The collector would be asked through a SOCKS proxy.
    """

    def __init__(self, endpoint: str, *, share: float, version: str, release: str) -> None:
        drawn = TraceIdRatioBased(share)
        super().__init__(
            sampler=ParentBased(drawn, remote_parent_sampled=drawn),
            resource=Resource.create(
                {"service.name": "inclinet-gateway", "service.version": version, "inclinet.release": release}
            ),
            # closed by whoever opened it; at the interpreter's exit it would be too late to wait
            shutdown_on_exit=False,
        )
        self.add_span_processor(BatchSpanProcessor(exporter(endpoint)))

    async def aclose(self) -> None:
        """Send the last spans, within :data:`EXPORT_TIMEOUT_S`, and end the thread."""
        await asyncio.to_thread(self.force_flush, int(EXPORT_TIMEOUT_S * 1000))
        await asyncio.to_thread(self.shutdown)


class _Adapter(HTTPAdapter):
    """Sends requests by the project's own rule for proxies, which spares loopback, instead of that of ``requests``."""

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:  # type: ignore[override]  # its options by name
        proxy = proxies.from_environment().of(request.url or "")
        how["proxies"] = {"http": proxy, "https": proxy} if proxy else {}
        return super().send(request, **how)


def exporter(endpoint: str) -> SpanExporter:
    """Return what sends spans to the collector at ``endpoint``, the address without ``/v1/traces``."""
    if (proxies.from_environment().of(endpoint) or "").lower().startswith("socks"):
        raise proxies.ProxyUnusable(
            "The environment sends spans through a SOCKS proxy, which only the other calls can use: "
            "name the collector's host in no_proxy."
        )
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter())
    return OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_TIMEOUT_S, session=session)
