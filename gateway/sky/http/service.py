"""A service, its replies, and the errors of a reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.core import errors

UNANSWERED = (errors.UpstreamError, errors.Busy, errors.DeadlineExceeded)
"""Errors that leave a question open, so that another service may still answer it."""

Observe = Callable[[str, str, float], None]
"""Called once per step with the service's name, the outcome and the duration, seconds.

Outcomes of an attempt at a mirror: ``ok``, ``timeout``, ``unreachable``, ``status``, ``broken``, ``deadline`` and
``abandoned`` (nobody waited any more). Without an attempt: ``cached``, ``stale`` and ``joined`` (an identical call was
in flight).
"""


@dataclass(frozen=True, slots=True)
class Service:
    """A service, its addresses and its limits.

    Attributes
    ----------
    name : str
        Name for people, in errors and metrics.
    urls : tuple of str
        Mirrors, the preferred one first.
    concurrency : int
        Most calls in flight at once, all mirrors together.
    timeout_s : float
        Time limit of one attempt, seconds, from connecting to the last byte.
    lifetime_s : float
        Time for which a cached answer is used, seconds.
    max_bytes : int
        Size limit of an answer, bytes.
    rate_per_s : float, optional
        Calls per second that the service asks its users not to exceed.
    answers : callable
        Returns whether a reply with an error status is a proper answer, not a failure.
    """

    name: str
    urls: tuple[str, ...]
    concurrency: int = 6
    timeout_s: float = 10.0
    lifetime_s: float = 7 * 86400.0
    max_bytes: int = 2_000_000
    rate_per_s: float | None = None
    answers: Callable[[Reply], bool] = lambda _reply: False


@dataclass(frozen=True, slots=True)
class Reply:
    """A service's reply: status, content type and body."""

    status: int
    content_type: str
    content: bytes

    @property
    def text(self) -> str:
        """Return the content as text; bytes that are no UTF-8 are replaced."""
        return self.content.decode("utf-8", "replace")


class NonsenseError(Exception):
    """Raised by a parser for a reply that can't be right. The message completes "<service> answered …"."""


class FailureError(Exception):
    """One attempt at one mirror failed.

    Parameters
    ----------
    outcome : str
        Outcome for metrics: ``timeout``, ``unreachable``, ``status`` or ``broken``. After ``broken``, which means
        nonsense, the mirror is not called again.
    sentence : str
        Completes "<service> …".
    wait_s : float, optional
        Time for which the mirror requested no calls, seconds (``Retry-After``).
    """

    def __init__(self, outcome: str, sentence: str, *, wait_s: float | None = None) -> None:
        super().__init__(sentence)
        self.outcome = outcome
        self.sentence = sentence
        self.wait_s = wait_s


def refuse_html(reply: Reply) -> None:
    """Raise :class:`NonsenseError` for a web page, which services send with status 200 when something is wrong."""
    start = reply.content[:256].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise NonsenseError("with a web page instead of data")
