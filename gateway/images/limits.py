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
"""Largest ratio of the sides. Panoramas and drift scans stay below; a strip holds no galaxy and pads hugely."""

WORKING_SIDE = 2048
"""Longest side of a picture in memory; larger pictures are reduced while they are read. Pixels."""

IMAGE_BYTES = 150_000_000
"""Most memory that the decoder of one image may take, bytes."""

ALL_IMAGES_BYTES = 320_000_000
"""Most memory that all decoders of a process may take together, bytes."""

_MEMORY_SHARE = 0.35
_WAIT_S = 1.0


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raise an error for an image that is too large, too small or too long to hold a galaxy, by its size alone."""
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
        Most bytes that all decoders may hold together.
    each : int
        Most bytes that one decoder may hold.
    """

    def __init__(self, total: int, each: int = IMAGE_BYTES) -> None:
        self.total = total
        self.each = min(each, total)
        self._held = 0
        self._changed = threading.Condition()

    @property
    def held(self) -> int:
        """Bytes that are held now."""
        return self._held

    def take(self, size: int, what: str, deadline: Deadline | None = None) -> None:
        """Reserve ``size`` bytes; wait while others hold too much. See :meth:`Share.ask`."""
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
        """Release ``size`` bytes."""
        with self._changed:
            self._held -= size
            self._changed.notify_all()


class Share:
    """One decoder's share of the memory, held until the end of this context.

    A decoder never waits while it holds memory, so that no two wait for each other.
    """

    def __init__(self, memory: Memory, deadline: Deadline | None = None) -> None:
        self._memory = memory
        self._deadline = deadline
        self._size = 0

    def ask(self, size: int, what: str) -> None:
        """Hold ``size`` bytes, instead of the bytes held before.

        Parameters
        ----------
        size : int
            Bytes that decoding takes, estimated from the file's header.
        what : str
            Description of the image for errors, such as ``interlaced PNG of 6000 x 6000 pixels``.

        Raises
        ------
        errors.ImageTooLarge
            One image may not take so many bytes.
        errors.DeadlineExceeded
            Other decoders held the memory for too long, or the deadline has passed.
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
    """Return the memory that decoders share here: a third of the container's or machine's memory, at most 320 MB."""
    limit = memory_bytes()
    return Memory(ALL_IMAGES_BYTES if limit is None else min(ALL_IMAGES_BYTES, int(limit * _MEMORY_SHARE)))


MEMORY = shared_memory()
"""The decoders' memory of this process, shared by every decoder in it."""
