"""One training run: Keras fits a network by Adam, and an interrupted run ends with the same weights.

Keras' own ``BackupAndRestore`` writes weights and epoch one after the other: a kill between the two has steps repeated
on other batches. The snapshot here is one file, renamed when it is whole.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import keras
import numpy as np

from training.files import written_whole
from training.networks.augmentation import Augmentation, augment, draw
from training.networks.backend import JAX, traced

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


class Batches(Protocol):
    """Where batches come from; the same step always gets the same batch."""

    def __call__(self, step: int) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
        """Return pictures ``[N, 128, 128, 3]``, targets ``[N, 1]`` or ``[N, 2]``, zoom limits ``[N, 2]`` of a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long and how fast to train; the rate rises over ``warmup`` steps and falls as a cosine.

    ``loss`` is ``mse`` on the tanh scale or ``categorical_crossentropy``.
    """

    steps: int
    rate: float
    seed: int
    loss: str = "mse"
    warmup: int = 50
    snapshot_every: int = 100

    def optimizer(self) -> Any:
        """Return Adam at the rates of this schedule."""
        falling = max(1, self.steps - self.warmup)
        rates = keras.optimizers.schedules.CosineDecay(
            self.rate / self.warmup, falling, warmup_target=self.rate, warmup_steps=self.warmup
        )
        return keras.optimizers.Adam(rates, clipnorm=1.0)


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
        Gets ``snapshot.npz`` (all weights, and until the last step the optimizer's state) and ``metrics.jsonl`` (a line
        for every step).
    resume : bool
        Go on from the snapshot, if there is one; that of a finished run is taken as it is. Batches, augmentation and
        dropout of a step depend on the seed and the step alone, so the result is that of an uninterrupted run.
    progress : callable
        Told every step's metrics: step, loss, recent loss, and seconds left.
    augmentation : Augmentation, optional
    """
    if resume and steps_done(folder) >= schedule.steps:
        restore_weights(network, folder)
        return
    folder.mkdir(parents=True, exist_ok=True)
    optimizer = schedule.optimizer()
    optimizer.build(network.trainable_variables)
    start = _restore([*network.variables, *optimizer.variables], folder) if resume else 0
    log = folder / "metrics.jsonl"
    kept = log.read_text("utf-8").splitlines()[:start] if start else []
    log.write_text("".join(f"{line}\n" for line in kept), "utf-8")
    network.compile(optimizer, schedule.loss)
    made = _Augmented(batches, schedule, start, augmentation or Augmentation())
    with log.open("a", encoding="utf-8") as file:
        record = _Record(schedule, start, folder, file, progress)
        network.fit(made, callbacks=[record], shuffle=False, verbose=0)
    _snapshot(network.variables, schedule.steps, folder)


class _Augmented(keras.utils.PyDataset):  # type: ignore[misc]  # Keras ships no types
    """The batches of the steps that are left; Keras makes the next ones while the network learns."""

    def __init__(self, batches: Batches, schedule: Schedule, start: int, how: Augmentation) -> None:
        # TensorFlow's data pipeline runs ahead by itself, JAX' needs threads for it
        super().__init__(workers=2 if JAX else 1, max_queue_size=2)
        self._batches, self._schedule, self._start, self._how = batches, schedule, start, how
        self._augment = traced(augment)

    def __len__(self) -> int:
        return self._schedule.steps - self._start

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        step = self._start + index
        images, targets, widen = self._batches(step)
        rng = np.random.default_rng(np.random.SeedSequence([self._schedule.seed, step]))
        return np.asarray(self._augment(images, draw(rng, widen, self._how))), targets


class _Record(keras.callbacks.Callback):  # type: ignore[misc]  # as above
    """Writes a line of metrics for every step, and a snapshot now and then."""

    def __init__(
        self, schedule: Schedule, start: int, folder: Path, file: Any, progress: Callable[[dict[str, float]], None]
    ) -> None:
        super().__init__()
        self._schedule, self._start, self._folder, self._file = schedule, start, folder, file
        self._progress = progress
        self._recent: float | None = None
        self._began = time.monotonic()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras names them
        """Forget the losses so far: Keras tells their mean."""
        self.model.reset_metrics()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Record a step."""
        done, loss = self._start + batch + 1, float(logs["loss"])
        self._recent = loss if self._recent is None else 0.98 * self._recent + 0.02 * loss
        metrics = {"step": done - 1, "loss": loss, "recent_loss": self._recent}
        self._file.write(json.dumps(metrics) + "\n")
        left = (time.monotonic() - self._began) / (batch + 1) * (self._schedule.steps - done)
        self._progress({**metrics, "seconds_left": left})
        if done % self._schedule.snapshot_every == 0 and done < self._schedule.steps:
            self._file.flush()
            _snapshot([*self.model.variables, *self.model.optimizer.variables], done, self._folder)


def _snapshot(variables: list[Any], step: int, folder: Path) -> None:
    """Write all state in one step: a kill leaves the previous snapshot."""
    arrays: dict[str, Any] = {f"v{n}": np.asarray(v) for n, v in enumerate(variables)}
    with written_whole(folder / "snapshot.npz") as partial, partial.open("wb") as file:
        np.savez(file, step=np.array(step), **arrays)


def steps_done(folder: Path) -> int:
    """Return at which step the snapshot in a folder was taken; 0 where there is none."""
    path = folder / "snapshot.npz"
    if not path.exists():
        return 0
    with np.load(path) as stored:
        return int(stored["step"])


def _restore(variables: list[Any], folder: Path) -> int:
    """Take up a run; one that finished a shorter schedule holds no optimizer any more, and begins anew."""
    path = folder / "snapshot.npz"
    if not path.exists():
        return 0
    with np.load(path) as stored:
        if len(stored.files) != len(variables) + 1:
            return 0
        _assign(variables, stored)
        return int(stored["step"])


def _assign(variables: list[Any], stored: Any) -> None:
    for n, variable in enumerate(variables):
        variable.assign(stored[f"v{n}"])


def restore_weights(network: Any, folder: Path) -> None:
    """Give a network the weights of the snapshot in a folder, whatever the precision in which it was trained."""
    with np.load(folder / "snapshot.npz") as stored:
        _assign(network.variables, stored)


def predict(network: Any, images: NDArray[np.uint8], *, batch: int = 64) -> NDArray[np.float32]:
    """Return a network's raw output for model inputs, float32 ``[N, units]``."""
    parts = [np.asarray(network.predict_on_batch(images[at : at + batch])) for at in range(0, len(images), batch)]
    return np.concatenate(parts)
