"""SavedModels in TensorFlow's runtime."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from serving.errors import StatusError
from serving.protos import config_pb2, predict_pb2
from serving.rpc.predict import predict
from serving.runtime.session import Session
from serving.runtime.tensor import Tensor
from tests.support.load import images, predict_request, read_answer
from tests.support.models import flavor_answer, images_proto, write_flavor
from tests.support.serving import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def loaded(directory: Path) -> Session:
    return Session(str(directory), config=config_pb2.ConfigProto())


def test_a_model_answers_what_it_computes(tmp_path: Path) -> None:
    model = loaded(write_flavor(tmp_path / "tiny_m0", version=3, offset_deg=2.0))
    inputs = images(5)
    version, values = read_answer(predict(model, predict_request("tiny_m0", inputs), version=3))
    assert version == 3
    np.testing.assert_allclose(values, flavor_answer(inputs, version=3, offset_deg=2.0), atol=1e-4)
    model.close()


def test_a_run_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    model = loaded(write_flavor(tmp_path / "tiny_m0", busy=40))
    with pytest.raises(StatusError, match=r"^DEADLINE_EXCEEDED: Timed out waiting for notification$"):
        predict(model, predict_request("tiny_m0", images(1)), version=1, timeout_ms=1)
    model.close()


def test_directories_without_a_model_are_refused_in_the_loaders_words(tmp_path: Path) -> None:
    with pytest.raises(StatusError, match=r"^NOT_FOUND: Could not find SavedModel .pb or .pbtxt"):
        loaded(tmp_path)


def test_a_tensor_of_no_elements_has_no_values() -> None:
    tensor = Tensor.from_proto(images_proto(np.zeros((0, 4), np.uint8)))
    assert tensor.shape == (0, 4)
    assert len(tensor.to_proto().int_val) == 0


@pytest.mark.slow
def test_a_model_that_tensorflow_exported_keeps_its_variables_and_functions(tmp_path: Path) -> None:
    # the messages come first: the runtime can be imported after them
    script = """
import sys

import gateway.inference.protos

assert "tensorflow" not in sys.modules
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

assert predict_pb2.PredictRequest is gateway.inference.protos.PredictRequest

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
    assert "__saved_model_init_op" in model.signatures
    pixels = np.array([[[1, 2], [3, 6]]], np.uint8)
    request = predict_pb2.PredictRequest(inputs={"images": images_proto(pixels)})
    assert list(predict(model, request, version=1).outputs["y"].float_val) == [9.0]
    request = predict_pb2.PredictRequest(inputs={"images": images_proto(pixels[:, :1, :1])})
    with pytest.raises(StatusError) as caught:
        predict(model, request, version=1)
    assert caught.value.message.startswith("Input to reshape is a tensor with 1 values, but the requested shape")
    assert "{{function_node " in caught.value.message
    model.close()
