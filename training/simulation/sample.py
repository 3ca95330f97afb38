"""A sample of simulated galaxies: each depends on ``(seed, index)`` alone, so order and workers do not matter.

Processes draw the random parameters; threads of this process compute pictures, a batch each, and make model inputs of
them. XLA uses little more than one core for a batch, and leaves the others to Python meanwhile.
"""

from __future__ import annotations

import csv
import io
import multiprocessing
from collections import deque
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from PIL import Image

from gateway.core.manifest import INPUT_SHAPE
from gateway.images.model_input import model_input
from training.files import write_csv
from training.simulation import camera, scene
from training.simulation.scene import COLUMNS, Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from training.simulation.scene import Scene

    Job = TypeVar("Job")
    Result = TypeVar("Result")

BATCH = 16
"""Galaxies whose pictures are computed at once; the last batch of a sample is padded."""

_LOT = 32
FEW = 500
"""Number of galaxies that are drawn in this process, before a worker process would have started."""


@dataclass(frozen=True, slots=True)
class SimulatedSample:
    """Simulated model inputs, uint8 ``[N, 128, 128, 3]``, and a row of truth for each."""

    images: NDArray[np.uint8]
    truth: tuple[Truth, ...]

    def column(self, name: str) -> NDArray[np.float32]:
        """Return one numeric column of the truth table, float32 ``[N]``."""
        return np.array([row[name] for row in self.truth], np.float32)


def make(*, seed: int, index: int) -> tuple[NDArray[np.uint8], Truth]:
    """Simulate the galaxy number ``index`` of the sample of ``seed``.

    Returns
    -------
    uint8 [128, 128, 3]
        The model input.
    dict
        Its row of the truth table (:data:`training.simulation.scene.COLUMNS`).
    """
    alone = [scene.draw(seed, index)]
    return model_inputs(alone, render(alone))[0], alone[0].truth


def simulate(
    *, seed: int, count: int, workers: int = 1, progress: Callable[[int], None] = lambda _: None
) -> SimulatedSample:
    """Simulate ``count`` galaxies; the same for any number of ``workers``.

    Parameters
    ----------
    seed, count : int
    workers : int
        Number of threads that compute, and, if it is more than one, of further processes that draw.
    progress : callable
        Called with the number of finished galaxies, after each.
    """
    images = np.empty((count, *INPUT_SHAPE), np.uint8)
    truth: list[Truth] = [{}] * count
    done = 0
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(workers))
        drawn = _drawn(seed, count, workers, stack)
        for batch, inputs in _in_order(threads, _pictured, _batches(drawn), 2 * workers):
            for one, picture in zip(batch, inputs, strict=True):
                images[one.index], truth[one.index] = picture, one.truth
                done += 1
                progress(done)
    return SimulatedSample(images, tuple(truth))


def _drawn(seed: int, count: int, workers: int, stack: ExitStack) -> Iterator[Scene]:
    """Yield galaxies in order, drawn in worker processes if there are enough of them."""
    lots = [range(first, min(first + _LOT, count)) for first in range(0, count, _LOT)]
    draw = partial(scene.draw_some, seed)
    if workers == 1 or count <= FEW:
        several: Iterable[list[Scene]] = map(draw, lots)
    else:
        context = multiprocessing.get_context("spawn")
        several = _in_order(stack.enter_context(ProcessPoolExecutor(workers, context)), draw, lots, 2 * workers)
    return (one for some in several for one in some)


def _in_order(pool: Executor, work: Callable[[Job], Result], jobs: Iterable[Job], ahead: int) -> Iterator[Result]:
    """Yield the results of jobs in a pool, starting at most ``ahead`` jobs before their results are used."""
    begun: deque[Any] = deque()
    for job in jobs:
        begun.append(pool.submit(work, job))
        if len(begun) > ahead:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()


def _batches(drawn: Iterable[Scene]) -> Iterator[list[Scene]]:
    """Yield lists of galaxies whose pictures have one size."""
    waiting: dict[int, list[Scene]] = {}
    for one in drawn:
        batch = waiting.setdefault(one.side, [])
        batch.append(one)
        if len(batch) == BATCH:
            yield waiting.pop(one.side)
    yield from waiting.values()


def render(batch: list[Scene]) -> Any:
    """Return the pictures of up to :data:`BATCH` galaxies of one size: uint8 tensor ``[BATCH, side, side, 3]``."""
    drawn = np.stack([one.drawn for one in (*batch, *[batch[-1]] * (BATCH - len(batch)))])
    return camera.render({name: drawn[name] for name in drawn.dtype.names or ()})


def model_inputs(batch: list[Scene], pictures: Any) -> list[NDArray[np.uint8]]:
    """Compress the pictures of a batch and return model inputs of them."""
    rgb = np.asarray(pictures)
    return [model_input(_jpeg(picture, one.jpeg_quality)) for one, picture in zip(batch, rgb, strict=False)]


def _pictured(batch: list[Scene]) -> tuple[list[Scene], list[NDArray[np.uint8]]]:
    return batch, model_inputs(batch, render(batch))


def _jpeg(rgb: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    if not quality:
        return rgb
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality, subsampling=2 if quality < 85 else 0)  # as encoders do
    return np.asarray(Image.open(buffer))


def save(sample: SimulatedSample, folder: Path) -> None:
    """Write ``images.npy`` and ``truth.csv``; the table is written last and marks a complete sample."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "images.npy", sample.images)
    write_csv(folder / "truth.csv", COLUMNS, ([row[name] for name in COLUMNS] for row in sample.truth))


def exists(folder: Path) -> bool:
    """Return whether a folder holds a complete sample."""
    return (folder / "truth.csv").exists()


def load(folder: Path) -> SimulatedSample:
    """Read what :func:`save` wrote; the images stay on disk (memory-mapped)."""
    with (folder / "truth.csv").open(newline="", encoding="utf-8") as file:
        truth = tuple(
            {name: int(text) if name == "index" else _value(text) for name, text in row.items()}
            for row in csv.DictReader(file)
        )
    return SimulatedSample(np.load(folder / "images.npy", mmap_mode="r"), truth)


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
