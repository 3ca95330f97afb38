"""A fake OpenTelemetry collector on loopback, which receives OTLP over HTTP and stores it."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.loopback import LoopbackServer, Quiet

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span


class FakeCollector(LoopbackServer):
    """Stores the spans of every request to ``/v1/traces``; ``status`` is its answer."""

    def __init__(self, *, status: int = 200) -> None:
        self.status = status
        self.requests: list[ExportTraceServiceRequest] = []
        self.content_types: list[str] = []
        collector = self

        class CollectorHandler(Quiet, BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/traces":
                    collector.content_types.append(self.headers["Content-Type"])
                    collector.requests.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(collector.status if self.path == "/v1/traces" else 404)
                self.send_header("Content-Length", "0")
                self.end_headers()

        super().__init__(CollectorHandler)

    @property
    def spans(self) -> list[Span]:
        """Every span that arrived."""
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def resource(self) -> dict[str, str]:
        """The attributes that every span of the first request shares."""
        return {one.key: one.value.string_value for one in self.requests[0].resource_spans[0].resource.attributes}
