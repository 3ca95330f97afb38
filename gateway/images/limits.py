"""Limits on the size of an image and on the memory of its decoder, checked before a pixel is decoded."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from gateway.core import errors
from gateway.core.resources import memory_bytes

if TYPE_CHECKING:
    from types import TracebackType

    from gateway.core.models import Deadline

MAX_PIXELS = 40_000_000
SMALLEST_SIDE = 16
MAX_ASPECT = 16
"""Longer over shorter side. Panoramas and drift scans stay below; a strip holds no galaxy and pads to a huge square."""

WORKING_SIDE = 2048
"""Pictures with a longer side are reduced to this at most while they are read: the square around them stays small."""

IMAGE_BYTES = 150_000_000
"""Most memory that the decoder of one image may take."""

ALL_IMAGES_BYTES = 320_000_000
"""Most memory that all decoders of a process may take together."""

_MEMORY_SHARE = 0.35
_WAIT_S = 1.0


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Refuse images that are too large, too small or too long to hold a galaxy, from their size alone."""
    if width * height > max_pixels:
        raise errors.ImageTooLarge(
            f"The image has {width} x {height} pixels; at most {max_pixels:,} pixels are read.",
            max_pixels=max_pixels,
        )
    if min(width, height) < SMALLEST_SIDE:
        raise errors.BadImage(f"The image has {width} x {height} pixels; at least {SMALLEST_SIDE} each way are needed.")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise errors.BadImage(
            f"The image has {width} x {height} pixels; the longer side may be at most {MAX_ASPECT} times the shorter.",
        )


class Memory:
    """Memory that the decoders of a process share, each through a :class:`Share`.

    Parameters
    ----------
    total : int
        Bytes that all may hold together.
    each : int
        Bytes that one may hold.
    """

    def __init__(self, total: int, each: int = IMAGE_BYTES) -> None:
        self.total = total
        self.each = min(each, total)
        self._held = 0
        self._changed = threading.Condition()

    @property
    def held(self) -> int:
        """Bytes held now."""
        return self._held

    def take(self, size: int, what: str, deadline: Deadline | None = None) -> None:
        """Take so many bytes; wait while others hold too much. See :meth:`Share.ask`."""
        if size > self.each:
            raise errors.ImageTooLarge(
                f"To decode this {what} takes about {size / 1e6:.0f} MB of memory; "
                f"at most {self.each / 1e6:.0f} MB are spent on one image.",
            )
        with self._changed:
            while self._held + size > self.total:
                self._changed.wait(_WAIT_S if deadline is None else min(_WAIT_S, deadline.remaining_s()))
            self._held += size

    def release(self, size: int) -> None:
        """Give so many bytes back."""
        with self._changed:
            self._held -= size
            self._changed.notify_all()


class Share:
    """What one decoder holds of the memory, until it leaves this context.

    It never waits while it holds something, so that no two wait for each other.
    """

    def __init__(self, memory: Memory, deadline: Deadline | None = None) -> None:
        self._memory = memory
        self._deadline = deadline
        self._size = 0

    def ask(self, size: int, what: str) -> None:
        """Hold so many bytes, instead of what was held before.

        Parameters
        ----------
        size : int
            Bytes that decoding will take, estimated from the file's header.
        what : str
            The image in words, such as ``interlaced PNG of 6000 x 6000 pixels``.

        Raises
        ------
        errors.ImageTooLarge
            It is more than one image may take.
        errors.DeadlineExceeded
            Others held the memory for too long, or what came before took too long.
        """
        self._release()
        if self._deadline is not None:
            self._deadline.remaining_s()
        self._memory.take(size, what, self._deadline)
        self._size = size

    def _release(self) -> None:
        size, self._size = self._size, 0
        self._memory.release(size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()


def shared_memory() -> Memory:
    """Return what decoders may share here: a third of the memory of the container or machine, 320 MB at most."""
    limit = memory_bytes()
    return Memory(ALL_IMAGES_BYTES if limit is None else min(ALL_IMAGES_BYTES, int(limit * _MEMORY_SHARE)))


MEMORY = shared_memory()
"""Of this process: memory is the one thing that every decoder in it shares."""
