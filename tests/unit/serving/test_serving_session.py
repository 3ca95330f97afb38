"""SavedModels in TensorFlow's runtime, and the records that warm them up."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving import predict, tfrecord, warmup
from serving.messages import config_pb2, predict_pb2, prediction_log_pb2, tensor_pb2
from serving.model import Model
from serving.session import Session
from serving.status import StatusError
from serving.tensors import Tensor
from tests.support.load import images, predict_request, read_answer
from tests.support.models import flavor_answer, images_proto, write_flavor, write_warmup
from tests.support.serving import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def loaded(directory: Path) -> Model:
    return Model(Session(str(directory), tags=["serve"], config=config_pb2.ConfigProto()))


def test_a_model_answers_what_it_computes(tmp_path: Path) -> None:
    model = loaded(write_flavor(tmp_path / "tiny_m0", version=3, offset_deg=2.0))
    inputs = images(5)
    version, values = read_answer(predict.predict(model, predict_request("tiny_m0", inputs), version=3))
    assert version == 3
    np.testing.assert_allclose(values, flavor_answer(inputs, version=3, offset_deg=2.0), atol=1e-4)
    model.close()


def test_a_run_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    model = loaded(write_flavor(tmp_path / "tiny_m0", busy=40))
    with pytest.raises(StatusError, match=r"^DEADLINE_EXCEEDED: Timed out waiting for notification$"):
        predict.predict(model, predict_request("tiny_m0", images(1)), version=1, timeout_ms=1)
    model.close()


def test_directories_without_a_model_are_refused_in_the_loaders_words(tmp_path: Path) -> None:
    with pytest.raises(StatusError, match=r"^NOT_FOUND: Could not find SavedModel .pb or .pbtxt"):
        loaded(tmp_path)
    directory = write_flavor(tmp_path / "tiny_m0")
    with pytest.raises(StatusError, match=r"^NOT_FOUND: Could not find meta graph def matching supplied tags"):
        Session(str(directory), tags=["train"], config=config_pb2.ConfigProto())


def test_a_tensor_of_no_elements_has_no_values() -> None:
    tensor = Tensor.from_proto(images_proto(np.zeros((0, 4), np.uint8)))
    assert tensor.shape == (0, 4)
    assert len(tensor.values()) == 0


def test_content_can_be_asked_for(tmp_path: Path) -> None:
    model = loaded(write_flavor(tmp_path / "tiny_m0"))
    inputs = images(3)
    response = predict.predict(model, predict_request("tiny_m0", inputs), version=1, as_content=True)
    values = np.frombuffer(response.outputs["inclination_deg"].tensor_content, np.float32)
    np.testing.assert_allclose(values, flavor_answer(inputs), atol=1e-4)
    model.close()


def test_text_has_no_content_form() -> None:
    proto = tensor_pb2.TensorProto(dtype=7, string_val=[b"a"])
    proto.tensor_shape.dim.add(size=1)
    answer = Tensor.from_proto(proto).to_proto(as_content=True)
    assert (list(answer.string_val), answer.tensor_content) == ([b"a"], b"")


def test_a_record_is_laid_out_as_tensorflow_lays_it_out() -> None:
    # written by tf.io.TFRecordWriter
    assert tfrecord.record(b"123456789").hex() == "090000000000000037f97139313233343536373839e5b08ac7"


@given(st.lists(st.binary(max_size=300), max_size=4))
def test_records_come_back_as_they_were(records: list[bytes]) -> None:
    assert list(tfrecord.read(io.BytesIO(b"".join(map(tfrecord.record, records))))) == records


@given(st.binary(min_size=1, max_size=50), st.data())
def test_a_damaged_or_cut_record_is_noticed(content: bytes, data: st.DataObject) -> None:
    whole = tfrecord.record(content)
    index = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[index] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(StatusError, match=r"^DATA_LOSS"):
        list(tfrecord.read(io.BytesIO(bytes(damaged))))
    cut = whole[: data.draw(st.integers(1, len(whole) - 1))]
    with pytest.raises(StatusError, match=r"^DATA_LOSS"):
        list(tfrecord.read(io.BytesIO(cut)))


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
    run = model.session.run

    def counted(*given: Any, **named: Any) -> Any:
        runs.append(given)
        return run(*given, **named)

    monkeypatch.setattr(model.session, "run", counted)
    wrong = predict_pb2.PredictRequest()
    wrong.inputs["pictures"].CopyFrom(images_proto(images(1)))
    write_warmup(directory, [predict_request("any name", images(1)), predict_request("", images(2), version=77)])
    assert warmup.replay(model, str(directory), repetitions=2) == 2
    assert len(runs) == 4
    records = directory / warmup.WARMUP_FILE
    log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=wrong))
    records.write_bytes(records.read_bytes() + tfrecord.record(log.SerializeToString()))
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
    (directory / warmup.WARMUP_FILE).write_bytes(tfrecord.record(log.SerializeToString()))
    with pytest.raises(StatusError, match=r"^UNIMPLEMENTED: Unsupported log_type for warmup"):
        warmup.replay(model, str(directory))
    model.close()


@pytest.mark.slow
def test_a_model_that_tensorflow_exported_keeps_its_variables_and_functions(tmp_path: Path) -> None:
    script = """
import sys
import tensorflow as tf

class Network(tf.Module):
    def __init__(self):
        super().__init__()
        self.weight = tf.Variable(3.0)

    @tf.function(input_signature=[tf.TensorSpec([None, 2, 2], tf.uint8, name="images")])
    def serve(self, images):
        return {"y": self.weight * tf.reduce_mean(tf.reshape(tf.cast(images, tf.float32), [-1, 4]), axis=1)}

network = Network()
tf.saved_model.save(network, sys.argv[1], signatures=network.serve)
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "1")], check=True, capture_output=True, cwd=ROOT)
    model = loaded(tmp_path / "1")
    assert "__saved_model_init_op" in model.session.signatures
    pixels = np.array([[[1, 2], [3, 6]]], np.uint8)
    request = predict_pb2.PredictRequest(inputs={"images": images_proto(pixels)})
    assert list(predict.predict(model, request, version=1).outputs["y"].float_val) == [9.0]
    request = predict_pb2.PredictRequest(inputs={"images": images_proto(pixels[:, :1, :1])})
    with pytest.raises(StatusError) as caught:
        predict.predict(model, request, version=1)
    assert caught.value.message.startswith("Input to reshape is a tensor with 1 values, but the requested shape")
    assert "{{function_node " in caught.value.message
    model.close()
