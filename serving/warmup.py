"""Warm-up: the requests that a version answers before it is available (``servables/tensorflow/saved_model_warmup``)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from serving import predict, status, tfrecord
from serving.messages import prediction_log_pb2

if TYPE_CHECKING:
    from serving.model import Model

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
MAX_RECORDS = 1000
_UNREADABLE = "Please verify your warmup data is in TFRecord format."


def replay(model: Model, version_directory: str, *, repetitions: int = 1) -> int:
    """Replay the records of a version, if it has any; return how many there were.

    Raises
    ------
    serving.status.StatusError
        Any record failed, which fails the load; DATA_LOSS if the file is no TFRecord file.
    """
    path = Path(version_directory) / WARMUP_FILE
    if not path.exists():
        return 0
    count = 0
    with path.open("rb") as file:
        try:
            for count, record in enumerate(tfrecord.read(file), start=1):
                if count > MAX_RECORDS:
                    raise status.invalid(f"Number of warmup records exceeds the maximum ({MAX_RECORDS}) at {path}")
                log = _decoded(record)
                for _ in range(max(1, repetitions)):
                    _replay_one(model, log)
        except status.StatusError as error:
            if error.code is status.DATA_LOSS:
                raise status.StatusError(error.code, f"{error.message}. {_UNREADABLE}") from error
            raise
    return count


def _decoded(record: bytes) -> prediction_log_pb2.PredictionLog:
    try:
        return prediction_log_pb2.PredictionLog.FromString(record)
    except DecodeError as error:
        raise status.invalid(f"Failed to parse warmup record: {error}") from error


def _replay_one(model: Model, log: prediction_log_pb2.PredictionLog) -> None:
    kind = log.WhichOneof("log_type")
    if kind != "predict_log":
        raise status.unimplemented(f"Unsupported log_type for warmup: {kind}")
    predict.predict(model, log.predict_log.request, version=0)
