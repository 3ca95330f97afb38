"""Warm-up: requests that a version answers before it is available (``servables/tensorflow/saved_model_warmup``)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import google_crc32c
from grpc import StatusCode

from serving.errors import StatusError
from serving.protos import prediction_log_pb2
from serving.rpc.predict import predict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serving.runtime.session import Session

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"


def replay(session: Session, version_directory: str) -> int:
    """Replay the records of a version, if it has any; return their number. A failing record raises its error."""
    path = Path(version_directory) / WARMUP_FILE
    if not path.exists():
        return 0
    records = list(tfrecords(path.read_bytes()))
    for record in records:
        log = prediction_log_pb2.PredictionLog.FromString(record)
        kind = log.WhichOneof("log_type")
        if kind != "predict_log":
            raise StatusError(StatusCode.UNIMPLEMENTED, f"Unsupported log_type for warmup: {kind}")
        predict(session, log.predict_log.request, version=0)
    return len(records)


def tfrecords(content: bytes) -> Iterator[bytes]:
    """Yield the records of a TFRecord file; raise DATA_LOSS if it is truncated, damaged, or of another format.

    A record is its length (uint64), the masked CRC of the length, the data and the masked CRC of the data (uint32
    each), all little endian (``tensorflow/core/lib/io/record_writer.h``).
    """
    position = 0
    while position < len(content):
        try:
            length, length_crc = struct.unpack_from("<QI", content, position)
            data = content[position + 12 : position + 12 + length]
            (data_crc,) = struct.unpack_from("<I", content, position + 12 + len(data))
        except struct.error:
            length_crc, data_crc, data = -1, -1, b""
        if (length_crc, data_crc) != (masked_crc32c(content[position : position + 8]), masked_crc32c(data)):
            text = "corrupted record. Please verify your warmup data is in TFRecord format."
            raise StatusError(StatusCode.DATA_LOSS, text)
        yield data
        position += 16 + length


def masked_crc32c(data: bytes) -> int:
    """Return the checksum as the format stores it: rotated and offset, so that a CRC of a CRC stays one."""
    crc: int = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
