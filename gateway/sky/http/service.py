"""A service, what it replies, and what can be wrong with a reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.core import errors

UNANSWERED = (errors.UpstreamError, errors.Busy, errors.DeadlineExceeded)
"""The errors of a question that was not answered: another service may still know."""

Observe = Callable[[str, str, float], None]
"""Called once per step with the service's name, the outcome and the seconds it took.

Outcomes of an attempt at a mirror: ``ok``, ``timeout``, ``unreachable``, ``status``, ``broken``, ``deadline`` and
``abandoned`` (nobody waited any more). Without an attempt: ``cached``, ``stale`` and ``joined`` (an identical call was
in flight).
"""


@dataclass(frozen=True, slots=True)
class Service:
    """A service and how it is to be treated.

    Attributes
    ----------
    name : str
        As people know it; error sentences and metrics use it.
    urls : tuple of str
        Its mirrors, the preferred one first.
    concurrency : int
        Calls in flight at once, all mirrors together.
    timeout_s : float
        For one attempt, from connecting to the last byte.
    lifetime_s : float
        A kept answer is used for this long.
    max_bytes : int
        Of an answer.
    rate_per_s : float, optional
        Calls per second that the service asks its users not to exceed.
    answers : callable
        Whether a reply with an error status is a proper answer, not a failure.
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
    """What a service replied: status, content type and body."""

    status: int
    content_type: str
    content: bytes

    @property
    def text(self) -> str:
        """The content as text; bytes that are no UTF-8 are replaced."""
        return self.content.decode("utf-8", "replace")


class NonsenseError(Exception):
    """Raised by a parser: the reply can't be right. The message completes "<service> answered …"."""


class FailureError(Exception):
    """One attempt at one mirror failed.

    Parameters
    ----------
    outcome : str
        For metrics: ``timeout``, ``unreachable``, ``status`` or ``broken``. After ``broken``, which means nonsense,
        the mirror is not asked again.
    sentence : str
        Completes "<service> …".
    wait_s : float, optional
        The mirror asked to be left alone for this long (``Retry-After``).
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
