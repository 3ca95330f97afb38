"""A forward proxy on loopback: tunnels by CONNECT, forwards requests in absolute form, and records both."""

from __future__ import annotations

import http.client
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests.support.loopback import LoopbackServer, Quiet

_WAIT_S = 30.0


class ForwardProxy(LoopbackServer):
    """A fake of an institute's proxy.

    Parameters
    ----------
    leads : dict
        Destination ``host:port`` on loopback for each ``host:port`` in a request; all others are unreachable.

    Attributes
    ----------
    seen : list of str
        All requests, as ``CONNECT host:port`` or ``GET http://…``.
    refuse : int, optional
        Status of the answer to every request, if set.
    """

    def __init__(self, leads: dict[str, str] | None = None) -> None:
        self.leads = leads or {}
        self.seen: list[str] = []
        self.refuse: int | None = None
        proxy = self

        class ProxyHandler(Quiet, BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_CONNECT(self) -> None:
                if (there := proxy.way(self, self.path)) is None:
                    return
                with socket.create_connection(there, _WAIT_S) as beyond:
                    self.send_response(200)
                    self.end_headers()
                    back = threading.Thread(target=carry, args=[beyond, self.connection], daemon=True)
                    back.start()
                    carry(self.connection, beyond)
                    back.join(_WAIT_S)
                self.close_connection = True

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                if (there := proxy.way(self, f"{parts.hostname}:{parts.port or 80}")) is None:
                    return
                beyond = http.client.HTTPConnection(*there, timeout=_WAIT_S)
                beyond.request(
                    "GET", parts.path + (f"?{parts.query}" if parts.query else ""), headers=dict(self.headers)
                )
                answer = beyond.getresponse()
                body = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.getheader("Content-Type", "text/plain"))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                beyond.close()

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                proxy.way(self, self.path)

        super().__init__(ProxyHandler)

    def way(self, request: BaseHTTPRequestHandler, place: str) -> tuple[str, int] | None:
        """Record a request; return its destination, or refuse it."""
        self.seen.append(f"{request.command} {request.path}")
        there = self.leads.get(place)
        if self.refuse is not None or there is None:
            request.close_connection = True
            request.send_response(self.refuse or 502)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return None
        host, _, port = there.rpartition(":")
        return host, int(port)


def carry(source: socket.socket, target: socket.socket) -> None:
    """Copy bytes until one side closes."""
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
