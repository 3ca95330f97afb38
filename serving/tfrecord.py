"""TFRecord files: records of bytes, each with its length and two checksums.

A record is its length (uint64), the masked CRC of the length, the data, the masked CRC of the data (uint32 each), all
little endian (``tensorflow/core/lib/io/record_writer.h``).
"""

from __future__ import annotations

import functools
import struct
from typing import TYPE_CHECKING, BinaryIO

import grpc
import numpy as np

from serving.status import StatusError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_POLYNOMIAL = 0x82F63B78
_LANE = 256
_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")


@functools.cache
def _table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1).astype(np.uint32)
    return table


@functools.cache
def _lane_shift() -> list[list[int]]:
    """Tables that advance a register over ``_LANE`` zero bytes, one for each of its bytes."""
    register = (np.arange(256, dtype=np.uint32)[None, :] << np.array([[0], [8], [16], [24]], dtype=np.uint32)).ravel()
    for _ in range(_LANE):
        register = _table()[register & 0xFF] ^ (register >> 8)
    shifts: list[list[int]] = register.reshape(4, 256).tolist()
    return shifts


def crc32c(data: bytes) -> int:
    """Return the CRC-32C (Castagnoli, RFC 3720 appendix B.4) of ``data``.

    The register is linear over GF(2): lanes of 256 bytes are run side by side from zero and then chained, which makes
    the warm-up records of a network (megabytes of pixels) a matter of milliseconds.
    """
    if len(data) < len(b"crc!"):
        register = 0xFFFFFFFF
        for byte in data:
            register = int(_table()[(register ^ byte) & 0xFF]) ^ (register >> 8)
        return register ^ 0xFFFFFFFF
    # Leading zeros leave a register of zero as it is, and starting from all ones is inverting the first four bytes.
    padded = np.zeros(-(-len(data) // _LANE) * _LANE, dtype=np.uint8)
    padded[-len(data) :] = np.frombuffer(data, dtype=np.uint8)
    padded[padded.size - len(data) :][:4] ^= 0xFF
    lanes = padded.reshape(-1, _LANE)
    registers = np.zeros(len(lanes), dtype=np.uint32)
    for column in range(_LANE):
        registers = _table()[(registers ^ lanes[:, column]) & 0xFF] ^ (registers >> 8)
    low, second, third, high = _lane_shift()
    total = 0
    for register in registers.tolist():
        total = low[total & 255] ^ second[total >> 8 & 255] ^ third[total >> 16 & 255] ^ high[total >> 24] ^ register
    return total ^ 0xFFFFFFFF


def masked_crc32c(data: bytes) -> int:
    """Return the checksum as the format stores it: rotated and offset, so that a CRC of a CRC stays one."""
    crc = crc32c(data)
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
