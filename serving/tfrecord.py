"""TFRecord files: records of bytes, each with its length and two checksums.

A record is its length (uint64), the masked CRC of the length, the data, the masked CRC of the data (uint32 each), all
little endian (``tensorflow/core/lib/io/record_writer.h``).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

import google_crc32c
import grpc

from serving.status import StatusError

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")


def masked_crc32c(data: bytes) -> int:
    """Return the checksum as the format stores it: rotated and offset, so that a CRC of a CRC stays one."""
    crc: int = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def read(file: BinaryIO) -> Iterator[bytes]:
    """Yield the records of a file.

    Raises
    ------
    serving.status.StatusError
        DATA_LOSS: truncated, damaged, or no TFRecord file.
    """
    while header := file.read(_HEADER.size):
        if len(header) < _HEADER.size:
            raise _data_loss("truncated record")
        length, length_crc = _HEADER.unpack(header)
        if masked_crc32c(header[:8]) != length_crc:
            raise _data_loss("corrupted record")
        data, footer = file.read(length), file.read(_FOOTER.size)
        if len(data) < length or len(footer) < _FOOTER.size:
            raise _data_loss("truncated record")
        if masked_crc32c(data) != _FOOTER.unpack(footer)[0]:
            raise _data_loss("corrupted record")
        yield data


def record(data: bytes) -> bytes:
    """Return ``data`` as one record of a file."""
    length = struct.pack("<Q", len(data))
    return length + _FOOTER.pack(masked_crc32c(length)) + data + _FOOTER.pack(masked_crc32c(data))


def _data_loss(text: str) -> StatusError:
    return StatusError(grpc.StatusCode.DATA_LOSS, text)
