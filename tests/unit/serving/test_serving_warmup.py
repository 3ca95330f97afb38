"""Warm-up records, and how a version replays them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import StatusError
from serving.protos import config_pb2, predict_pb2, prediction_log_pb2
from serving.rpc import warmup
from serving.runtime.session import Session
from tests.support.load import images, predict_request
from tests.support.models import images_proto, tfrecord, write_flavor, write_warmup

if TYPE_CHECKING:
    from pathlib import Path


def loaded(directory: Path) -> Session:
    return Session(str(directory), config=config_pb2.ConfigProto())


def test_a_record_is_laid_out_as_tensorflow_lays_it_out() -> None:
    # written by tf.io.TFRecordWriter
    assert tfrecord(b"123456789").hex() == "090000000000000037f97139313233343536373839e5b08ac7"


@given(st.lists(st.binary(max_size=300), max_size=4))
def test_records_come_back_as_they_were(records: list[bytes]) -> None:
    assert list(warmup.tfrecords(b"".join(map(tfrecord, records)))) == records


@given(st.binary(min_size=1, max_size=50), st.data())
def test_a_damaged_or_cut_record_is_noticed(content: bytes, data: st.DataObject) -> None:
    whole = tfrecord(content)
    index = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[index] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(StatusError, match=r"^DATA_LOSS"):
        list(warmup.tfrecords(bytes(damaged)))
    cut = whole[: data.draw(st.integers(1, len(whole) - 1))]
    with pytest.raises(StatusError, match=r"^DATA_LOSS"):
        list(warmup.tfrecords(cut))


def test_a_version_without_records_needs_no_warm_up(tmp_path: Path) -> None:
    directory = write_flavor(tmp_path / "tiny_m0", warm=False)
    model = loaded(directory)
    assert warmup.replay(model, str(directory)) == 0
    model.close()


def test_warm_up_replays_every_record_and_fails_with_the_first_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = write_flavor(tmp_path / "tiny_m0", warm=False)
    model = loaded(directory)
    runs: list[object] = []
    run = model.run

    def counted(*given: Any, **named: Any) -> Any:
        runs.append(given)
        return run(*given, **named)

    monkeypatch.setattr(model, "run", counted)
    wrong = predict_pb2.PredictRequest()
    wrong.inputs["pictures"].CopyFrom(images_proto(images(1)))
    write_warmup(directory, [predict_request("any name", images(1)), predict_request("", images(2), version=77)])
    assert warmup.replay(model, str(directory)) == 2
    assert len(runs) == 2
    records = directory / warmup.WARMUP_FILE
    log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=wrong))
    records.write_bytes(records.read_bytes() + tfrecord(log.SerializeToString()))
    with pytest.raises(StatusError, match=r"^INVALID_ARGUMENT: Signature input alias: images"):
        warmup.replay(model, str(directory))
    model.close()


def test_a_warm_up_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    directory = write_flavor(tmp_path / "tiny_m0")
    model = loaded(directory)
    (directory / warmup.WARMUP_FILE).write_bytes(b"these are no records at all")
    with pytest.raises(StatusError, match=r"^DATA_LOSS: .*Please verify your warmup data is in TFRecord format\.$"):
        warmup.replay(model, str(directory))
    log = prediction_log_pb2.PredictionLog(session_run_log=prediction_log_pb2.SessionRunLog())
    (directory / warmup.WARMUP_FILE).write_bytes(tfrecord(log.SerializeToString()))
    with pytest.raises(StatusError, match=r"^UNIMPLEMENTED: Unsupported log_type for warmup"):
        warmup.replay(model, str(directory))
    model.close()
