"""HTTP servers on loopback, each in a thread of its own; fakes derive from them."""

from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler


class Quiet:
    """Base class of handlers that log no requests to standard error."""

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class LoopbackServer:
    """Listens from its creation on, and answers within a ``with`` block.

    Parameters
    ----------
    handler : type of BaseHTTPRequestHandler
        Class of the handlers.
    """

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
