"""The bytes of a table, in memory or on disk."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Data:
    """A table's content, which can be opened any number of times.

    Attributes
    ----------
    content : bytes or Path
        The bytes, or the file that holds them.
    name : str
        Name of the table in errors.
    """

    content: bytes | Path
    name: str = ""

    def open(self) -> BinaryIO:
        """Open the content for random access."""
        return io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content.open("rb")

    def read(self) -> bytes:
        """Return the whole content."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()
