"""Exports a trained network to the model repository: writes it aside, reloads it, compares it, then renames it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from gateway.core.manifest import FACE_ON, INCLINATION, INPUT, INPUT_SHAPE, REJECTION, SIGNATURE, UNSUITABLE
from training.networks.architectures import Purpose, from_scale

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

WARMUP = "assets.extra/tf_serving_warmup_requests"
WARMUP_BATCHES = (1, 32)
TOLERANCE = {"inclination": 1e-2, "rejection": 1e-4}
"""Largest difference of a reloaded network, degrees and likelihood: the rounding of the graph optimiser."""


class ExportError(RuntimeError):
    """The exported network does not give the same answers as the trained one."""


class _Served(tf.Module):  # type: ignore[misc]  # TensorFlow ships no types
    """Holds only the weights, so that nothing else of the training is exported."""

    def __init__(self, network: Any, purpose: Purpose, label_range_deg: tuple[float, float]) -> None:
        super().__init__()
        self.weights = [variable.value for variable in network.variables]

        @tf.function(input_signature=[tf.TensorSpec([None, *INPUT_SHAPE], tf.uint8, name=INPUT)])  # type: ignore[untyped-decorator]  # as above
        def serve(images: Any) -> dict[str, Any]:
            answer = network(tf.cast(images, tf.float32), training=False)
            if purpose == "inclination":
                return {INCLINATION: from_scale(answer[:, 0], label_range_deg)}
            return {REJECTION: 1 - answer[:, 0], FACE_ON: answer[:, 1], UNSUITABLE: answer[:, 2]}

        self.serve = serve


def export(
    network: Any, purpose: Purpose, version: Path, probes: NDArray[np.uint8], *, label_range_deg: tuple[float, float]
) -> None:
    """Write a network as ``<model>/<version>/``, replacing that version if it exists.

    Parameters
    ----------
    network : keras.Model
    purpose : str
    version : Path
        Folder whose name is the version's number. The temporary folder beside it has another kind of name, so that a
        server never loads an incomplete model.
    probes : uint8 ``[N, 128, 128, 3]``
        Model inputs on which the reloaded network must give the trained one's answers; the first is its warm-up.
    label_range_deg : tuple of 2 floats

    Raises
    ------
    ExportError
        The reloaded network gives other answers.
    """
    partial = version.with_name(f"writing-{version.name}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    served = _Served(network, purpose, label_range_deg)
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(served, str(partial), signatures={SIGNATURE: served.serve}, options=options)
    (partial / "fingerprint.pb").unlink(missing_ok=True)
    _write_warmup(partial / WARMUP, probes[0])
    expected = served.serve(tf.constant(probes))
    reloaded = answers(load(partial), probes)
    worst = max(float(np.abs(reloaded[name] - np.asarray(expected[name])).max()) for name in expected)
    if not worst <= TOLERANCE[purpose]:
        shutil.rmtree(partial)
        raise ExportError(f"{version}: reloaded, the network differs by {worst:g} from the trained one.")
    shutil.rmtree(version, ignore_errors=True)
    partial.rename(version)


def _write_warmup(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write one request per batch size; the pictures of a larger batch are one value, which its reader repeats."""
    path.parent.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for count in WARMUP_BATCHES:
            request = predict_pb2.PredictRequest()
            request.model_spec.signature_name = SIGNATURE
            tensor = request.inputs[INPUT]
            if count == 1:
                tensor.CopyFrom(tf.make_tensor_proto(picture[None]))
            else:
                tensor.CopyFrom(tf.make_tensor_proto(0, tf.uint8, [count, *INPUT_SHAPE]))
            log = prediction_log_pb2.PredictLog(request=request)
            writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())


def load(version: Path) -> Any:
    """Load a version's ``serving_default``: a function that keeps its SavedModel alive."""
    loaded = tf.saved_model.load(str(version))
    signature = loaded.signatures[SIGNATURE]
    signature.kept = loaded
    return signature


def answers(signature: Any, images: NDArray[np.uint8], *, batch: int = 64) -> dict[str, NDArray[np.float64]]:
    """Run a loaded signature on model inputs; return float64 ``[N]`` by output, degrees or likelihoods."""
    parts = [signature(**{INPUT: tf.constant(images[at : at + batch])}) for at in range(0, len(images), batch)]
    return {name: np.concatenate([np.asarray(part[name], np.float64) for part in parts]) for name in parts[0]}
