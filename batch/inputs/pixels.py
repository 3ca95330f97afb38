"""Model inputs in one ``.npy`` file, uint8 ``[N, 128, 128, 3]``: read a picture at a time, from any store."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from batch import storage
from batch.errors import BatchError
from gateway.core.manifest import INPUT_SHAPE

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC = b"\x93NUMPY"
BYTES = math.prod(INPUT_SHAPE)
"""Of one model input."""


class Pixels:
    """The pictures of an open file; not to be read by two threads at once.

    Reading copies what is asked for and maps nothing, so that memory does not grow with the file.

    Raises
    ------
    BatchError
        The file holds anything else than model inputs.
    OSError
        It can't be read.
    """

    def __init__(self, url: str) -> None:
        self._file = storage.open_for_reading(url)
        try:
            self.rows, self._offset = _layout(self._file, url)
        except BaseException:
            self._file.close()
            raise

    def __getitem__(self, row: int) -> NDArray[np.uint8]:
        self._file.seek(self._offset + row * BYTES)
        data = self._file.read(BYTES)
        if len(data) != BYTES:
            raise OSError(f"the file ends before picture {row}")
        return np.frombuffer(data, np.uint8).reshape(INPUT_SHAPE)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _layout(file: Any, url: str) -> tuple[int, int]:
    """Return how many pictures there are, and where the first one starts."""
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
