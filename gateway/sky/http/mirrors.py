"""Calls the mirrors of one service in turn, until one gives an answer that can be right or none is left."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from gateway.core import errors
from gateway.sky.http.circuit_breaker import CircuitBreaker
from gateway.sky.http.concurrency_limit import ConcurrencyLimit
from gateway.sky.http.request import send
from gateway.sky.http.service import FailureError, NonsenseError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from gateway.sky.http.rate_limit import ServiceRateLimit
    from gateway.sky.http.retry_policy import RetryPolicy
    from gateway.sky.http.service import Observe, Reply, Service

T = TypeVar("T")

_COME_BACK_S = 10.0


class Mirrors:
    """The mirrors of one service, each with its circuit breaker, and the limits that they share.

    Parameters
    ----------
    client : httpx.AsyncClient
    service : Service
    policy : RetryPolicy
    rate_limit : ServiceRateLimit
    observe : callable
        Called with the outcome of every attempt.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        service: Service,
        *,
        policy: RetryPolicy,
        rate_limit: ServiceRateLimit,
        observe: Observe,
    ) -> None:
        self._client = client
        self._service = service
        self._policy = policy
        self._rate_limit = rate_limit
        self._observe = observe
        self._limit = ConcurrencyLimit(service)
        self._circuits = {
            url: CircuitBreaker(failures=policy.circuit_failures, rest_s=policy.circuit_rest_s) for url in service.urls
        }

    def health(self) -> dict[str, str]:
        """Return the state of each mirror's circuit breaker."""
        return {url: circuit.state for url, circuit in self._circuits.items()}

    async def ask(self, tail: str, parse: Callable[[Reply], Awaitable[T]], ends: float) -> T:
        """Return the first answer that can be parsed; see :meth:`gateway.sky.http.client.HttpClient.get`.

        ``ends`` is the time from which an answer is too late, on the clock of :func:`time.monotonic`.
        """
        willing, failures, failure = list(self._service.urls), Counter[str](), None
        for _ in range(self._policy.attempts):
            url = await self._next(willing, failures, ends)
            if url is None:
                break
            try:
                return await self._attempt(url, tail, parse, ends)
            except FailureError as failed:
                failure = failed
                failures[url] += 1
                if failed.outcome == "broken":
                    # A second request to this mirror would bring the same nonsense.
                    willing.remove(url)
        raise self._explained(failure, ends)

    async def _next(self, willing: list[str], failures: Counter[str], ends: float) -> str | None:
        """Return the mirror to call now, after a pause if one is due; None when no mirror can be called in time."""
        for url in sorted(willing, key=lambda url: failures[url]):
            circuit = self._circuits[url]
            pause = max(circuit.asked_rest_s(), self._policy.pause_s(failures[url]))
            if time.monotonic() + pause >= ends:
                continue
            if pause:
                await asyncio.sleep(pause)
            if circuit.enter():
                return url
        return None

    async def _attempt(self, url: str, tail: str, parse: Callable[[Reply], Awaitable[T]], ends: float) -> T:
        service, circuit = self._service, self._circuits[url]
        outcome, began, budget_s = "ok", time.monotonic(), 0.0
        try:
            async with self._limit.slot(ends):
                await self._rate_limit.take(service, ends)
                began = time.monotonic()
                budget_s = min(service.timeout_s, ends - began)
                reply = await send(self._client, service, url + tail, budget_s=budget_s)
            try:
                answer = await parse(reply)
            except NonsenseError as nonsense:
                raise FailureError("broken", f"answered {nonsense}") from None
        except FailureError as failure:
            outcome = failure.outcome
            if failure.wait_s is not None:
                circuit.rest(failure.wait_s)
                await self._rate_limit.rest(service, failure.wait_s)
            elif outcome == "timeout" and budget_s < service.timeout_s / 2:
                # A caller's short deadline is no evidence against the mirror.
                circuit.abandon()
            else:
                circuit.fail()
            raise
        except errors.TargetError:
            circuit.succeed()
            raise
        except TimeoutError:
            outcome = "deadline"
            circuit.abandon()
            raise too_late(service) from None
        except BaseException:
            outcome = "abandoned"
            circuit.abandon()
            raise
        else:
            circuit.succeed()
            return answer
        finally:
            self._observe(service.name, outcome, time.monotonic() - began)

    def _explained(self, failure: FailureError | None, ends: float) -> errors.GatewayError:
        name = self._service.name
        if failure is not None and failure.outcome == "broken":
            return errors.UpstreamBroken(f"{name} {failure.sentence}.", service=name)
        if failure is not None and failure.outcome == "timeout" and time.monotonic() >= ends:
            return too_late(self._service)
        sentence = failure.sentence if failure else "failed repeatedly and is left alone for a while"
        wait = min((circuit.retry_after_s() for circuit in self._circuits.values()), default=0.0) or _COME_BACK_S
        return errors.UpstreamUnavailable(f"{name} {sentence}.", retry_after_s=wait, service=name)


def too_late(service: Service) -> errors.DeadlineExceeded:
    """Return the error for an answer of ``service`` that missed the request's deadline."""
    return errors.DeadlineExceeded(f"{service.name} did not answer in time.", service=service.name)
