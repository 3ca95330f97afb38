"""Spans of the work on a request, by OpenTelemetry's interface. Without a tracer one costs a context variable.

The tracer of a request is in OpenTelemetry's context, which tasks inherit: no function has to pass it on, and two
gateways in one process keep their tracers separate. :mod:`gateway.telemetry.otlp`, which records and sends spans, is
imported only when an operator names a collector.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import context, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.core.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_TRACER = context.create_key("inclinet-tracer")
_TRACE_CONTEXT = TraceContextTextMapPropagator()


@contextmanager
def request_span(tracer: trace.Tracer, method: str, headers: Mapping[str, str]) -> Iterator[trace.Span]:
    """Record the work of a ``with`` block as the span of an incoming request, with all spans below it.

    Parameters
    ----------
    tracer : opentelemetry.trace.Tracer
    method : str
        Method, from a bounded vocabulary.
    headers : mapping
        Headers of the request, in lower case: ``traceparent`` names the trace to join (W3C Trace Context).
    """
    token = context.attach(context.set_value(_TRACER, tracer, _TRACE_CONTEXT.extract(headers)))
    try:
        with tracer.start_as_current_span(
            method,
            kind=trace.SpanKind.SERVER,
            attributes={"http.request.method": method},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield span
    finally:
        context.detach(token)


@contextmanager
def span(
    name: str,
    attributes: Mapping[str, str | int] | None = None,
    *,
    calls: bool = False,
    links: Sequence[trace.SpanContext] = (),
) -> Iterator[trace.Span]:
    """Record the work of a ``with`` block, if the request that it belongs to is traced.

    Parameters
    ----------
    name : str
        Name from a bounded vocabulary; varying parts belong in attributes.
    attributes : mapping, optional
        Attributes, named by OpenTelemetry's semantic conventions where these have a name.
    calls : bool
        Whether the block is a call to another service.
    links : sequence of SpanContext
        Results of :func:`current` in other requests for which this work is done as well.
    """
    tracer = context.get_value(_TRACER)
    if not isinstance(tracer, trace.Tracer):
        yield trace.INVALID_SPAN
        return
    with tracer.start_as_current_span(
        name,
        kind=trace.SpanKind.CLIENT if calls else trace.SpanKind.INTERNAL,
        attributes=attributes,
        links=[trace.Link(one) for one in links],
        record_exception=False,
        set_status_on_exception=False,
    ) as started:
        try:
            yield started
        except BaseException as error:
            # the message of an error may hold a user's question, its kind does not
            fail(started, error.slug if isinstance(error, GatewayError) else type(error).__name__)
            raise


@contextmanager
def untraced() -> Iterator[trace.Span]:
    """Record no spans in a ``with`` block and in the tasks started in it."""
    token = context.attach(context.Context())
    try:
        yield trace.INVALID_SPAN
    finally:
        context.detach(token)


def fail(failed: trace.Span, kind: str) -> None:
    """Mark a span as failed, by a word of a bounded vocabulary: a problem's slug, a status code."""
    failed.set_attribute("error.type", kind)
    failed.set_status(trace.StatusCode.ERROR)


def outgoing() -> dict[str, str]:
    """Return the headers by which a called service joins the trace; empty where the request has no trace."""
    headers: dict[str, str] = {}
    _TRACE_CONTEXT.inject(headers)
    return headers


def current() -> trace.SpanContext | None:
    """Return the current span for another span's ``links``; None where nothing is traced."""
    here = trace.get_current_span().get_span_context()
    return here if here.is_valid else None
