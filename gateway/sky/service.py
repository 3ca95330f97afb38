"""What a service is, what it answers, and how patient the gateway is with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
    seats : int
        Calls in flight at once, all mirrors together.
    timeout_s : float
        For one attempt, from connecting to the last byte.
    lifetime_s : float
        For which an answer without validity of its own is kept.
    max_bytes : int
        Of an answer.
    rate_per_s : float, optional
        Calls per second that the service asks its users not to exceed.
    answers : callable
        Whether a reply with an error status is a proper answer, not a failure.
    """

    name: str
    urls: tuple[str, ...]
    seats: int = 6
    timeout_s: float = 10.0
    lifetime_s: float = 7 * 86400.0
    max_bytes: int = 2_000_000
    rate_per_s: float | None = None
    answers: Callable[[Reply], bool] = lambda _reply: False


@dataclass(frozen=True, slots=True)
class Manners:
    """How patient the client is, the same for every service.

    Attributes
    ----------
    contact : str
        Mail address or URL for the operators of the services, sent in ``User-Agent``.
    attempts : int
        Of one call, all mirrors together.
    backoff_s : float
        Before the first retry at the same mirror, doubled for each further one; up to half of it is random.
    connect_timeout_s : float
        For a connection.
    circuit_failures, circuit_rest_s : int, float
        See :class:`~gateway.sky.circuit.Circuit`.
    waiting_per_seat : int
        Calls that may wait for each seat of a service; more are turned away at once.
    """

    contact: str = ""
    attempts: int = 3
    backoff_s: float = 0.3
    connect_timeout_s: float = 3.0
    circuit_failures: int = 5
    circuit_rest_s: float = 30.0
    waiting_per_seat: int = 8


@dataclass(frozen=True, slots=True)
class Reply:
    """What a service answered."""

    status: int
    reason: str
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
        For metrics: ``timeout``, ``unreachable``, ``status`` or ``broken``.
    sentence : str
        Completes "<service> …".
    wait_s : float, optional
        For which the mirror asked to be left alone (``Retry-After``).
    """

    def __init__(self, outcome: str, sentence: str, *, wait_s: float | None = None) -> None:
        super().__init__(sentence)
        self.outcome = outcome
        self.sentence = sentence
        self.wait_s = wait_s

    @property
    def broken(self) -> bool:
        """Whether the mirror answered nonsense, so that asking it again makes none better."""
        return self.outcome == "broken"


def refuse_html(reply: Reply) -> None:
    """Raise :class:`NonsenseError` for a web page, which services send with status 200 when something is wrong."""
    start = reply.content[:256].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise NonsenseError("with a web page instead of data")
