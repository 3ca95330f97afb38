"""The one HTTP client of the gateway, and its manners towards the services it asks.

A call goes: cache -> a mirror whose circuit lets it in -> a seat among the service's bounded seats -> the exchange ->
the parser -> cache. Identical calls in flight are one call. Everything spends the deadline of the request; nothing
extends it.

Retried are connection errors, timeouts, 429 and 5xx, honouring ``Retry-After``. An answer that can't be right (HTML
where an image was due, a truncated body, another status) is not retried at that mirror, but the next mirror is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from gateway import errors
from gateway.sky.cache import Entry, validity
from gateway.sky.circuit import Circuit
from gateway.sky.exchange import exchange
from gateway.sky.flights import Flights
from gateway.sky.seats import Seats
from gateway.sky.service import FailureError, Manners, NonsenseError, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor

    from gateway.domain import Deadline
    from gateway.sky.cache import DiskCache
    from gateway.sky.service import Observe, Service

T = TypeVar("T")

_trusted = functools.cache(httpx.create_ssl_context)

_NOT_MODIFIED = 304
_COME_BACK_S = 10.0


@dataclass(slots=True)
class _Call:
    """One call on its way from attempt to attempt. ``ends`` is on the clock of :func:`time.monotonic`."""

    service: Service
    tail: str
    parse: Callable[[Reply], Any]
    executor: Executor | None
    ends: float
    kept: Entry | None = None
    failures: dict[str, int] = field(default_factory=dict)
    nonsense: set[str] = field(default_factory=set)

    @property
    def key(self) -> str:
        return f"{self.service.name} {self.tail}"

    async def parsed(self, reply: Reply) -> tuple[Any, errors.TargetError | None]:
        """Return the value, or the error that is the proper answer (such as "nothing of that name")."""
        try:
            if self.executor is None:
                return self.parse(reply), None
            return await asyncio.get_running_loop().run_in_executor(self.executor, self.parse, reply), None
        except errors.TargetError as answer:
            return None, answer


class Upstream:
    """One pooled client for all services.

    Parameters
    ----------
    manners : Manners, optional
    cache : DiskCache, optional
        Closed with the client.
    observe : callable, optional
        Receives metrics.
    version : str
        Of the gateway, for ``User-Agent``.
    rng : random.Random, optional
        Source of jitter.
    """

    def __init__(
        self,
        manners: Manners | None = None,
        *,
        cache: DiskCache | None = None,
        observe: Observe | None = None,
        version: str = "0",
        rng: random.Random | None = None,
    ) -> None:
        self._manners = manners or Manners()
        self._cache = cache
        self._observe: Observe = observe or (lambda _service, _outcome, _seconds: None)
        self._rng = rng or random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._circuits: dict[tuple[str, str], Circuit] = {}
        self._seats: dict[str, Seats] = {}
        self._flights = Flights()
        contact = f" (+{self._manners.contact})" if self._manners.contact else ""
        self._client = httpx.AsyncClient(
            verify=_trusted(),
            headers={"User-Agent": f"inclinet/{version}{contact}"},
            timeout=httpx.Timeout(None, connect=self._manners.connect_timeout_s),
            # The seats bound the connections; a second bound here would only hide the queue from its own limit.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=30.0),
            follow_redirects=True,
            max_redirects=4,
        )

    async def aclose(self) -> None:
        """Give up the calls in flight, close the connections and the cache."""
        await self._flights.abandon()
        await self._client.aclose()
        if self._cache is not None:
            await self._cache.aclose()

    def health(self) -> dict[str, dict[str, str]]:
        """Return the circuit of each mirror asked so far: ``{service: {url: "closed" | "open" | "half-open"}}``."""
        states: dict[str, dict[str, str]] = {}
        for (name, url), circuit in self._circuits.items():
            states.setdefault(name, {})[url] = circuit.state
        return states

    async def get(
        self,
        service: Service,
        tail: str,
        parse: Callable[[Reply], T],
        *,
        deadline: Deadline,
        variant: str = "",
        executor: Executor | None = None,
    ) -> T:
        """Ask ``service`` and return what ``parse`` makes of its reply.

        Parameters
        ----------
        service : Service
        tail : str
            What follows a mirror's URL: path and encoded query.
        parse : callable
            From :class:`Reply` to the value. Raises :class:`NonsenseError` when the reply can't be right, and any
            :class:`~gateway.errors.TargetError` as a proper answer.
        deadline : Deadline
        variant : str
            Tells calls with the same ``tail`` but another ``parse`` apart.
        executor : Executor, optional
            Where ``parse`` runs when it would hold up the event loop.

        Raises
        ------
        gateway.errors.UpstreamBroken
            502: no mirror gave an answer that can be right.
        gateway.errors.UpstreamUnavailable
            503, with when to come back: every mirror is down, or refuses for now.
        gateway.errors.Busy
            503: too many calls wait for this service already.
        gateway.errors.DeadlineExceeded
            504
        """
        began = time.monotonic()
        deadline.remaining_s()
        try:
            return await self._flights.share(
                f"{service.name} {tail} {variant}",
                lambda: self._answer(_Call(service, tail, parse, executor, deadline.at)),
                deadline=deadline,
                joined=lambda: self._observe(service.name, "joined", 0.0),
            )
        except TimeoutError:
            self._observe(service.name, "deadline", time.monotonic() - began)
            raise _too_late(service) from None

    async def _answer(self, call: _Call) -> Any:
        began = time.monotonic()
        service = call.service
        kept = call.kept = await self._cache.get(call.key) if self._cache else None
        if kept is not None and kept.fresh(time.time()):
            with contextlib.suppress(NonsenseError):
                answer = await call.parsed(kept.reply)
                self._observe(service.name, "cached", time.monotonic() - began)
                return _opened(answer)
            # Kept by an earlier release that understood less.
            kept = call.kept = None
        if kept is not None and not kept.validity.strict:
            # An old answer in hand is worth more than a new one too late.
            call.ends = began + (call.ends - began) / 2
        try:
            return _opened(await self._ask(call))
        except (errors.UpstreamError, errors.Busy, errors.DeadlineExceeded):
            if kept is None or kept.validity.strict:
                raise
            self._observe(service.name, "stale", time.monotonic() - began)
            return _opened(await call.parsed(kept.reply))

    async def _ask(self, call: _Call) -> tuple[Any, errors.TargetError | None]:
        failure: FailureError | None = None
        for _ in range(self._manners.attempts):
            url = await self._mirror(call)
            if url is None:
                break
            try:
                return await self._attempt(call, url)
            except FailureError as failed:
                failure = failed
                call.failures[url] = call.failures.get(url, 0) + 1
                if failed.broken:
                    call.nonsense.add(url)
        raise self._explained(call, failure)

    async def _mirror(self, call: _Call) -> str | None:
        """Return the mirror to ask now, after the pause that is due; None when none may be asked in time."""
        open_to_us = [url for url in call.service.urls if url not in call.nonsense]
        for url in sorted(open_to_us, key=lambda url: call.failures.get(url, 0)):
            circuit = self._circuit(call.service, url)
            pause = circuit.asked_rest_s()
            failed = call.failures.get(url, 0)
            if failed:
                jitter = 0.5 + 0.5 * self._rng.random()
                pause = max(pause, self._manners.backoff_s * 2 ** (failed - 1) * jitter)
            if time.monotonic() + pause >= call.ends:
                continue
            if pause:
                await asyncio.sleep(pause)
            if circuit.enter():
                return url
        return None

    async def _attempt(self, call: _Call, url: str) -> tuple[Any, errors.TargetError | None]:
        service, circuit = call.service, self._circuit(call.service, url)
        outcome, began = "ok", time.monotonic()
        try:
            async with self._seats_of(service).taken(call.ends):
                began = time.monotonic()
                budget = min(service.timeout_s, call.ends - began)
                asked = _conditions(call.kept)
                reply, headers = await exchange(self._client, service, url + call.tail, headers=asked, budget_s=budget)
            answer = await self._parsed_and_kept(call, reply, headers)
        except FailureError as failure:
            outcome = failure.outcome
            if failure.wait_s is not None:
                circuit.rest(failure.wait_s)
            elif outcome == "timeout" and budget < service.timeout_s / 2:
                # A caller in a hurry is no evidence against the mirror.
                circuit.abandon()
            else:
                circuit.fail()
            raise
        except TimeoutError:
            circuit.abandon()
            outcome = "deadline"
            raise _too_late(service) from None
        except BaseException:
            circuit.abandon()
            outcome = "abandoned"
            raise
        else:
            circuit.succeed()
            return answer
        finally:
            self._observe(service.name, outcome, time.monotonic() - began)

    async def _parsed_and_kept(
        self, call: _Call, reply: Reply, headers: Mapping[str, str]
    ) -> tuple[Any, errors.TargetError | None]:
        if reply.status == _NOT_MODIFIED:
            if call.kept is None:
                raise FailureError("broken", "answered with status 304 unasked")
            reply = call.kept.reply
        try:
            answer = await call.parsed(reply)
        except NonsenseError as nonsense:
            raise FailureError("broken", f"answered {nonsense}") from None
        until = validity(headers, now=time.time(), heuristic_s=call.service.lifetime_s)
        if self._cache is not None and until is not None:
            await self._cache.put(call.key, Entry(reply, until))
        return answer

    def _explained(self, call: _Call, failure: FailureError | None) -> errors.InclinetError:
        name = call.service.name
        if failure is not None and failure.broken:
            return errors.UpstreamBroken(f"{name} {failure.sentence}.", service=name)
        if failure is not None and failure.outcome == "timeout" and time.monotonic() >= call.ends:
            return _too_late(call.service)
        rests = [self._circuit(call.service, url).retry_after_s() for url in call.service.urls]
        sentence = failure.sentence if failure else "failed repeatedly and is left alone for a while"
        wait = min(rests, default=0.0) or _COME_BACK_S
        return errors.UpstreamUnavailable(f"{name} {sentence}.", retry_after_s=wait, service=name)

    def _circuit(self, service: Service, url: str) -> Circuit:
        key = (service.name, url)
        if key not in self._circuits:
            manners = self._manners
            self._circuits[key] = Circuit(failures=manners.circuit_failures, rest_s=manners.circuit_rest_s)
        return self._circuits[key]

    def _seats_of(self, service: Service) -> Seats:
        if service.name not in self._seats:
            self._seats[service.name] = Seats(service, waiting_per_seat=self._manners.waiting_per_seat)
        return self._seats[service.name]


def _opened(answer: tuple[Any, errors.TargetError | None]) -> Any:
    value, error = answer
    if error is not None:
        raise error
    return value


def _conditions(kept: Entry | None) -> dict[str, str]:
    if kept is None:
        return {}
    asked = {"If-None-Match": kept.validity.etag, "If-Modified-Since": kept.validity.modified}
    return {name: value for name, value in asked.items() if value}


def _too_late(service: Service) -> errors.DeadlineExceeded:
    return errors.DeadlineExceeded(f"{service.name} did not answer in time.", service=service.name)
