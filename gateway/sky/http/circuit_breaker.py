"""A circuit breaker per mirror: after repeated failures, a mirror gets no calls for a while, then one probe."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable


class CircuitBreaker:
    """The circuit breaker of one mirror (Nygard, *Release It!*, 2nd ed., section 5.2).

    Parameters
    ----------
    failures : int
        Consecutive failures that open the circuit.
    rest_s : float
        Seconds for which an open circuit lets no call through; then one call may probe.
    clock : callable
        Monotonic clock, seconds.
    """

    def __init__(self, *, failures: int, rest_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = failures
        self._rest_s = rest_s
        self._clock = clock
        self._failed = 0
        self._open_until = 0.0
        self._asked_until = 0.0
        self._probing = False

    @property
    def state(self) -> Literal["closed", "open", "half-open"]:
        """``closed`` (calls pass), ``open`` (no call passes) or ``half-open`` (one call may probe)."""
        if self.retry_after_s() > 0:
            return "open"
        return "half-open" if self._failed >= self._limit else "closed"

    def retry_after_s(self) -> float:
        """Return the seconds until a call may pass again; 0 when it may now."""
        return max(0.0, max(self._open_until, self._asked_until) - self._clock())

    def asked_rest_s(self) -> float:
        """Return the seconds left of the rest that the mirror itself requested; 0 when none are."""
        return max(0.0, self._asked_until - self._clock())

    def enter(self) -> bool:
        """Return whether a call may pass now. In the half-open state the first call becomes the probe."""
        state = self.state
        if state == "half-open" and not self._probing:
            self._probing = True
            return True
        return state == "closed"

    def abandon(self) -> None:
        """Record a call without any evidence, such as one that its own caller gave up."""
        self._probing = False

    def succeed(self) -> None:
        """Record a call that was answered sensibly."""
        self._probing = False
        self._failed = 0
        self._open_until = 0.0

    def fail(self) -> None:
        """Record a call that failed, or that was answered with nonsense."""
        self._probing = False
        self._failed += 1
        if self._failed >= self._limit:
            self._open_until = self._clock() + self._rest_s

    def rest(self, seconds: float) -> None:
        """Let no call through for ``seconds``, because the mirror requested it (``Retry-After``)."""
        self._probing = False
        self._asked_until = max(self._asked_until, self._clock() + seconds)
