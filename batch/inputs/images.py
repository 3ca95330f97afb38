"""The images that rows name: files in any store, or pictures in a NumPy file."""

from __future__ import annotations

import asyncio
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from batch import storage
from batch.errors import BatchError
from gateway.core import errors
from gateway.core.manifest import INPUT_SHAPE

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMPY_MAGIC = b"\x93NUMPY"
READ_TIMEOUT_S = 120.0
_BYTES = math.prod(INPUT_SHAPE)
"""Size of one model input, bytes."""

_PICTURES_AT_ONCE = 64


class Images(Protocol):
    """Reads images by the names that rows give."""

    async def read(self, name: str) -> bytes | NDArray[np.uint8]:
        """Return the file or the pixels of an image.

        Raises
        ------
        gateway.core.errors.GatewayError
            A lasting error (there is no such image) or a passing one (the store can't be reached).
        """

    def close(self) -> None:
        """Release all resources."""


class Files:
    """Image files.

    Parameters
    ----------
    base : str
        Folder of relative names.
    largest_bytes : int
        Size limit of a file, bytes.
    at_once : int
        Files read at the same time.
    """

    def __init__(self, base: str, *, largest_bytes: int, at_once: int) -> None:
        self._base = base
        self._largest = largest_bytes
        # a store may be slow: with fewer reads than rows in progress, rows would wait for each other
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
        """Shut the threads down, without waiting for a store that does not answer."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class Pictures:
    """Model inputs of one ``.npy`` file in any store, uint8 ``[N, 128, 128, 3]``, named by their number.

    Reading copies some pictures and does not map the file, so that memory does not grow with the file.

    Parameters
    ----------
    url : str
        Path or URL of the file.

    Attributes
    ----------
    rows : int
        Number of model inputs.

    Raises
    ------
    BatchError
        The file does not hold model inputs.
    OSError
        The file can't be read.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._file = storage.open_for_reading(url)
        try:
            self.rows, self._offset = _layout(self._file, url)
        except BaseException:
            self._file.close()
            raise
        self._thread = ThreadPoolExecutor(1, "pictures")
        self._reading = asyncio.Lock()
        self._first, self._some = 0, np.empty((0, *INPUT_SHAPE), np.uint8)

    async def read(self, name: str) -> NDArray[np.uint8]:
        """Return the picture with this number, uint8 ``[128, 128, 3]``."""
        number = int(name)
        async with self._reading:
            if not self._first <= number < self._first + len(self._some):
                # many are read at once, since they are used in order and a switch of threads costs more than a read
                work = asyncio.get_running_loop().run_in_executor(self._thread, self._from, number)
                try:
                    self._first, self._some = number, await work
                except OSError as error:
                    raise _unreachable(f"{self._url} can't be read: {error.strerror or error}.") from error
            picture: NDArray[np.uint8] = self._some[number - self._first]
        return picture

    def _from(self, number: int) -> NDArray[np.uint8]:
        self._file.seek(self._offset + number * _BYTES)
        data = self._file.read(min(_PICTURES_AT_ONCE, self.rows - number) * _BYTES)
        if not data or len(data) % _BYTES:
            raise OSError(f"the file ends before picture {number + len(data) // _BYTES}")
        return np.frombuffer(data, np.uint8).reshape(-1, *INPUT_SHAPE)

    def close(self) -> None:
        """Close the file."""
        self._thread.shutdown()
        self._file.close()


def _layout(file: Any, url: str) -> tuple[int, int]:
    """Return the number of pictures, and the offset of the first one."""
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(file)
    except ValueError as error:
        raise BatchError(f"{url} is damaged, or not a NumPy file: {error}.") from error
    if dtype != np.uint8 or len(shape) != 1 + len(INPUT_SHAPE) or shape[1:] != INPUT_SHAPE or fortran:
        order = ", in Fortran's order" if fortran else ""
        raise BatchError(f"{url} holds {dtype} {list(shape)}{order}; model inputs are uint8 [N, 128, 128, 3].")
    return int(shape[0]), int(file.tell())


def _unreachable(sentence: str) -> errors.UpstreamUnavailable:
    return errors.UpstreamUnavailable(sentence, service="image store")
