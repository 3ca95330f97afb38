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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from gateway.core import errors, proxies
from gateway.sky.cache import Entry, validity
from gateway.sky.exchange import stay_on_site
from gateway.sky.flights import Flights
from gateway.sky.mirrors import Mirrors, Question, too_late
from gateway.sky.pool import Pools, Routed
from gateway.sky.service import Manners, NonsenseError, Reply
from gateway.sky.turns import OwnTurns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor

    from gateway.core.models import Deadline
    from gateway.sky.cache import DiskCache
    from gateway.sky.service import Observe, Service
    from gateway.sky.turns import Turns

T = TypeVar("T")

_trusted = functools.cache(httpx.create_ssl_context)

# The seats bound the connections, and a second bound here would only hide the queue from its own limit. Idle ones end
# by their age alone: closing them for their number may hit one just given to a request (encode/httpcore#1110).
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=20.0)
_NOT_MODIFIED = 304


@dataclass(frozen=True, slots=True)
class _Call:
    service: Service
    tail: str
    parse: Callable[[Reply], Any]
    executor: Executor | None
    deadline: Deadline

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
    turns : Turns, optional
        Keeps the services' rates; those of this process's own calls unless given.
    """

    def __init__(
        self,
        manners: Manners | None = None,
        *,
        cache: DiskCache | None = None,
        observe: Observe | None = None,
        version: str = "0",
        rng: random.Random | None = None,
        turns: Turns | None = None,
    ) -> None:
        self._manners = manners or Manners()
        self._cache = cache
        self._observe: Observe = observe or (lambda _service, _outcome, _seconds: None)
        self._rng = rng or random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._turns = turns or OwnTurns()
        self._mirrors: dict[Service, Mirrors] = {}
        self._flights = Flights()
        contact = f" (+{self._manners.contact})" if self._manners.contact else ""
        self._client = httpx.AsyncClient(
            transport=Routed(
                proxies.from_environment(), lambda proxy: Pools(verify=_trusted(), limits=_LIMITS, proxy=proxy)
            ),
            headers={"User-Agent": f"inclinet/{version}{contact}"},
            timeout=httpx.Timeout(None, connect=self._manners.connect_timeout_s),
            event_hooks={"response": [stay_on_site]},
            follow_redirects=True,
            max_redirects=4,
        )

    async def aclose(self) -> None:
        """Give up the calls in flight, close the connections and the cache."""
        await self._flights.abandon()
        await self._client.aclose()
        if self._cache is not None:
            await self._cache.aclose()

    async def cache_bytes(self) -> int:
        """Bytes of the answers that are kept; 0 without a cache."""
        return await self._cache.size_bytes() if self._cache else 0

    def health(self) -> dict[str, dict[str, str]]:
        """Return the circuits of the services asked so far: ``{service: {url: "closed" | "open" | "half-open"}}``."""
        return {service.name: mirrors.health() for service, mirrors in self._mirrors.items()}

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
            :class:`~gateway.core.errors.TargetError` as a proper answer.
        deadline : Deadline
        variant : str
            Tells calls with the same ``tail`` but another ``parse`` apart.
        executor : Executor, optional
            Where ``parse`` runs when it would hold up the event loop.

        Raises
        ------
        gateway.core.errors.UpstreamBroken
            502: no mirror gave an answer that can be right.
        gateway.core.errors.UpstreamUnavailable
            503, with when to come back: every mirror is down, or refuses for now.
        gateway.core.errors.Busy
            503: too many calls wait for this service already.
        gateway.core.errors.DeadlineExceeded
            504
        """
        began = time.monotonic()
        deadline.remaining_s()
        try:
            return await self._flights.share(
                f"{service.name} {tail} {variant}",
                lambda: self._answer(_Call(service, tail, parse, executor, deadline)),
                deadline=deadline,
                joined=lambda: self._observe(service.name, "joined", 0.0),
            )
        except TimeoutError:
            self._observe(service.name, "deadline", time.monotonic() - began)
            raise too_late(service) from None

    async def _answer(self, call: _Call) -> Any:
        began = time.monotonic()
        name = call.service.name
        kept = await self._cache.get(call.key) if self._cache else None
        if kept is not None and kept.fresh(time.time()):
            with contextlib.suppress(NonsenseError):
                answer = await call.parsed(kept.reply)
                self._observe(name, "cached", time.monotonic() - began)
                return _opened(answer)
            # Kept by an earlier release that understood less.
            kept = None
        spare = kept if kept is not None and not kept.validity.strict else None
        # An old answer in hand is worth more than a new one too late.
        ends = call.deadline.at if spare is None else began + (call.deadline.at - began) / 2
        try:
            return _opened(await self._asked(call, kept, ends))
        except (errors.UpstreamError, errors.Busy, errors.DeadlineExceeded):
            if spare is None:
                raise
            self._observe(name, "stale", time.monotonic() - began)
            return _opened(await call.parsed(spare.reply))

    async def _asked(self, call: _Call, kept: Entry | None, ends: float) -> tuple[Any, errors.TargetError | None]:
        service = call.service

        async def understand(reply: Reply, headers: Mapping[str, str]) -> tuple[Any, errors.TargetError | None]:
            if reply.status == _NOT_MODIFIED:
                if kept is None:
                    raise NonsenseError("with status 304 unasked")
                reply = kept.reply
            answer = await call.parsed(reply)
            until = validity(headers, now=time.time(), heuristic_s=service.lifetime_s)
            if self._cache is not None and until is not None:
                await self._cache.put(call.key, Entry(reply, until))
            return answer

        if service not in self._mirrors:
            self._mirrors[service] = Mirrors(
                self._client,
                service,
                manners=self._manners,
                observe=self._observe,
                rng=self._rng,
                turns=self._turns,
            )
        return await self._mirrors[service].ask(Question(call.tail, _conditions(kept), ends, understand))


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
