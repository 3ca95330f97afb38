"""Sends spans to a collector of OpenTelemetry, by OTLP over HTTP. Imported only when an operator names a collector.

A thread of its own sends the spans in batches; a collector that is down loses the spans and causes a line of log, but
never fails a request. The SDK's own environment variables configure everything else, such as
``OTEL_EXPORTER_OTLP_HEADERS`` (the collector's credentials) and ``OTEL_RESOURCE_ATTRIBUTES``.
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
"""Time limit of one batch, and of the last spans when a gateway ends, seconds."""


class CollectorTracerProvider(TracerProvider):
    """Makes the tracers of one gateway; it is not the process's global provider.

    Parameters
    ----------
    endpoint : str
        Base URL of the collector.
    share : float
        Fraction of the requests that are traced, 0..1. A caller may opt out by its ``traceparent``, but can't opt in,
        so that strangers can't cause costs.
    version, release : str
        Versions of the gateway and of the models; attributes of every span.

    Raises
    ------
    inclinet.http.proxies.ProxyUnusable
        The proxy for the collector is a SOCKS proxy, which can't be used.
    """

    def __init__(self, endpoint: str, *, share: float, version: str, release: str) -> None:
        drawn = TraceIdRatioBased(share)
        super().__init__(
            sampler=ParentBased(drawn, remote_parent_sampled=drawn),
            resource=Resource.create(
                {"service.name": "inclinet-gateway", "service.version": version, "inclinet.release": release}
            ),
            # the owner closes it; at the interpreter's exit it would be too late to wait
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
    """Return the exporter of spans to the collector at ``endpoint``, the address without ``/v1/traces``."""
    if (proxies.from_environment().of(endpoint) or "").lower().startswith("socks"):
        raise proxies.ProxyUnusable(
            "The environment sends spans through a SOCKS proxy, which only the other calls can use: "
            "name the collector's host in no_proxy."
        )
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter())
    return OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_TIMEOUT_S, session=session)
