"""Trains the networks of a release, several at a time, each on cores of its own and resumable.

Small networks leave most of a second core idle, so that two of them in parallel train 1.5 times as fast as one after
the other on both cores.
"""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.core.resources import processors
from training.data.human_scale import HumanScale
from training.data.training_data import gather
from training.networks import architectures, backend, train
from training.release import earlier, recipe
from training.simulation import sample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.synchronize import Event

    from training.data.training_data import ReleasePaths
    from training.networks.architectures import Architecture, Purpose
    from training.release.recipe import Recipe

    Say = Callable[[str, dict[str, float]], None]
    """Called with the name of the current work, and the metrics of a step."""


@dataclass(frozen=True, slots=True)
class Member:
    """One network of a release: its architecture, and its bag (None for the rejector)."""

    architecture: Architecture
    bag: int | None

    @property
    def name(self) -> str:
        """Name under which the network is served."""
        return f"{self.architecture.name}_reject" if self.bag is None else f"{self.architecture.name}_m{self.bag}"

    @property
    def purpose(self) -> Purpose:
        """Kind of the network's output."""
        return "rejection" if self.bag is None else "inclination"


def members(how: Recipe) -> list[Member]:
    """Return every network of a release, in the order of its manifest."""
    bags = (*range(how.bags), None)
    return [Member(architecture, bag) for architecture in how.architectures for bag in bags]


_PRETRAINED = "_pretrained"


class StoppedError(RuntimeError):
    """Training was stopped because that of another network failed."""


def train_all(how: Recipe, paths: ReleasePaths, *, workers: int, resume: bool, say: Say) -> dict[str, Any]:
    """Simulate the sample of a release and train every network of it.

    Parameters
    ----------
    how : Recipe
    paths : ReleasePaths
    workers : int
        Number of processes that simulate, and of networks that train at the same time, each in a process with its
        share of the cores or of the GPU. With 1 they train in this process one after another, on all cores.
    resume : bool
        Whether to continue from the sample and the snapshots of an earlier run.
    say : callable
        Called with the name of the network and its metrics. With several workers, it must be picklable.

    Returns
    -------
    dict of keras.Model
        Networks by name, in float32.
    """
    _simulate(how, paths, workers, resume=resume, say=say)
    left = {m.name: m for m in members(how) if not resume or not _finished(how, paths, m)}
    before = dict.fromkeys(name for member in left.values() for name in _needed(how, paths, member))
    jobs = [name for name in before if name.endswith(_PRETRAINED)] + list(left)
    if workers == 1:
        for name in jobs:
            _train(how, paths, name, resume, say)
    elif jobs:
        _side_by_side(how, paths, jobs, workers, resume=resume, say=say)
    return {member.name: trained(how, paths, member) for member in members(how)}


def _finished(how: Recipe, paths: ReleasePaths, member: Member) -> bool:
    continued = _earlier(how, paths, member) is not None
    return train.steps_done(paths.runs / member.name) >= recipe.steps_of(how, member.bag, continued=continued)


def _needed(how: Recipe, paths: ReleasePaths, member: Member) -> tuple[str, ...]:
    """Return the names of the networks that must be trained before this one.

    A network starts from the one of its name in an earlier release. Without one, a rejector starts from its twin that
    was trained on all real galaxies, and a flavor from the pretrained network of its architecture. The first pretrained
    network is also needed for the human scale.
    """
    scale = () if member.bag is None else (f"{how.architectures[0].name}{_PRETRAINED}",)
    if _earlier(how, paths, member) is not None:
        return scale
    start = "_m0" if member.bag is None else _PRETRAINED
    return tuple(dict.fromkeys((*scale, f"{member.architecture.name}{start}")))


def _earlier(how: Recipe, paths: ReleasePaths, member: Member) -> Any:
    if paths.start is None:
        return None
    return earlier.start(member.architecture, member.name, member.purpose, paths.start, seed=how.seed)


def _simulate(how: Recipe, paths: ReleasePaths, workers: int, *, resume: bool, say: Say) -> None:
    if resume and sample.exists(paths.simulated):
        return
    made = sample.simulate(
        seed=how.seed, count=how.simulated, workers=workers, progress=lambda n: say("simulate", {"step": n})
    )
    sample.save(made, paths.simulated)


def trained(how: Recipe, paths: ReleasePaths, member: Member) -> Any:
    """Return a trained network from its snapshot, in float32."""
    network = architectures.build(member.architecture, member.purpose, seed=recipe.seed_of(how, member.bag))
    train.restore_weights(network, paths.runs / member.name)
    return network


def _train(how: Recipe, paths: ReleasePaths, name: str, resume: bool, say: Say) -> None:  # noqa: FBT001 - handed on
    """Train the network of a name: one from which others start, or a member of the release."""
    data, progress, folder = gather(paths), _progress(name, say), paths.runs / name
    of_name = {one.name: one for one in how.architectures}
    if name.endswith(_PRETRAINED):
        architecture = of_name[name.removesuffix(_PRETRAINED)]
        recipe.pretrain(how, data.simulated, folder, architecture=architecture, resume=resume, progress=progress)
        return
    member = next(one for one in members(how) if one.name == name)
    start = earlier_one = _earlier(how, paths, member)
    if start is None:
        start = _learned(how, paths, member.architecture, _needed(how, paths, member)[-1])
    scale = HumanScale()
    if member.bag is not None:
        first = how.architectures[0]
        scale = recipe.human_scale(data, _learned(how, paths, first, f"{first.name}{_PRETRAINED}"))
    recipe.finetune(
        how,
        data,
        start,
        folder,
        scale=scale,
        architecture=member.architecture,
        bag=member.bag,
        continued=earlier_one is not None,
        resume=resume,
        progress=progress,
    )


def _learned(how: Recipe, paths: ReleasePaths, architecture: Architecture, name: str) -> Any:
    network = architectures.build(architecture, "inclination", seed=how.seed)
    train.restore_weights(network, paths.runs / name)
    return network


def _progress(name: str, say: Say) -> Callable[[dict[str, float]], None]:
    parent = multiprocessing.parent_process()

    def progress(metrics: dict[str, float]) -> None:
        if parent is not None and not parent.is_alive():
            # an exception would reach nobody now, and the pool's process would wait for its next job for ever
            os._exit(1)
        if _stop is not None and _stop.is_set():
            raise StoppedError(f"{name} was stopped at step {metrics['step']:.0f}; its snapshot is kept.")
        say(name, metrics)

    return progress


_stop: Event | None = None
"""Event of a worker process that stops all trainings."""


def _begin(stop: Event, threads: int) -> None:
    """Prepare a worker process before its first computation."""
    global _stop  # noqa: PLW0603 - a process pool can pass events only here
    _stop = stop
    backend.use_threads(threads)


def _side_by_side(
    how: Recipe, paths: ReleasePaths, jobs: Sequence[str], workers: int, *, resume: bool, say: Say
) -> None:
    """Train in worker processes: each network as soon as those that it needs are trained."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    threads = max(1, processors() // workers)
    needed = {member.name: set(_needed(how, paths, member)) & set(jobs) for member in members(how)}
    waiting, begun, there = list(jobs), dict[Future[None], str](), set[str]()
    with ProcessPoolExecutor(workers, context, _begin, (stop, threads)) as pool:
        try:
            while waiting or begun:
                for name in [one for one in waiting if needed.get(one, set()) <= there]:
                    begun[pool.submit(_train, how, paths, name, resume, say)] = name
                    waiting.remove(name)
                for done in wait(begun, return_when=FIRST_COMPLETED).done:
                    done.result()
                    there.add(begun.pop(done))
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
