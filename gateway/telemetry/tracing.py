"""Where the time of a request goes, span by span. Off, it costs a look at a context variable.

The tracer of a request lies in a context variable, which tasks inherit: no room has to hand it on, and none knows whose
tracer it is. Nothing here imports OpenTelemetry; :mod:`gateway.telemetry.otlp` does, where an operator asks for it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Attributes = Mapping[str, str | int | float | bool]


class Span:
    """A stretch of work that has a name. This one, of a request that is not traced, does nothing."""

    trace_id = ""
    """Of the trace it belongs to, 32 hexadecimal digits; empty where nothing is traced."""

    def note(self, attributes: Attributes) -> None:
        """Add attributes that were not known at the start."""

    def fail(self, kind: str) -> None:
        """Mark it as failed, by a word of a bounded vocabulary: a problem's slug, a status code."""


class Tracer(Protocol):
    """What records spans (:class:`gateway.telemetry.otlp.OpenTelemetry`)."""

    def span(
        self,
        name: str,
        attributes: Attributes,
        *,
        calls: bool,
        links: Sequence[Any],
    ) -> AbstractContextManager[Span]:
        """Record the work of a ``with`` block as a span below the current one."""

    def outgoing(self) -> dict[str, str]:
        """Return the headers that let the service called next join this trace (W3C Trace Context)."""

    def here(self) -> Any:
        """Return what a span elsewhere can be linked to."""


_NOTHING = Span()
_tracer: ContextVar[Tracer | None] = ContextVar("tracer", default=None)


@contextmanager
def traced_by(tracer: Tracer | None) -> Iterator[None]:
    """Let ``tracer`` record the spans of a ``with`` block and of the tasks started in it; None records none."""
    token = _tracer.set(tracer)
    try:
        yield
    finally:
        _tracer.reset(token)


@contextmanager
def span(
    name: str,
    attributes: Attributes | None = None,
    *,
    calls: bool = False,
    links: Sequence[Any] = (),
) -> Iterator[Span]:
    """Record the work of a ``with`` block, if the request that it belongs to is traced.

    Parameters
    ----------
    name : str
        Of a bounded vocabulary; what varies is an attribute.
    attributes : mapping, optional
        Named after OpenTelemetry's semantic conventions where these have a name.
    calls : bool
        The block is a call to another service.
    links : sequence
        What :func:`here` returned for other requests that this work is done for as well.
    """
    tracer = _tracer.get()
    if tracer is None:
        yield _NOTHING
        return
    with tracer.span(name, attributes or {}, calls=calls, links=links) as one:
        yield one


def outgoing() -> dict[str, str]:
    """Return the headers for a call to another service: ``traceparent`` where the request is traced, else none."""
    tracer = _tracer.get()
    return tracer.outgoing() if tracer is not None else {}


def here() -> Any:
    """Return a handle on the current span for another span's ``links``; None where nothing is traced."""
    tracer = _tracer.get()
    return tracer.here() if tracer is not None else None
