"""The images that rows name: files in any store, or pictures of a NumPy file."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from batch import storage
from batch.errors import BatchError
from batch.inputs.pixels import Pixels
from gateway.core import errors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

READ_TIMEOUT_S = 120.0


class Images(Protocol):
    """Reads images by the names that rows give."""

    async def read(self, name: str) -> bytes | NDArray[np.uint8]:
        """Return an image's file or pixels.

        Raises
        ------
        gateway.core.errors.GatewayError
            Lasting (there is no such image) or passing (the store can't be reached).
        """

    def close(self) -> None:
        """Give back what is held."""


class Files:
    """Image files.

    Parameters
    ----------
    base : str
        Folder that relative names are looked for in.
    largest_bytes : int
        Of a file.
    at_once : int
        Files read at the same time.
    """

    def __init__(self, base: str, *, largest_bytes: int, at_once: int) -> None:
        self._base = base
        self._largest = largest_bytes
        # a store's own threads or connections may be slow: as many reads as rows under way, or rows would wait in line
        self._pool = ThreadPoolExecutor(at_once, "images")

    async def read(self, name: str) -> bytes:
        """Return the bytes of a file."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                return await loop.run_in_executor(self._pool, self._bytes, name)
        except TimeoutError:
            raise _unreachable(f"{name} did not arrive in time.") from None
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise errors.BadTarget(f"There is no image {name}.") from None
        except BatchError as error:
            raise errors.BadTarget(str(error)) from None
        except OSError as error:
            raise _unreachable(f"{name} can't be read: {error.strerror or type(error).__name__}.") from error

    def _bytes(self, name: str) -> bytes:
        url = storage.below(self._base, name)
        with storage.open_for_reading(url) if "://" in url else Path(url).open("rb") as file:
            data: bytes = file.read(self._largest + 1)
        if len(data) > self._largest:
            raise errors.ImageTooLarge(f"The image {name} is larger than {self._largest:,} bytes.")
        return data

    def close(self) -> None:
        """End the threads, without waiting for a store that does not answer."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class Pictures:
    """Model inputs of one NumPy file, named by their number."""

    def __init__(self, url: str) -> None:
        self._pixels = Pixels(url)
        self._url = url
        self._thread = ThreadPoolExecutor(1, "pixels")

    async def read(self, name: str) -> NDArray[np.uint8]:
        """Return the picture of that number, uint8 ``[128, 128, 3]``."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._pixels.__getitem__, int(name))
        except OSError as error:
            raise _unreachable(f"{self._url} can't be read: {error.strerror or error}.") from error

    def close(self) -> None:
        """Close the file."""
        self._thread.shutdown()
        self._pixels.close()


def _unreachable(sentence: str) -> errors.UpstreamUnavailable:
    return errors.UpstreamUnavailable(sentence, service="image store")
