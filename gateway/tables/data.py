"""The bytes of a table, in memory or on disk."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Data:
    """Bytes that can be opened as often as needed.

    Attributes
    ----------
    content : bytes or Path
    name : str
        What errors call it.
    """

    content: bytes | Path
    name: str = ""

    def open(self) -> BinaryIO:
        """Open them for reading at random."""
        return io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content.open("rb")

    def read(self) -> bytes:
        """Return all of them."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()
