"""One training run: Adam, regular snapshots and metrics, and the same result after any interruption.

Keras' ``BackupAndRestore`` is not used: it writes weights and epoch one after the other, so that a kill between the two
makes steps repeat.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import keras
import numpy as np
from keras import ops

from gateway.core.files import written_whole
from training.networks.augmentation import Augmentation, augment, draw
from training.networks.backend import Learner, traced

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from numpy.typing import NDArray


def inclination_loss(targets: Any, answers: Any) -> Any:
    """Return Huber's loss of the errors in units of the labels' scatter at their inclination.

    People's scatter is 2 deg for edge-on galaxies and 3 at 60 deg, and that of axis ratios up to 8 face-on. With a
    plain squared error the face-on galaxies would dominate the training. Errors above 2.25 such units count linearly.

    Parameters
    ----------
    targets, answers : float32 tensors ``[N, 1]``
        Inclinations on the tanh scale of 0..90 deg.
    """
    scatter_deg = 2.0 + 6.0 * ((1.0 - targets) / 2.0) ** 1.5
    return keras.losses.huber(ops.zeros_like(targets), (answers - targets) * 3.0 / scatter_deg, delta=0.15)


LOSSES = {"inclination": inclination_loss, "categorical_crossentropy": keras.losses.categorical_crossentropy}


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures uint8 ``[N, 128, 128, 3]``, targets float32 ``[N, 1]`` or ``[N, 3]``, zoom limits float32 ``[N, 2]``."""

    images: NDArray[np.uint8]
    targets: NDArray[np.float32]
    widen: NDArray[np.float32]


class Batches(Protocol):
    """Source of batches; a step always gets the same batch."""

    def __call__(self, step: int) -> Batch:
        """Return the batch of a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Length and learning rate of a training; the rate rises over ``warmup`` steps and falls as a cosine.

    ``loss`` is one of :data:`LOSSES`.
    """

    steps: int
    rate: float
    seed: int
    loss: str = "inclination"
    warmup: int = 50
    snapshot_every: int = 500

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step."""
        done = min(step / self.steps, 1.0)
        return float(self.rate * min((step + 1) / self.warmup, 1.0) * (0.5 + 0.5 * np.cos(np.pi * done)))


def fit(
    network: Any,
    batches: Batches,
    schedule: Schedule,
    folder: Path,
    *,
    resume: bool = False,
    progress: Callable[[dict[str, float]], None] = lambda _: None,
    augmentation: Augmentation | None = None,
) -> None:
    """Train a network in place.

    Parameters
    ----------
    network : keras.Model
    batches : Batches
    schedule : Schedule
    folder : Path
        Folder for ``snapshot.npz`` (all weights, and until the last step the optimizer's state) and
        ``metrics.jsonl`` (one line per step).
    resume : bool
        Whether to continue from the snapshot, if there is one; a finished run is only loaded. Batches, augmentation
        and dropout depend only on the seed and the step, so the result equals that of an uninterrupted run.
    progress : callable
        Called with every step's metrics: step, loss, rate, seconds left, and the share of time spent waiting for a
        batch.
    """
    if resume and steps_done(folder) >= schedule.steps:
        restore_weights(network, folder)
        return
    folder.mkdir(parents=True, exist_ok=True)
    optimizer = keras.optimizers.Adam(schedule.rate, clipnorm=1.0)
    optimizer.build(network.trainable_variables)
    learner = Learner(network, optimizer, LOSSES[schedule.loss])
    start = _restore(learner.variables(), folder) if resume else 0
    made = _Ahead(batches, schedule, augmentation or Augmentation())
    log = folder / "metrics.jsonl"
    kept = log.read_text("utf-8").splitlines()[:start] if start else []
    log.write_text("".join(f"{line}\n" for line in kept), "utf-8")
    began, reading, recent = time.monotonic(), 0.0, None
    with log.open("a", encoding="utf-8") as file, closing(made):
        for step in range(start, schedule.steps):
            asked = time.monotonic()
            pictures, targets = made(step)
            reading += time.monotonic() - asked
            loss = learner(pictures, targets, schedule.rate_at(step))
            recent = loss if recent is None else 0.98 * recent + 0.02 * loss
            elapsed = time.monotonic() - began
            left = elapsed / (step + 1 - start) * (schedule.steps - step - 1)
            metrics = {"step": step, "loss": loss, "recent_loss": recent, "rate": schedule.rate_at(step)}
            file.write(json.dumps(metrics) + "\n")
            progress({**metrics, "seconds_left": left, "reading_share": reading / elapsed})
            if (step + 1) % schedule.snapshot_every == 0 and step + 1 < schedule.steps:
                file.flush()
                _snapshot(learner.variables(), step + 1, folder)
    learner.settle()
    _snapshot(network.variables, schedule.steps, folder)


class _Ahead:
    """Reads and augments the next batch while the network learns from this one."""

    def __init__(self, batches: Batches, schedule: Schedule, augmentation: Augmentation) -> None:
        self._batches, self._schedule = batches, schedule
        self._how = augmentation
        self._augment = traced(augment)
        self._pool = ThreadPoolExecutor(1, "augment")
        self._next: tuple[int, Future[tuple[Any, Any]]] | None = None

    def _make(self, step: int) -> tuple[Any, Any]:
        batch = self._batches(step)
        rng = np.random.default_rng(np.random.SeedSequence([self._schedule.seed, step]))
        changes = draw(rng, batch.widen, self._how)
        return self._augment(batch.images, changes), batch.targets

    def __call__(self, step: int) -> tuple[Any, Any]:
        """Return the pictures and targets of a step, and start the next."""
        ahead = self._next
        made = ahead[1] if ahead is not None and ahead[0] == step else self._pool.submit(self._make, step)
        ready = made.result()
        if step + 1 < self._schedule.steps:
            self._next = step + 1, self._pool.submit(self._make, step + 1)
        return ready

    def close(self) -> None:
        """Cancel the batch in preparation."""
        self._pool.shutdown(cancel_futures=True)


def _snapshot(variables: list[Any], step: int, folder: Path) -> None:
    """Write the whole state atomically, so that a kill leaves the previous snapshot."""
    arrays: dict[str, Any] = {f"v{n}": np.asarray(v) for n, v in enumerate(variables)}
    with written_whole(folder / "snapshot.npz") as partial, partial.open("wb") as file:
        np.savez(file, step=np.array(step), **arrays)


def steps_done(folder: Path) -> int:
    """Return the step of the snapshot in a folder; 0 where there is none."""
    path = folder / "snapshot.npz"
    if not path.exists():
        return 0
    with np.load(path) as stored:
        return int(stored["step"])


def _restore(variables: list[Any], folder: Path) -> int:
    """Load a run's snapshot, return its step; 0 for a new start, if a shorter schedule has dropped the optimizer."""
    path = folder / "snapshot.npz"
    if not path.exists():
        return 0
    with np.load(path) as stored:
        if f"v{len(variables) - 1}" not in stored:
            return 0
        _assign(variables, stored)
        return int(stored["step"])


def _assign(variables: list[Any], stored: Any) -> None:
    for n, variable in enumerate(variables):
        variable.assign(stored[f"v{n}"])


def restore_weights(network: Any, folder: Path) -> None:
    """Load the weights of the snapshot in a folder into a network, whatever the precision of the training."""
    with np.load(folder / "snapshot.npz") as stored:
        _assign(network.variables, stored)


def predict(network: Any, images: NDArray[np.uint8], *, batch: int = 64) -> NDArray[np.float32]:
    """Return a network's raw output for model inputs, float32 ``[N, units]``."""
    parts = [np.asarray(network.predict_on_batch(images[at : at + batch])) for at in range(0, len(images), batch)]
    return np.concatenate(parts)
