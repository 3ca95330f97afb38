"""How often and after which pause a call is repeated."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Limits of the retries, the same for every service.

    Attributes
    ----------
    attempts : int
        Most attempts of one call, all mirrors together.
    backoff_s : float
        Pause before the first retry at the same mirror, seconds, doubled for each further one; up to half is random.
    connect_timeout_s : float
        Time limit for a connection, seconds.
    circuit_failures, circuit_rest_s : int, float
        See :class:`~gateway.sky.http.circuit_breaker.CircuitBreaker`.
    """

    attempts: int = 3
    backoff_s: float = 0.3
    connect_timeout_s: float = 3.0
    circuit_failures: int = 5
    circuit_rest_s: float = 30.0

    def pause_s(self, failures: int) -> float:
        """Return the pause before the next call of a mirror that failed ``failures`` times in this call, seconds."""
        if not failures:
            return 0.0
        return self.backoff_s * 2.0 ** (failures - 1) * random.uniform(0.5, 1)  # noqa: S311 - spreads retries
