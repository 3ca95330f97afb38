"""Several small connection pools that act as one.

For every request httpcore 1.0 compares every connection of its pool with every other, twice
(https://github.com/encode/httpcore/pull/1035): with 128 slow calls in flight that took 17 ms of processor time a call.
Thirty-two pools of four connections do a thousandth of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType
    from typing import Self

    from gateway.core.proxies import Proxies

_POOLS = 32


class Pools(httpx.AsyncBaseTransport):
    """A transport that gives each request to the pool with the fewest requests under way.

    While there are few, that is always the first one, so that its connections are used again.

    Parameters
    ----------
    verify : ssl.SSLContext
    limits : httpx.Limits
        Of each pool.
    proxy : str, optional
        URL of a proxy that all requests go through.
    """

    def __init__(self, *, verify: ssl.SSLContext, limits: httpx.Limits, proxy: str | None = None) -> None:
        self._pools = [httpx.AsyncHTTPTransport(verify=verify, limits=limits, proxy=proxy) for _ in range(_POOLS)]
        self._under_way = [0] * _POOLS

    async def __aenter__(self) -> Self:
        for pool in self._pools:
            await pool.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        for pool in self._pools:
            await pool.__aexit__(exc_type, exc_value, traceback)

    async def aclose(self) -> None:
        """Close every pool."""
        for pool in self._pools:
            await pool.aclose()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request``; it is under way until its body is read or given up."""
        number = self._under_way.index(min(self._under_way))
        self._under_way[number] += 1
        try:
            response = await self._pools[number].handle_async_request(request)
        except BaseException:
            self._under_way[number] -= 1
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - the pools are asynchronous
        response.stream = _Counted(response.stream, self._under_way, number)
        return response


class Routed(httpx.AsyncBaseTransport):
    """A transport that sends each request the way that the environment's proxies want it.

    httpx reads the environment by itself only for a client that has its own transport, and not all of it.

    Parameters
    ----------
    proxies : Proxies
    make : callable
        Makes the transport that goes through a proxy, given its URL, or straight, given None.
    """

    def __init__(self, proxies: Proxies, make: Callable[[str | None], httpx.AsyncBaseTransport]) -> None:
        self._proxies = proxies
        self._make = make
        self._made: dict[str | None, httpx.AsyncBaseTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request``; raises :class:`~gateway.core.proxies.ProxyUnusable` where its proxy can't be used."""
        proxy = self._proxies.of(request.url)
        if proxy not in self._made:
            self._made[proxy] = self._make(proxy)
        return await self._made[proxy].handle_async_request(request)

    async def aclose(self) -> None:
        """Close every transport."""
        for transport in self._made.values():
            await transport.aclose()


class _Counted(httpx.AsyncByteStream):
    """A body that says when it is done with."""

    def __init__(self, stream: httpx.AsyncByteStream, under_way: list[int], number: int) -> None:
        self._stream = stream
        self._under_way = under_way
        self._number = number
        self._open = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        if self._open:
            self._open = False
            self._under_way[self._number] -= 1
        await self._stream.aclose()
