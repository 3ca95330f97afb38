"""A small HTTP/1.1 server on loopback, with memory and switches for every fault of a service."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Literal, Self
from urllib.parse import parse_qsl, unquote_plus, urlsplit

Fault = Literal["500", "503", "html", "truncated", "wrong_type", "redirect", "redirect_loop", "rate_limited", "hang_up"]

_PAGE = b"<!DOCTYPE html><html><head><title>Service</title></head><body>Please log in</body></html>"


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    path: str
    query: dict[str, str]
    raw_query: str
    headers: dict[str, str]


@dataclass
class FakeReply:
    """The answer of a fake without faults."""

    body: bytes
    content_type: str
    status: int = 200
    reason: str = "OK"
    headers: dict[str, str] = field(default_factory=dict)


class FakeService(ABC):
    """A fake service: subclasses define the answers, switches the faults.

    Attributes
    ----------
    host : str
        Address to listen on.
    requests : list of Seen
        All requests, the oldest first.
    delay_s : float
        Delay before every answer.
    fault : Fault or None
        Fault in the answer to every request.
    faults_next : list of Fault or None
        Faults in the answers to the next requests, one each, before ``fault`` applies again.
    retry_after : str or None
        Value of ``Retry-After`` with 429 and 503.
    extra_headers : dict
        Additional headers of good answers.
    most_at_once : int
        Largest number of concurrent requests so far.
    complaints : list of AssertionError
        Errors about requests that the real service would not have understood.
    arrived : threading.Event
        Set when a request has arrived.
    """

    def __init__(self, port: int = 0) -> None:
        self.host = "127.0.0.1"
        self.requests: list[Seen] = []
        self.delay_s = 0.0
        self.fault: Fault | None = None
        self.faults_next: list[Fault | None] = []
        self.retry_after: str | None = None
        self.extra_headers: dict[str, str] = {}
        self.most_at_once = 0
        self.complaints: list[AssertionError] = []
        self.arrived = threading.Event()
        self.port = port
        self._at_once = 0
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @abstractmethod
    def answer(self, request: Seen) -> FakeReply:
        """Return the answer to a request; runs in a thread of its own."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._thread.start()
        self.up()

    def stop(self) -> None:
        self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def up(self) -> None:
        """Listen (again) on the same port as before."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    def down(self) -> None:
        """Refuse connections, like a host without a server."""
        asyncio.run_coroutine_threadsafe(self._silence(), self._loop).result()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, self.host, self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _silence(self) -> None:
        if self._server is not None:
            self._server.close()
            for task in list(self._connections):
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            # The client closed the connection, or the fake stops.
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        target = urlsplit(head[0].split(" ")[1])
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        request = Seen(unquote_plus(target.path), dict(parse_qsl(target.query)), target.query, headers)
        self.requests.append(request)
        self.arrived.set()
        fault = self.faults_next.pop(0) if self.faults_next else self.fault
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            return await self._show(fault, request, writer)
        finally:
            self._at_once -= 1

    async def _show(self, fault: Fault | None, request: Seen, writer: asyncio.StreamWriter) -> bool:
        retry = {"Retry-After": self.retry_after} if self.retry_after else {}
        again = f"{request.path}?{request.raw_query}"
        if fault == "hang_up":
            return False
        if fault in {"500", "503"}:
            return await self._send(writer, FakeReply(_PAGE, "text/html", int(fault), "Trouble", retry))
        if fault == "rate_limited":
            return await self._send(writer, FakeReply(b"slow down", "text/plain", 429, "Too Many Requests", retry))
        if fault == "html":
            return await self._send(writer, FakeReply(_PAGE, "text/html"))
        if fault == "redirect_loop" or (fault == "redirect" and not request.path.endswith("/moved")):
            moved = f"{request.path}/moved?{request.raw_query}" if fault == "redirect" else again
            return await self._send(writer, FakeReply(b"", "text/plain", 302, "Found", {"Location": moved}))
        plain = Seen(request.path.removesuffix("/moved"), request.query, request.raw_query, request.headers)
        try:
            good = await asyncio.to_thread(self.answer, plain)
        except AssertionError as complaint:
            self.complaints.append(complaint)
            raise ConnectionError from complaint
        good.headers = {**self.extra_headers, **good.headers}
        if fault == "wrong_type":
            good = FakeReply(b"%PDF-1.4 nothing that anyone asked for", "application/pdf")
        return await self._send(writer, good, cut=fault == "truncated")

    async def _send(self, writer: asyncio.StreamWriter, answer: FakeReply, *, cut: bool = False) -> bool:
        headers = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body)), **answer.headers}
        lines = [f"HTTP/1.1 {answer.status} {answer.reason}", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
        writer.write("\r\n".join(lines).encode() + (answer.body[: len(answer.body) // 2] if cut else answer.body))
        await writer.drain()
        return not cut
