"""The models that the contract is checked with, and the directory that holds them.

Run as a program it writes them, with a config of container paths, for a TensorFlow Serving container to mount::

    python -m tests.contract.repository DIRECTORY
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from serving.protos import tensor_pb2
from tests.support.graphs import FLOAT, INT32, Graph, mean_of_images
from tests.support.models import BUSY_MATRIX_SIDE

if TYPE_CHECKING:
    from collections.abc import Mapping

MOUNT = "/models"
"""Where a container sees the directory."""

SIDE = 8
"""Side of the images that ``mean`` takes, pixels."""


def write_models(root: Path) -> None:
    """Write every model of the contract below ``root``."""
    for version in (1, 2, 3):
        write_mean(root / "mean", version)
    _two_inputs(root / "two" / "1")
    _echo(root / "echo" / "1")
    _slow(root / "slow" / "1")
    write_mean(root / "single", 1)


def write_mean(base: Path, version: int) -> None:
    """Write a model that returns the mean of each image uint8 ``[N, 8, 8, 3]`` plus 1000 for each version."""
    graph = Graph()
    means = mean_of_images(graph, side=SIDE)
    moved = graph.op("AddV2", "Add", means, graph.constant("start", FLOAT, 1000.0 * version), T=FLOAT)
    graph.signature(
        {"images": "serving_default_images"}, {"mean": graph.output("StatefulPartitionedCall", moved, FLOAT, (-1,))}
    )
    hidden = base / f".{version}.partial"
    graph.save(hidden)
    hidden.rename(base / str(version))


def config(models: Mapping[str, str], *, base: str) -> str:
    """Return a ModelServerConfig: name to further fields (policy, labels), each below ``base``."""
    entries = "".join(
        f'  config {{ name: "{name}" base_path: "{base}/{name}" model_platform: "tensorflow" {fields} }}\n'
        for name, fields in models.items()
    )
    return f"model_config_list {{\n{entries}}}\n"


ALL_VERSIONS = "model_version_policy { all {} }"
SERVED = {"mean": ALL_VERSIONS, "two": "", "echo": "", "slow": ""}
"""What the server under test is configured with at first."""


def _two_inputs(directory: Path) -> None:
    graph = Graph()
    a = graph.placeholder("serving_default_a", FLOAT, (-1,))
    b = graph.placeholder("serving_default_b", FLOAT, (-1,))
    outputs = {
        "sum": graph.output("sum", graph.op("AddV2", "Add", a, b, T=FLOAT), FLOAT, (-1,)),
        "diff": graph.output("diff", graph.op("Sub", "Sub", a, b, T=FLOAT), FLOAT, (-1,)),
    }
    graph.signature({"a": a, "b": b}, outputs)
    one = tensor_pb2.TensorProto(dtype=FLOAT, float_val=[1.0])
    one.tensor_shape.dim.add(size=1)
    graph.signature({"a": a, "b": b}, outputs, name="with_default", defaults={"b": one})
    graph.save(directory)


def _echo(directory: Path) -> None:
    graph = Graph()
    x = graph.placeholder("x", FLOAT, (-1,))
    graph.signature({"x": x}, {"y": graph.output("y", x, FLOAT, (-1,))})
    graph.save(directory)


def _slow(directory: Path) -> None:
    """Write a model that multiplies matrices for the better part of a second, so that a deadline passes first."""
    graph = Graph()
    x = graph.placeholder("x", FLOAT, (-1,))
    total = graph.op("Sum", "Sum", x, graph.constant("axis", INT32, [0]), T=FLOAT, Tidx=INT32)
    side = graph.constant("side", INT32, [BUSY_MATRIX_SIDE, BUSY_MATRIX_SIDE])
    matrix = graph.op("Fill", "matrix_0", side, total, T=FLOAT, index_type=INT32)
    for step in range(1, 251):
        matrix = graph.op("MatMul", f"matrix_{step}", matrix, matrix, T=FLOAT)
    axes = graph.constant("axes", INT32, [0, 1])
    graph.signature(
        {"x": x}, {"y": graph.output("y", graph.op("Sum", "all", matrix, axes, T=FLOAT, Tidx=INT32), FLOAT, ())}
    )
    graph.save(directory)


def main() -> None:
    """Write the models and the config below the directory that is named, which is emptied first."""
    root = Path(sys.argv[1])
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    write_models(root)
    (root / "models.config").write_text(config(SERVED, base=MOUNT), encoding="utf-8")


if __name__ == "__main__":
    main()
