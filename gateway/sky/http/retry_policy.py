"""How often and how soon a call is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patient the client is, the same for every service.

    Attributes
    ----------
    attempts : int
        Of one call, all mirrors together.
    backoff_s : float
        Before the first retry at the same mirror, doubled for each further one; up to half of it is random.
    connect_timeout_s : float
        For a connection.
    circuit_failures, circuit_rest_s : int, float
        See :class:`~gateway.sky.http.circuit_breaker.CircuitBreaker`.
    """

    attempts: int = 3
    backoff_s: float = 0.3
    connect_timeout_s: float = 3.0
    circuit_failures: int = 5
    circuit_rest_s: float = 30.0

    def pause_s(self, failures: int) -> float:
        """Return the seconds to wait before a mirror that failed that often in this call is asked again."""
        if not failures:
            return 0.0
        return self.backoff_s * 2.0 ** (failures - 1) * random.uniform(0.5, 1)  # noqa: S311 - spreads retries
