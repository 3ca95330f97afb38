"""Middleware around every request: id, security headers, log line, metrics, and query keys in lower case."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

import structlog
from opentelemetry.trace import format_trace_id
from starlette.datastructures import Headers, MutableHeaders

from gateway.telemetry import tracing

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from gateway.api.metrics import RequestMetrics

log = structlog.get_logger("gateway.access")

_QUIET = frozenset({"/livez", "/readyz", "/metrics"})
_ID_LENGTH = 64
_ids = random.Random()  # noqa: S311 - names requests, keeps no secret; the system's generator would release the GIL
_SERVER_ERROR = 500

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
DOCS_SECURITY_POLICY = CONTENT_SECURITY_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
"""Content security policy of the docs: Swagger UI needs inline styles."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class RequestMiddleware:
    """ASGI middleware around the whole app, outside of the handler of unforeseen errors.

    Parameters
    ----------
    app : ASGI application
    metrics : RequestMetrics
    release : str
        The model release, for the log.
    root_path : str
        Path prefix under which a proxy publishes the gateway.
    log_client_address : bool
        Whether the log names the client's address.
    tracer : opentelemetry.trace.Tracer, optional
        Records one span per request, except for probes; no tracing unless given.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: RequestMetrics,
        release: str,
        root_path: str,
        log_client_address: bool,
        tracer: Tracer | None = None,
    ) -> None:
        self._app = app
        self._root_path = root_path
        self._metrics = metrics
        self._release = release
        self._log_client = log_client_address
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._root_path:
            # some proxies remove the prefix before they pass a request on, some do not
            scope["root_path"] = self._root_path
            if not f"{scope['path']}/".startswith(f"{self._root_path}/"):
                scope["path"] = self._root_path + scope["path"]
        scope["query_string"] = _lower_keys(scope["query_string"])
        method = scope["method"]
        if method == "HEAD":
            # HEAD is answered wherever GET is, by the same code, since its status must equal that of GET
            # (RFC 9110, section 9.3.2)
            scope = {**scope, "method": "GET"}
        request_id = _request_id(scope)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id, release=self._release)
        path = scope["path"].removeprefix(self._root_path)
        if self._tracer is None or path in _QUIET:
            await self._answered(scope, receive, send, path, request_id, method)
            return
        with tracing.request_span(self._tracer, _known(method), Headers(scope=scope)) as span:
            structlog.contextvars.bind_contextvars(trace_id=format_trace_id(span.get_span_context().trace_id))
            status = await self._answered(scope, receive, send, path, request_id, method)
            route = _route(scope)
            span.update_name(f"{_known(method)} {route}")
            span.set_attributes(
                {"http.route": route, "http.response.status_code": status, "inclinet.request_id": request_id}
            )
            if status >= _SERVER_ERROR:
                tracing.fail(span, str(status))

    async def _answered(  # noqa: PLR0917 - ASGI's three, and what is known of the request by now
        self, scope: Scope, receive: Receive, send: Send, path: str, request_id: str, method: str
    ) -> int:
        """Answer, and return the status."""
        started, status, answering = time.perf_counter(), 500, False

        async def send_with_headers(message: Message) -> None:
            nonlocal status, answering
            if message["type"] == "http.response.start":
                status, answering = message["status"], True
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers["Content-Security-Policy"] = (
                    DOCS_SECURITY_POLICY if path == "/docs" else CONTENT_SECURITY_POLICY
                )
                for name, value in _HEADERS.items():
                    headers[name] = value
                if path.startswith("/api/"):
                    # the same question may be answered otherwise after the next release, or to nobody without a key
                    headers.setdefault("Cache-Control", "no-store")
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            # an error that nothing foresaw has been logged and answered further in; the server would log it again
            if not answering:
                raise
        finally:
            self._record(scope, method, status, time.perf_counter() - started)
        return status

    def _record(self, scope: Scope, method: str, status: int, seconds: float) -> None:
        route = _route(scope)
        self._metrics.requests.labels(route, _known(method), str(status)).inc()
        self._metrics.latency.labels(route).observe(seconds)
        if route not in _QUIET:
            client = {"client": scope["client"][0]} if self._log_client and scope.get("client") else {}
            log.info(
                "request",
                method=method,
                path=scope["path"],
                status=status,
                seconds=round(seconds, 4),
                **client,
            )


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", None) or "other"


def _known(method: str) -> str:
    """Bound the label: a client can invent methods."""
    return method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "other"


def _lower_keys(query: bytes) -> bytes:
    """Fold the case of query keys: clients of the Virtual Observatory write them in any (DALI 1.1, section 2.2)."""
    if not any(65 <= byte <= 90 for byte in query):  # A to Z; most queries need no work
        return query
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    return urlencode([(key.lower(), value) for key, value in pairs], encoding="latin-1").encode("ascii")


def _request_id(scope: Scope) -> str:
    """Take the caller's id where it is a plain token, else make one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and 0 < len(value) <= _ID_LENGTH:
            text: str = value.decode("latin-1")
            if all((char.isalnum() and char.isascii()) or char in "-_." for char in text):
                return text
    return f"{_ids.getrandbits(128):032x}"
