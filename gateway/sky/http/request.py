"""One request to one mirror; each kind of failure becomes a :class:`FailureError`."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import httpx

from gateway.sky.http.service import FailureError, Reply
from gateway.telemetry import tracing
from inclinet.http import retry_after
from inclinet.http.proxies import ProxyUnusable

if TYPE_CHECKING:
    from gateway.sky.http.service import Service

_OK = 200
_TOO_MANY = 429
_SERVER_ERRORS = 500


async def send(client: httpx.AsyncClient, service: Service, url: str, *, budget_s: float) -> Reply:
    """Send a GET request for ``url``, with a time limit of ``budget_s`` seconds.

    Returns
    -------
    Reply
        Reply with status 200, or another one that is a proper answer of this service.

    Raises
    ------
    FailureError
    """
    known = {"http.request.method": "GET", "server.address": httpx.URL(url).host, "inclinet.service": service.name}
    with tracing.span(f"GET {service.name}", known, calls=True) as span:
        try:
            reply = await _sent(client, service, url, budget_s)
        except FailureError as failure:
            tracing.fail(span, failure.outcome)
            raise
        span.set_attributes({"http.response.status_code": reply.status, "inclinet.bytes": len(reply.content)})
        return reply


async def _sent(client: httpx.AsyncClient, service: Service, url: str, budget_s: float) -> Reply:
    headers = tracing.outgoing()
    try:
        async with asyncio.timeout(budget_s), client.stream("GET", url, headers=headers) as response:
            content = await _content(response, service)
    except TimeoutError:
        raise FailureError("timeout", "did not answer in time") from None
    except httpx.TimeoutException:
        raise FailureError("timeout", "could not be reached in time") from None
    except (httpx.TooManyRedirects, httpx.UnsupportedProtocol, httpx.InvalidURL):
        raise FailureError("broken", "sent the request round in circles") from None
    except httpx.DecodingError:
        raise FailureError("broken", "answered with a damaged body") from None
    except ProxyUnusable as error:
        raise FailureError("unreachable", f"can't be asked: {str(error).removesuffix('.')}") from None
    except httpx.ProxyError:
        raise FailureError("unreachable", "could not be reached through the environment's proxy") from None
    except httpx.HTTPError:
        raise FailureError("unreachable", "could not be reached") from None
    reply = Reply(response.status_code, response.headers.get("content-type", ""), content)
    if reply.status == _OK or service.answers(reply):
        return reply
    if reply.status == _TOO_MANY or reply.status >= _SERVER_ERRORS:
        sentence = "asks for patience" if reply.status == _TOO_MANY else f"failed with status {reply.status}"
        wait_s = retry_after.read(response.headers.get("retry-after", ""), time.time())
        raise FailureError("status", sentence, wait_s=wait_s)
    raise FailureError("broken", f"answered with status {reply.status}")


async def _content(response: httpx.Response, service: Service) -> bytes:
    received = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            received += chunk
            if len(received) > service.max_bytes:
                raise FailureError("broken", "answered with far too many bytes")
    except (httpx.RemoteProtocolError, httpx.ReadError):
        # The headers had arrived, so this is a truncated answer, not a refused connection.
        raise FailureError("broken", "answered with a truncated body") from None
    return bytes(received)
