"""Ask the mirrors of one service in turn, until one gives an answer that can be right or none may be asked any more."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

import httpx

from gateway.core import errors
from gateway.sky.circuit import Circuit
from gateway.sky.exchange import exchange
from gateway.sky.seats import Seats
from gateway.sky.service import FailureError, NonsenseError
from gateway.telemetry import tracing

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Mapping

    from gateway.sky.service import Manners, Observe, Reply, Service
    from gateway.sky.turns import Turns

T = TypeVar("T")

_COME_BACK_S = 10.0


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """What is asked, until when, and how an answer is understood.

    Attributes
    ----------
    tail : str
        What follows a mirror's URL: path and encoded query.
    headers : mapping
        Sent along.
    ends : float
        When an answer comes too late, on the clock of :func:`time.monotonic`.
    understand : callable
        From the reply and its headers to the answer; raises :class:`NonsenseError` when the reply can't be right.
    """

    tail: str
    headers: Mapping[str, str]
    ends: float
    understand: Callable[[Reply, Mapping[str, str]], Awaitable[T]]


@dataclass(slots=True)
class _Tried:
    failures: dict[str, int] = field(default_factory=dict)
    nonsense: set[str] = field(default_factory=set)


class Mirrors:
    """The mirrors of one service, each with its circuit, and the seats that they share.

    Parameters
    ----------
    client : httpx.AsyncClient
    service : Service
    manners : Manners
    observe : callable
        Receives the outcome of every attempt.
    rng : random.Random
        Source of jitter.
    turns : Turns
        Keeps the service's rate.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        service: Service,
        *,
        manners: Manners,
        observe: Observe,
        rng: random.Random,
        turns: Turns,
    ) -> None:
        self._client = client
        self._service = service
        self._manners = manners
        self._observe = observe
        self._rng = rng
        self._turns = turns
        self._seats = Seats(service, waiting_per_seat=manners.waiting_per_seat, turns=turns)
        self._circuits = {
            url: Circuit(failures=manners.circuit_failures, rest_s=manners.circuit_rest_s) for url in service.urls
        }

    def health(self) -> dict[str, str]:
        """Return the state of each mirror's circuit."""
        return {url: circuit.state for url, circuit in self._circuits.items()}

    async def ask(self, question: Question[T]) -> T:
        """Return the first answer that is understood.

        Raises
        ------
        gateway.core.errors.UpstreamBroken, gateway.core.errors.UpstreamUnavailable
        gateway.core.errors.Busy, gateway.core.errors.DeadlineExceeded
        """
        tried, failure = _Tried(), None
        for _ in range(self._manners.attempts):
            url = await self._next(tried, question.ends)
            if url is None:
                break
            try:
                return await self._attempt(url, question)
            except FailureError as failed:
                failure = failed
                tried.failures[url] = tried.failures.get(url, 0) + 1
                if failed.broken:
                    tried.nonsense.add(url)
        raise self._explained(failure, question.ends)

    async def _next(self, tried: _Tried, ends: float) -> str | None:
        """Return the mirror to ask now, after the pause that is due; None when none may be asked in time."""
        willing = [url for url in self._circuits if url not in tried.nonsense]
        for url in sorted(willing, key=lambda url: tried.failures.get(url, 0)):
            pause = self._circuits[url].asked_rest_s()
            failed = tried.failures.get(url, 0)
            if failed:
                jitter = 0.5 + 0.5 * self._rng.random()
                pause = max(pause, self._manners.backoff_s * 2 ** (failed - 1) * jitter)
            if time.monotonic() + pause >= ends:
                continue
            if pause:
                await asyncio.sleep(pause)
            if self._circuits[url].enter():
                return url
        return None

    async def _attempt(self, url: str, question: Question[T]) -> T:
        service, circuit = self._service, self._circuits[url]
        outcome, began, budget_s = "ok", time.monotonic(), 0.0
        try:
            async with self._seats.taken(question.ends):
                began = time.monotonic()
                budget_s = min(service.timeout_s, question.ends - began)
                reply, headers = await self._exchanged(url, question, budget_s)
            answer = await self._understood(question, reply, headers)
        except FailureError as failure:
            outcome = failure.outcome
            if failure.wait_s is not None:
                circuit.rest(failure.wait_s)
                await self._turns.rest(service, failure.wait_s)
            elif outcome == "timeout" and budget_s < service.timeout_s / 2:
                # A caller in a hurry is no evidence against the mirror.
                circuit.abandon()
            else:
                circuit.fail()
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

    async def _exchanged(self, url: str, question: Question[T], budget_s: float) -> tuple[Reply, Mapping[str, str]]:
        service = self._service
        known = {"http.request.method": "GET", "server.address": httpx.URL(url).host, "inclinet.service": service.name}
        with tracing.span(f"GET {service.name}", known, calls=True) as span:
            headers = {**question.headers, **tracing.outgoing()}
            try:
                found = await exchange(self._client, service, url + question.tail, headers=headers, budget_s=budget_s)
            except FailureError as failure:
                tracing.fail(span, failure.outcome)
                raise
            span.set_attributes({"http.response.status_code": found[0].status, "inclinet.bytes": len(found[0].content)})
            return found

    @staticmethod
    async def _understood(question: Question[T], reply: Reply, headers: Mapping[str, str]) -> T:
        try:
            return await question.understand(reply, headers)
        except NonsenseError as nonsense:
            raise FailureError("broken", f"answered {nonsense}") from None

    def _explained(self, failure: FailureError | None, ends: float) -> errors.InclinetError:
        name = self._service.name
        if failure is not None and failure.broken:
            return errors.UpstreamBroken(f"{name} {failure.sentence}.", service=name)
        if failure is not None and failure.outcome == "timeout" and time.monotonic() >= ends:
            return too_late(self._service)
        sentence = failure.sentence if failure else "failed repeatedly and is left alone for a while"
        wait = min((circuit.retry_after_s() for circuit in self._circuits.values()), default=0.0) or _COME_BACK_S
        return errors.UpstreamUnavailable(f"{name} {sentence}.", retry_after_s=wait, service=name)


def too_late(service: Service) -> errors.DeadlineExceeded:
    """Return the error for an answer of ``service`` that did not come before the request's deadline."""
    return errors.DeadlineExceeded(f"{service.name} did not answer in time.", service=service.name)
