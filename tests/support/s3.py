"""An S3 server on loopback: moto's, which stores files in memory."""

from __future__ import annotations

import logging
import urllib.request
import warnings
from typing import TYPE_CHECKING, Any, Self

import s3fs

if TYPE_CHECKING:
    from types import TracebackType

    import pytest

BUCKET = "survey"

_PLAIN = {"Content-Type": "text/plain"}


class S3Server:
    """The server with a bucket ``survey``; a context manager.

    Parameters
    ----------
    monkeypatch : pytest.MonkeyPatch
        Sets the variables by which S3 clients find the server and log in.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from moto.server import ThreadedMotoServer  # takes two seconds, and its dependencies warn

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server: Any = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        _, port = self._server.get_host_and_port()
        self.url = f"http://127.0.0.1:{port}"
        self._environment = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        }
        for name, value in self._environment.items():
            monkeypatch.setenv(name, value)

    def __enter__(self) -> Self:
        s3fs.S3FileSystem.clear_instance_cache()
        # an earlier server of this process may have left its content
        self._post("reset-auth", b"inf")
        self._post("reset")
        self.files.mkdir(BUCKET)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        s3fs.S3FileSystem.clear_instance_cache()
        self._server.stop()

    @property
    def files(self) -> s3fs.S3FileSystem:
        """The server's content as a file system."""
        said = self._environment
        return s3fs.S3FileSystem(
            key=said["AWS_ACCESS_KEY_ID"],
            secret=said["AWS_SECRET_ACCESS_KEY"],
            endpoint_url=self.url,
            skip_instance_cache=True,
            use_listings_cache=False,
        )

    def refuse(self) -> None:
        """From now on, refuse credentials that the server did not make."""
        self._post("reset-auth", b"0")

    def _post(self, what: str, data: bytes = b"") -> None:
        asked = urllib.request.Request(f"{self.url}/moto-api/{what}", data=data, headers=_PLAIN)  # noqa: S310 - loopback
        urllib.request.urlopen(asked, timeout=10).close()  # noqa: S310 - as above
