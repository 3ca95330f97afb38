"""A SOCKS5 proxy on loopback (RFC 1928, without authentication): forwards connections, and records destinations."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from typing import TYPE_CHECKING, Self, cast

from tests.support.forward_proxy import carry

if TYPE_CHECKING:
    from types import TracebackType

_WAIT_S = 30.0
_NO_AUTHENTICATION, _DOMAIN = 0, 3
_GRANTED = 0


class SocksProxy(socketserver.ThreadingTCPServer):
    """A fake of an institute's SOCKS proxy.

    Parameters
    ----------
    leads : dict
        Destination ``host:port`` on loopback for each ``host:port`` in a request.

    Attributes
    ----------
    seen : list of str
        ``host:port`` of every requested connection.
    """

    daemon_threads = True

    def __init__(self, leads: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), SocksConnection)
        self.leads = leads
        self.seen: list[str] = []
        self.url = f"socks5://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join(_WAIT_S)


class SocksConnection(socketserver.StreamRequestHandler):
    """One connection of a client."""

    def handle(self) -> None:
        """Agree on no authentication, read the destination, and copy bytes both ways."""
        proxy = cast("SocksProxy", self.server)
        _, methods = self.rfile.read(2)
        self.rfile.read(methods)
        self.wfile.write(bytes([5, _NO_AUTHENTICATION]))
        _, _, _, kind, length = self.rfile.read(5)
        assert kind == _DOMAIN, "names are the proxy's to resolve"
        name = self.rfile.read(length).decode("ascii")
        (port,) = struct.unpack(">H", self.rfile.read(2))
        proxy.seen.append(f"{name}:{port}")
        host, _, local_port = proxy.leads[proxy.seen[-1]].rpartition(":")
        self.wfile.write(bytes([5, _GRANTED, 0, 1, 0, 0, 0, 0, 0, 0]))
        with socket.create_connection((host, int(local_port)), _WAIT_S) as beyond:
            back = threading.Thread(target=carry, args=[beyond, self.connection], daemon=True)
            back.start()
            carry(self.connection, beyond)
            back.join(_WAIT_S)
