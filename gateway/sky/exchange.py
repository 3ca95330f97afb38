"""One HTTP exchange with one mirror, every way it can fail brought down to :class:`FailureError`."""

from __future__ import annotations

import asyncio
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx

from gateway.core.proxies import ProxyUnusable
from gateway.sky.service import FailureError, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.sky.service import Service

_COUNTRY = 2
_OK = 200
_NOT_MODIFIED = 304
_TOO_MANY = 429
_SERVER_ERRORS = 500


async def exchange(
    client: httpx.AsyncClient, service: Service, url: str, *, headers: Mapping[str, str], budget_s: float
) -> tuple[Reply, Mapping[str, str]]:
    """Get ``url`` within ``budget_s`` seconds.

    Returns
    -------
    reply : Reply
        With status 200, 304, or another one that is a proper answer of this service.
    headers : mapping
        Of the answer, case-insensitive.

    Raises
    ------
    FailureError
    """
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
    reply = Reply(response.status_code, response.reason_phrase, response.headers.get("content-type", ""), content)
    _check_status(service, reply, response.headers)
    return reply, response.headers


async def stay_on_site(response: httpx.Response) -> None:
    """Refuse to be sent to another site, or from HTTPS to HTTP; a hook of the client, called for every answer.

    What a service says is no reason to ask an address that nobody configured: it could be one of this network's own
    (OWASP, "Server-Side Request Forgery Prevention").

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
    """Return the domain that an organisation has for itself: ``unistra.fr`` of ``cds.unistra.fr``; an address whole."""
    labels = host.lower().split(".")
    if ":" in host or labels[-1].isdigit():
        return host
    # ac.uk and its like belong to nobody
    shared = len(labels[-1]) == _COUNTRY and len(labels[-2:][0]) <= _COUNTRY + 1
    return ".".join(labels[-3 if shared else -2 :])


async def _content(response: httpx.Response, service: Service) -> bytes:
    received = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            received += chunk
            if len(received) > service.max_bytes:
                raise FailureError("broken", "answered with far too many bytes")
    except (httpx.RemoteProtocolError, httpx.ReadError):
        # The head had arrived, so this is an answer cut short and not a refusal to talk.
        raise FailureError("broken", "answered with a truncated body") from None
    return bytes(received)


def _check_status(service: Service, reply: Reply, headers: Mapping[str, str]) -> None:
    if reply.status in {_OK, _NOT_MODIFIED}:
        return
    if service.answers(reply):
        return
    if reply.status == _TOO_MANY or reply.status >= _SERVER_ERRORS:
        sentence = "asks for patience" if reply.status == _TOO_MANY else f"failed with status {reply.status}"
        raise FailureError("status", sentence, wait_s=retry_after_s(headers.get("retry-after", ""), time.time()))
    raise FailureError("broken", f"answered with status {reply.status}")


def retry_after_s(value: str, now: float) -> float | None:
    """Read a ``Retry-After`` header: seconds or an HTTP date (RFC 9110, section 10.2.3).

    Parameters
    ----------
    value : str
    now : float
        Seconds since the epoch.

    Returns
    -------
    float or None
        Seconds from now, not negative; None when there is none that can be read.
    """
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except ValueError:
        return None
