"""Reads the text of a table, from a file or over HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from gateway.core.errors import GatewayError
from gateway.core.models import Deadline
from gateway.sky.http.client import HttpClient
from gateway.sky.http.service import NonsenseError, Reply, Service, refuse_html

_MOST_BYTES = 200_000_000
_PATIENCE_S = 300.0


class FetchError(Exception):
    """A table can't be read; the message tells which and why."""


def is_url(source: str) -> bool:
    """Return whether a source is a URL, not a path."""
    return urlsplit(source).scheme in {"http", "https"}


def text_of(source: str, *, contact: str = "") -> str:
    """Return the text of a table, from a file or from a URL.

    Parameters
    ----------
    source : str
        Path or HTTP URL.
    contact : str
        Mail address or URL, for ``User-Agent``.

    Raises
    ------
    FetchError
    """
    try:
        return asyncio.run(_asked(source, contact)) if is_url(source) else Path(source).read_text("utf-8-sig")
    except GatewayError as error:
        raise FetchError(f"{source} can't be fetched: {error}") from error
    except UnicodeDecodeError:
        raise FetchError(f"{source} is no text in UTF-8.") from None
    except OSError as error:
        raise FetchError(f"{source} can't be read: {error.strerror or error}.") from error


async def _asked(url: str, contact: str) -> str:
    upstream = HttpClient(contact=contact)
    service = Service(urlsplit(url).netloc, (url,), concurrency=1, timeout_s=_PATIENCE_S, max_bytes=_MOST_BYTES)
    try:
        return await upstream.get(service, "", _text, deadline=Deadline.after(2 * _PATIENCE_S))
    finally:
        await upstream.aclose()


def _text(reply: Reply) -> str:
    refuse_html(reply)
    try:
        return reply.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NonsenseError("with something that is no text") from None
