"""The one HTTP client of the gateway for the services of the sky.

The steps of a call: cache -> a mirror whose circuit breaker admits it -> the service's concurrency and rate limits ->
the request -> the parser -> cache. Identical calls in flight are shared. All steps share the deadline of the request,
and no step extends it.

Connection errors, timeouts, 429 and 5xx are retried, honouring ``Retry-After``. An answer that can't be right (HTML
instead of an image, a truncated body, another status) is not retried at that mirror, but at the next one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import httpx

from gateway.core import errors
from gateway.sky.http.cache import CachedReply
from gateway.sky.http.mirrors import Mirrors, too_late
from gateway.sky.http.rate_limit import LocalRateLimit
from gateway.sky.http.retry_policy import RetryPolicy
from gateway.sky.http.service import UNANSWERED, NonsenseError
from gateway.sky.http.single_flight import SingleFlight
from gateway.sky.http.transport import ProxyTransport, stay_on_site

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Executor

    from gateway.core.models import Deadline
    from gateway.sky.http.cache import DiskCache
    from gateway.sky.http.rate_limit import ServiceRateLimit
    from gateway.sky.http.service import Observe, Reply, Service

T = TypeVar("T")


class HttpClient:
    """One pooled client for all services.

    Parameters
    ----------
    policy : RetryPolicy, optional
    contact : str
        Mail address or URL for the operators of the services, sent in ``User-Agent``.
    version : str
        Version of the gateway, for ``User-Agent``.
    cache : DiskCache, optional
        Closed with the client.
    observe : callable, optional
        Called with metrics.
    rate_limit : ServiceRateLimit, optional
        Keeps the services' rates; by default counts only the calls of this process.
    """

    def __init__(
        self,
        policy: RetryPolicy | None = None,
        *,
        contact: str = "",
        version: str = "0",
        cache: DiskCache | None = None,
        observe: Observe | None = None,
        rate_limit: ServiceRateLimit | None = None,
    ) -> None:
        policy = policy or RetryPolicy()
        self._cache = cache
        self._observe: Observe = observe or (lambda _service, _outcome, _seconds: None)
        self._single_flight = SingleFlight()
        self._mirrors: dict[Service, Mirrors] = {}
        self._client = httpx.AsyncClient(
            transport=ProxyTransport(),
            headers={"User-Agent": f"inclinet/{version}" + (f" (+{contact})" if contact else "")},
            timeout=httpx.Timeout(None, connect=policy.connect_timeout_s),
            event_hooks={"response": [stay_on_site]},
            follow_redirects=True,
            max_redirects=4,
        )
        self._mirrors_of = partial(
            Mirrors, self._client, policy=policy, rate_limit=rate_limit or LocalRateLimit(), observe=self._observe
        )

    async def aclose(self) -> None:
        """Cancel the calls in flight, close the connections and the cache."""
        await self._single_flight.aclose()
        await self._client.aclose()
        if self._cache is not None:
            await self._cache.aclose()

    async def cache_bytes(self) -> int:
        """Return the size of the cached answers, bytes; 0 without a cache."""
        return await self._cache.size_bytes() if self._cache else 0

    def health(self) -> dict[str, dict[str, str]]:
        """Return the state of each mirror used so far: ``{service: {url: "closed" | "open" | "half-open"}}``."""
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
        """Call ``service`` and return the result of ``parse`` for its reply.

        Parameters
        ----------
        service : Service
        tail : str
            Part of the address after a mirror's URL: path and encoded query.
        parse : callable
            Converts :class:`Reply` to the value. Raises :class:`NonsenseError` when the reply can't be right, and any
            :class:`~gateway.core.errors.TargetError` as a proper answer.
        deadline : Deadline
        variant : str
            Distinguishes calls with the same ``tail`` but another ``parse``.
        executor : Executor, optional
            Runs ``parse`` when it would block the event loop.

        Raises
        ------
        gateway.core.errors.UpstreamBroken
            502: no mirror gave an answer that can be right.
        gateway.core.errors.UpstreamUnavailable
            503, with the time of the next attempt: every mirror is down, or refuses for now.
        gateway.core.errors.Busy
            503: too many calls wait for this service already.
        gateway.core.errors.DeadlineExceeded
            504
        """
        began = time.monotonic()
        deadline.remaining_s()

        async def parsed(reply: Reply) -> T:
            if executor is None:
                return parse(reply)
            return await asyncio.get_running_loop().run_in_executor(executor, parse, reply)

        try:
            return await self._single_flight.share(
                f"{service.name} {tail} {variant}",
                lambda: self._answer(service, tail, parsed, deadline),
                deadline=deadline,
                joined=lambda: self._observe(service.name, "joined", 0.0),
            )
        except TimeoutError:
            self._observe(service.name, "deadline", time.monotonic() - began)
            raise too_late(service) from None

    async def _answer(
        self, service: Service, tail: str, parse: Callable[[Reply], Awaitable[T]], deadline: Deadline
    ) -> T:
        began, name = time.monotonic(), service.name
        kept = await self._cache.get(f"{name} {tail}") if self._cache else None
        if kept is not None and time.time() < kept.fresh_until:
            self._observe(name, "cached", time.monotonic() - began)
            # Nonsense in the cache comes from an earlier release that accepted more.
            with contextlib.suppress(NonsenseError):
                return await parse(kept.reply)
            kept = None
        # With an old answer in the cache, half of the time is spent on a newer one.
        ends = deadline.at if kept is None else began + (deadline.at - began) / 2
        try:
            return await self._asked(service, tail, parse, ends)
        except UNANSWERED:
            if kept is None:
                raise
            self._observe(name, "stale", time.monotonic() - began)
            with contextlib.suppress(NonsenseError):
                return await parse(kept.reply)
            raise

    async def _asked(self, service: Service, tail: str, parse: Callable[[Reply], Awaitable[T]], ends: float) -> T:
        async def parse_and_keep(reply: Reply) -> T:
            try:
                answer = await parse(reply)
            except errors.TargetError:
                await keep(reply)
                raise
            await keep(reply)
            return answer

        async def keep(reply: Reply) -> None:
            if self._cache is not None:
                await self._cache.put(f"{service.name} {tail}", CachedReply(reply, time.time() + service.lifetime_s))

        if service not in self._mirrors:
            self._mirrors[service] = self._mirrors_of(service)
        return await self._mirrors[service].ask(tail, parse_and_keep, ends)
