"""An object store on loopback, over HTTP or as S3, that serves parts of files and counts the bytes sent."""

from __future__ import annotations

import re
from http.server import BaseHTTPRequestHandler

from tests.support.loopback import LoopbackServer, Quiet


class ObjectStore(LoopbackServer):
    """Serves files at ``/bucket/name``; a context manager.

    Attributes
    ----------
    files : dict of str to bytes
        Content by name.
    sent : int
        Number of bytes sent in bodies.
    """

    def __init__(self) -> None:
        store = self
        self.files: dict[str, bytes] = {}
        self.sent = 0

        class StoreHandler(Quiet, BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self._answer(body=False)

            def do_GET(self) -> None:
                self._answer(body=True)

            def _answer(self, *, body: bool) -> None:
                data = store.files.get(self.path.partition("?")[0].removeprefix("/bucket/"))
                if data is None:
                    self.send_response(404)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
                first, last = 0, len(data) - 1
                if asked:
                    first, last = int(asked[1]), min(last, int(asked[2] or last))
                part = data[first : last + 1]
                self.send_response(206 if asked else 200)
                if asked:
                    self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("Content-Length", str(len(part)))
                self.send_header("Last-Modified", "Sat, 28 Nov 2026 12:00:00 GMT")
                self.send_header("ETag", '"0"')
                self.end_headers()
                if body:
                    store.sent += len(part)
                    self.wfile.write(part)

        super().__init__(StoreHandler)
