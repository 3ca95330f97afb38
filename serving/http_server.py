"""The socket under the HTTP face: a thread for every connection."""

from __future__ import annotations

import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from serving import rest

if TYPE_CHECKING:
    from serving.rest import RestApi

IDLE_S = 60.0
"""How long a connection may say nothing, seconds."""

_STOP_POLL_S = 0.05

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": "Origin, X-Requested-With, Content-Type, Accept, Authorization",
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    server: _Listener

    def _handle(self) -> None:
        with self.server.calls:
            self.server.in_progress += 1
        try:
            self._answer()
        finally:
            with self.server.calls:
                self.server.in_progress -= 1
                self.server.calls.notify_all()

    def _answer(self) -> None:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            self._send(rest.Answer(411, '{"error": "Content-Length is required"}'))
            return
        body = self.rfile.read(int(length))
        if self.command == "OPTIONS":
            origin = self.headers.get("Origin") or ""
            self._send(rest.Answer(200 if origin.startswith(("http://", "https://")) else 400, ""))
            return
        path = self.path.partition("?")[0]
        encoding = self.headers.get("Content-Encoding") or ""
        self._send(self.server.api.answer(self.command, path, body, encoding=encoding))

    def _send(self, answer: rest.Answer) -> None:
        data = answer.body.encode()
        self.send_response(answer.code)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(data)))
        if self.server.cors:
            for name, value in _CORS.items():
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _handle  # noqa: N815 - names that the base class looks up

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's parameter
        """Say nothing: the real server logs no accesses either."""


class _Listener(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, family: socket.AddressFamily, host: str, port: int, api: RestApi, *, cors: bool) -> None:
        self.address_family = family
        self.api = api
        self.cors = cors
        self.calls = threading.Condition()
        self.in_progress = 0
        super().__init__((host, port), _Handler)


class RestServer:
    """Serves a :class:`~serving.rest.RestApi` on ``::``, or on every IPv4 address where there is no IPv6.

    Raises
    ------
    OSError
        The port is taken.
    """

    def __init__(self, api: RestApi, port: int, *, cors: bool = False) -> None:
        try:
            self._listener = _Listener(socket.AF_INET6, "::", port, api, cors=cors)
        except OSError:
            everywhere = "0.0.0.0"  # noqa: S104 - as the real server
            self._listener = _Listener(socket.AF_INET, everywhere, port, api, cors=cors)
        self._thread = threading.Thread(
            target=self._listener.serve_forever, args=(_STOP_POLL_S,), name="rest", daemon=True
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self, grace_s: float) -> None:
        """Take no further connections, and give the calls in progress ``grace_s`` seconds to end."""
        self._listener.shutdown()
        self._listener.server_close()
        with self._listener.calls:
            self._listener.calls.wait_for(lambda: not self._listener.in_progress, timeout=grace_s)
