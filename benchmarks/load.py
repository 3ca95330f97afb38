"""A load generator that needs little of the machine: requests encoded once, sent over kept-alive connections."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

_BOUNDARY = b"inclinetbenchmark"


@dataclass(frozen=True, slots=True)
class LoadResult:
    """Results of a load: answered requests, total seconds, seconds of each request."""

    answered: int
    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.answered / self.seconds

    def quantile(self, fraction: float) -> float:
        """Return the latency below which ``fraction`` of the requests stayed, seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))]


def part(name: str, filename: str, data: bytes) -> bytes:
    """Return one encoded file of a multipart form."""
    head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'.encode()
    return b"--" + _BOUNDARY + b"\r\n" + head + b"\r\n\r\n" + data + b"\r\n"


def request(url: str, path: str, parts: Sequence[bytes]) -> bytes:
    """Return a whole encoded POST request."""
    body = b"".join(parts) + b"--" + _BOUNDARY + b"--\r\n"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: multipart/form-data; boundary={_BOUNDARY.decode()}\r\n\r\n"
    )
    return head.encode() + body


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> bytes:
    writer.write(data)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = head.split(b"\r\n", 1)[0].decode()
    if " 200 " not in status:
        raise RuntimeError(f"the gateway answered {status}")
    if b"transfer-encoding: chunked" in head:
        body = b""
        while size := int((await reader.readline()).strip(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return body
    length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
    return await reader.readexactly(int(length.partition(b":")[2]))


async def run(url: str, requests: Sequence[bytes], *, concurrency: int, total: int) -> LoadResult:
    """Send ``total`` requests, taken in turn, over ``concurrency`` connections, each waiting for its answer."""
    parts = urlsplit(url)
    pending = iter([data for _, data in zip(range(total), cycle(requests), strict=False)])
    latencies: list[float] = []

    async def worker() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            for data in pending:
                started = time.perf_counter()
                await _exchange(reader, writer, data)
                latencies.append(time.perf_counter() - started)
        finally:
            writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return LoadResult(len(latencies), time.perf_counter() - started, latencies)


async def batch(url: str, data: bytes) -> tuple[int, float]:
    """Send one batch; return the number of answered rows and the duration, seconds."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    started = time.perf_counter()
    lines = (await _exchange(reader, writer, data)).splitlines()
    writer.close()
    return sum(json.loads(line)["ok"] for line in lines), time.perf_counter() - started
