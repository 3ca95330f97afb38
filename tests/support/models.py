"""Tiny models whose answer is a known function of the image, in the layout of releases."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.core.manifest import (
    INCLINATION,
    INPUT,
    INPUT_SHAPE,
    INPUT_SIDE,
    LIKELIHOODS,
    Flavor,
    Manifest,
    Rejector,
    write_manifest,
)
from gateway.core.models_config import models_config
from serving.protos import predict_pb2, prediction_log_pb2, tensor_pb2, types_pb2
from serving.rpc.warmup import masked_crc32c
from tests.support.graphs import FLOAT, Graph, mean_of_images
from tests.support.manifests import calibration

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

OFFSET_PER_VERSION_DEG = 0.01
"""Increase of a flavor's answer per version after the first, degrees, so that an answer reveals its version."""

BUSY_MATRIX_SIDE = 512

LIKELIHOOD_PARTS = (1.0, 0.75, 0.25)
"""Factors of a rejector's outputs: the whole likelihood, that of a too face-on galaxy, and of an unsuitable image."""


def flavor_answer(images: NDArray[np.uint8], *, version: int = 1, offset_deg: float = 0.0) -> NDArray[np.float64]:
    """Return the answer of :func:`write_flavor`'s model for ``images`` uint8 ``[N, 128, 128, 3]``: degrees, ``[N]``."""
    means = images.reshape(len(images), -1).mean(axis=1, dtype=np.float64)
    answer: NDArray[np.float64] = 45.0 + 45.0 * means / 255.0 + offset_deg + OFFSET_PER_VERSION_DEG * (version - 1)
    return answer


def rejector_answer(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the likelihood of :func:`write_rejector`'s model for ``images``: 1 for black, 0 for white, ``[N]``."""
    answer: NDArray[np.float64] = 1.0 - images.reshape(len(images), -1).mean(axis=1, dtype=np.float64) / 255.0
    return answer


def write_flavor(base: Path, *, version: int = 1, offset_deg: float = 0.0, busy: int = 0, warm: bool = True) -> Path:
    """Write ``<base>/<version>/``, a flavor of 45 + 45 x mean/255 degrees, plus its offsets.

    Parameters
    ----------
    base : path
        Folder ``<model_repo>/<flavor>``.
    offset_deg : float
        Offset of every answer, degrees, different for each flavor.
    busy : int
        Number of products of 512 x 512 matrices computed first, each a few milliseconds, to make requests slow.
    warm : bool
        Whether to write warm-up records.

    Returns
    -------
    path
        Folder of the version; it appears atomically.
    """
    graph = Graph()
    means = mean_of_images(graph, side=INPUT_SIDE)
    scaled = graph.op("Mul", "Mul", means, graph.constant("scale", FLOAT, 45.0 / 255.0), T=FLOAT)
    start = 45.0 + offset_deg + OFFSET_PER_VERSION_DEG * (version - 1)
    moved = graph.op("AddV2", "Add", scaled, graph.constant("start", FLOAT, start), T=FLOAT)
    if busy:
        moved = graph.op("AddV2", "AddNothing", moved, _busy_nothing(graph, means, busy), T=FLOAT)
    answer = graph.output("StatefulPartitionedCall", moved, FLOAT, (-1,))
    graph.signature({INPUT: "serving_default_images"}, {INCLINATION: answer})
    return _publish(graph, base, version, warm=warm)


def write_rejector(base: Path, *, version: int = 1, warm: bool = True) -> Path:
    """Write ``<base>/<version>/``, a rejector of 1 - mean/255 and its :data:`LIKELIHOOD_PARTS`."""
    graph = Graph()
    scaled = graph.op(
        "Mul", "Mul", mean_of_images(graph, side=INPUT_SIDE), graph.constant("scale", FLOAT, -1 / 255), T=FLOAT
    )
    moved = graph.op("AddV2", "Add", scaled, graph.constant("start", FLOAT, 1.0), T=FLOAT)
    outputs = {}
    for name, part in zip(LIKELIHOODS, LIKELIHOOD_PARTS, strict=True):
        share = graph.op("Mul", f"{name}_share", moved, graph.constant(f"{name}_part", FLOAT, part), T=FLOAT)
        outputs[name] = graph.output(f"StatefulPartitionedCall_{name}", share, FLOAT, (-1,))
    graph.signature({INPUT: "serving_default_images"}, outputs)
    return _publish(graph, base, version, warm=warm)


def write_corrupt(base: Path, *, version: int) -> Path:
    """Write a version whose ``saved_model.pb`` is cut short, as by an interrupted copy."""
    whole = write_flavor(base.with_name(f"{base.name}.whole"), version=version) / "saved_model.pb"
    data = whole.read_bytes()
    target = base / str(version)
    target.mkdir(parents=True)
    (target / "saved_model.pb").write_bytes(data[: len(data) // 2])
    return target


@dataclass(frozen=True)
class Repository:
    """A release on disk: ``root`` holds ``manifest.json``, ``models.config`` and the models."""

    root: Path
    manifest: Manifest

    @property
    def config(self) -> Path:
        """The ModelServerConfig with this machine's paths."""
        return self.root / "models.config"

    def base(self, name: str) -> Path:
        """Return the directory above a model's versions."""
        return self.root / name


def write_repository(root: Path, *, flavors: int = 4, rejectors: int = 1, busy: int = 0) -> Repository:
    """Write a release of tiny models below ``root``: ``tiny_m0``, ``tiny_m1``, … and ``tiny_reject``.

    Flavor *k* answers *k* degrees more than ``tiny_m0``; a second rejector belongs to architecture ``tinyb``.
    """
    names = [f"tiny_m{bag}" for bag in range(flavors)]
    rejecting = [f"tiny{'' if index == 0 else chr(ord('a') + index)}_reject" for index in range(rejectors)]
    for bag, name in enumerate(names):
        write_flavor(root / name, offset_deg=float(bag), busy=busy)
    for name in rejecting:
        write_rejector(root / name)
    manifest = make_manifest(names, rejecting)
    write_manifest(manifest, root / "manifest.json")
    repository = Repository(root, manifest)
    repository.config.write_text(newest_config(manifest, root), encoding="utf-8")
    return repository


def newest_config(manifest: Manifest, root: Path) -> str:
    """Return a hand-written style of ModelServerConfig, which serves the newest version of each model."""
    released = models_config(manifest, root).splitlines(keepends=True)
    return "".join(line for line in released if "model_version_policy" not in line)


def make_manifest(flavors: Iterable[str], rejectors: Iterable[str] = ()) -> Manifest:
    """Return a manifest of version 1 models with plausible numbers."""

    def common(name: str) -> dict[str, Any]:
        return {
            "name": name,
            "architecture": name.partition("_")[0],
            "version": 1,
            "seed": 1,
            "parameters": 3,
            "training_galaxies": 1000,
        }

    return Manifest(
        release="tiny-1",
        tensorflow="2.20.0",
        seed=1,
        training_sample={"simulated": 1000},
        flavors=tuple(
            Flavor(bag=int(name.rpartition("_m")[2]), metrics={"rms_deg": 4.0}, **common(name)) for name in flavors
        ),
        rejectors=tuple(Rejector(metrics={"roc_area": 0.9}, **common(name)) for name in rejectors),
        calibration=calibration(),
        metrics={"rms_deg": 3.5},
    )


def images_proto(images: NDArray[Any], dtype: int = types_pb2.DT_UINT8) -> Any:
    """Return an array as ``TensorProto``, its bytes in ``tensor_content``."""
    proto = tensor_pb2.TensorProto(dtype=dtype, tensor_content=images.tobytes())
    proto.tensor_shape.SetInParent()
    for size in images.shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


def write_warmup(version_directory: Path, requests: Iterable[Any]) -> None:
    """Write ``PredictRequest`` messages as the warm-up records of a version."""
    folder = version_directory / "assets.extra"
    folder.mkdir()
    logs = (
        prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
        for request in requests
    )
    records = b"".join(tfrecord(log.SerializeToString()) for log in logs)
    (folder / "tf_serving_warmup_requests").write_bytes(records)


def tfrecord(data: bytes) -> bytes:
    """Return ``data`` as one record of a TFRecord file."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked_crc32c(length)) + data + struct.pack("<I", masked_crc32c(data))


def _busy_nothing(graph: Graph, means: str, count: int) -> str:
    """Add a scalar zero that costs ``count`` matrix products; it depends on the request."""
    side = graph.constant("side", types_pb2.DT_INT32, [BUSY_MATRIX_SIDE, BUSY_MATRIX_SIDE])
    axis = graph.constant("busy_axis", types_pb2.DT_INT32, [0])
    total = graph.op("Sum", "busy_total", means, axis, T=FLOAT, Tidx=types_pb2.DT_INT32)
    none = graph.op("Mul", "busy_zero", total, graph.constant("zero", FLOAT, 0.0), T=FLOAT)
    matrix = graph.op("Fill", "busy_0", side, none, T=FLOAT, index_type=types_pb2.DT_INT32)
    for step in range(1, count + 1):
        matrix = graph.op("MatMul", f"busy_{step}", matrix, matrix, T=FLOAT)
    axes = graph.constant("busy_axes", types_pb2.DT_INT32, [0, 1])
    return graph.op("Sum", "busy_sum", matrix, axes, T=FLOAT, Tidx=types_pb2.DT_INT32)


def _publish(graph: Graph, base: Path, version: int, *, warm: bool) -> Path:
    hidden = base / f".{version}.partial"
    graph.save(hidden)
    if warm:
        request = predict_pb2.PredictRequest()
        request.inputs[INPUT].CopyFrom(images_proto(np.zeros((1, *INPUT_SHAPE), np.uint8)))
        write_warmup(hidden, [request])
    return hidden.rename(base / str(version))
