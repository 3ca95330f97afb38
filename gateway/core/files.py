"""Writes files whole or not at all."""

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
    """Yield the path of a temporary file beside ``path``, and rename it to ``path`` after the block.

    When the block fails, ``path`` is unchanged. The data is flushed to the disk before the rename, so that after a
    power failure the file is either the old or the new one.

    Parameters
    ----------
    path : Path
        File to write; its folder exists.
    """
    # a unique name, since two programs may write one file, and a killed one leaves its temporary file behind
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
