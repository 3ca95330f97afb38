"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give the path of a new file beside ``path``, which takes its place once the body has written it.

    When the body fails, ``path`` is as before. What was written is on the disk before it is renamed, so that a machine
    that loses its power keeps the old file or the new one.

    Parameters
    ----------
    path : Path
        Its folder exists.
    """
    # several may write one file: what is left of a program that was killed, and the next one
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        yield partial
        _flush(partial)
        partial.replace(path)
        _flush(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
