"""From a trained network to a version in the model repository: written aside, reloaded, compared, then renamed."""

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
"""How far a reloaded network may be from the trained one, degrees and likelihood: the graph optimiser's rounding."""


class ExportError(RuntimeError):
    """What was written does not say the same as what was trained."""


class _Served(tf.Module):  # type: ignore[misc]  # TensorFlow ships no types
    """Holds the weights alone, so that nothing of the training is written along."""

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
        Ends in the version's number. The temporary folder lies beside it, under a name that is no number, so that a
        server never loads half a model.
    probes : uint8 ``[N, 128, 128, 3]``
        Model inputs on which the reloaded network must say what the trained one says; the first is its warm-up.
    label_range_deg : tuple of 2 floats

    Raises
    ------
    ExportError
        It does not.
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
    """Write one request for each batch size: the pictures of a larger one are one value, repeated by its reader."""
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
    """Ask a loaded signature about model inputs: by output, float64 ``[N]``, degrees or likelihoods."""
    parts = [signature(**{INPUT: tf.constant(images[at : at + batch])}) for at in range(0, len(images), batch)]
    return {name: np.concatenate([np.asarray(part[name], np.float64) for part in parts]) for name in parts[0]}
