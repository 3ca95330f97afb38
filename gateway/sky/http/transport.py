"""Transport of the HTTP client: proxies of the environment, and redirects within a service's own site."""

from __future__ import annotations

import functools

import httpx

from gateway.sky.http.service import FailureError
from inclinet.http import proxies

_trusted = functools.cache(httpx.create_ssl_context)

# The concurrency limits also limit the connections; a second limit here would make calls wait unnoticed. Idle
# connections expire by age only: closing them by number may hit one just given to a request (encode/httpcore#1110).
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=20.0)
_COUNTRY = 2


class ProxyTransport(httpx.AsyncBaseTransport):
    """Sends each request through the environment's proxy for it, with one pool of connections per proxy.

    httpx reads the environment by itself only for a client without a custom transport, and not all of it.
    """

    def __init__(self) -> None:
        self._proxies = proxies.from_environment()
        self._pools: dict[str | None, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request``; raises :class:`~inclinet.http.proxies.ProxyUnusable` where its proxy can't be used."""
        proxy = self._proxies.of(request.url)
        if proxy not in self._pools:
            self._pools[proxy] = httpx.AsyncHTTPTransport(verify=_trusted(), limits=_LIMITS, proxy=proxy)
        return await self._pools[proxy].handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            await pool.aclose()


async def stay_on_site(response: httpx.Response) -> None:
    """Refuse a redirect to another site, or from HTTPS to HTTP; a hook of the client, called for every answer.

    A service's reply must not make the gateway call an address that nobody configured: it could be one of the local
    network (OWASP, "Server-Side Request Forgery Prevention").

    Raises
    ------
    FailureError
    """
    if not response.has_redirect_location:
        return
    asked = response.request.url
    target = asked.join(response.headers["location"])
    if site(target.host) != site(asked.host) or (asked.scheme, target.scheme) == ("https", "http"):
        raise FailureError("broken", "sent the request to another place")


def site(host: str) -> str:
    """Return the registered domain of a host: ``unistra.fr`` of ``cds.unistra.fr``; an IP address unchanged."""
    labels = host.lower().split(".")
    if ":" in host or labels[-1].isdigit():
        return host
    # domains such as ac.uk are shared by many organisations
    shared = len(labels[-1]) == _COUNTRY and len(labels[-2:][0]) <= _COUNTRY + 1
    return ".".join(labels[-3 if shared else -2 :])
