"""A circuit breaker per mirror: what keeps failing is left alone for a while, then tried once."""

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
        Consecutive failures that open it.
    rest_s : float
        Seconds for which an open circuit lets nothing through; then one call may probe.
    clock : callable
        Seconds, monotonic.
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
        """``closed`` (calls pass), ``open`` (none does) or ``half-open`` (one may probe)."""
        if self.retry_after_s() > 0:
            return "open"
        return "half-open" if self._failed >= self._limit else "closed"

    def retry_after_s(self) -> float:
        """Seconds until a call may pass again; 0 when it may now."""
        return max(0.0, max(self._open_until, self._asked_until) - self._clock())

    def asked_rest_s(self) -> float:
        """Seconds that the mirror itself asked to be left alone for; 0 when it did not, or they are over."""
        return max(0.0, self._asked_until - self._clock())

    def enter(self) -> bool:
        """Whether a call may pass now. In the half-open state the first one in becomes the probe."""
        state = self.state
        if state == "half-open" and not self._probing:
            self._probing = True
            return True
        return state == "closed"

    def abandon(self) -> None:
        """Forget a call that told nothing, such as one that its own caller gave up."""
        self._probing = False

    def succeed(self) -> None:
        """Note a call that was answered sensibly."""
        self._probing = False
        self._failed = 0
        self._open_until = 0.0

    def fail(self) -> None:
        """Note a call that was not answered, or answered with nonsense."""
        self._probing = False
        self._failed += 1
        if self._failed >= self._limit:
            self._open_until = self._clock() + self._rest_s

    def rest(self, seconds: float) -> None:
        """Let nothing through for ``seconds``, because the mirror itself asked for that (``Retry-After``)."""
        self._probing = False
        self._asked_until = max(self._asked_until, self._clock() + seconds)
