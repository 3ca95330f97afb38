"""Unpacks gzip, bzip2 and xz, within a size limit."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import IO

from gateway.core import errors
from gateway.tables.data import Data

MOST_BYTES = 1 << 36
"""Size limit for a user's own file, bytes: 64 GiB. Uploads have the limit of their whole request."""
_CHUNK = 1 << 20
_MAGICS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz"}


def is_packed(head: bytes) -> bool:
    """Return whether a file with these first bytes is compressed."""
    return any(head.startswith(magic) for magic in _MAGICS)


def unpacked_bytes(data: bytes, most: int) -> bytes:
    """Return the content of compressed bytes.

    Raises
    ------
    errors.TableTooLarge
        The content is more than ``most`` bytes; unpacking stops there.
    errors.BadTable
        The compressed bytes are damaged.
    """
    out = io.BytesIO()
    _unpack(io.BytesIO(data), out, most)
    return out.getvalue()


def unpacked_file(path: Path) -> Data:
    """Unpack a file to a temporary one, which is deleted with the last reference to the data; errors as above."""
    folder = Path(tempfile.mkdtemp(prefix="inclinet-"))
    data = Data(folder / path.name, str(path))
    weakref.finalize(data, shutil.rmtree, folder, ignore_errors=True)
    with path.open("rb") as file, (folder / path.name).open("wb") as out:
        _unpack(file, out, MOST_BYTES)
    return data


def _unpack(file: IO[bytes], out: IO[bytes], most: int) -> None:
    head = file.read(8)
    file.seek(0)
    kind = next(name for magic, name in _MAGICS.items() if head.startswith(magic))
    size = 0
    try:
        with _opened(file, kind) as packed:
            while chunk := packed.read(_CHUNK):
                size += len(chunk)
                if size > most:
                    raise errors.TableTooLarge(f"The table unpacks to more than {most:,} bytes.", max_bytes=most)
                out.write(chunk)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise errors.BadTable("The compressed table is damaged or incomplete.") from error


def _opened(file: IO[bytes], kind: str) -> gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile:
    if kind == "gzip":
        return gzip.GzipFile(fileobj=file)
    return bz2.BZ2File(file) if kind == "bzip2" else lzma.LZMAFile(file)
