"""Trains the networks of a release, several at once: each by itself on cores of its own, and resumed where it stopped.

Small networks leave most of a second core idle, so two of them side by side learn half as fast again as one after the
other on both cores.
"""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gateway.core.resources import processors
from training.data.training_data import gather
from training.networks import architectures, backend, train
from training.release import recipe
from training.simulation import sample

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from multiprocessing.synchronize import Event

    from training.data.training_data import ReleasePaths
    from training.networks.architectures import Architecture, Purpose
    from training.release.recipe import Recipe

    Say = Callable[[str, dict[str, float]], None]
    """Is told what is being made, and the metrics of a step."""


@dataclass(frozen=True, slots=True)
class Member:
    """One network of a release: which architecture, and which bag (None for the rejector)."""

    architecture: Architecture
    bag: int | None

    @property
    def name(self) -> str:
        """As the network is served."""
        return f"{self.architecture.name}_reject" if self.bag is None else f"{self.architecture.name}_m{self.bag}"

    @property
    def purpose(self) -> Purpose:
        """What it answers."""
        return "rejection" if self.bag is None else "inclination"

    @property
    def starts_from(self) -> str:
        """Name of the network from whose weights it starts: a rejector from its twin that knows all real galaxies."""
        return f"{self.architecture.name}_{'m0' if self.bag is None else 'pretrained'}"


def members(how: Recipe) -> list[Member]:
    """Return every network of a release, in the order of its manifest."""
    bags = (*range(how.bags), None)
    return [Member(architecture, bag) for architecture in how.architectures for bag in bags]


class StoppedError(RuntimeError):
    """Training was given up because that of another network failed."""


def train_all(how: Recipe, paths: ReleasePaths, *, workers: int, resume: bool, say: Say) -> dict[str, Any]:
    """Simulate the sample of a release and train every network of it.

    Parameters
    ----------
    how : Recipe
    paths : ReleasePaths
    workers : int
        Processes that simulate, and networks that learn at once, each in a process with its share of the cores or of
        the GPU. With 1 they learn here one after another, on all cores.
    resume : bool
        Take up the sample and the snapshots of an earlier run.
    say : callable
        Told what is being trained, and its metrics. With several workers, a function that can be pickled.

    Returns
    -------
    dict of keras.Model
        By name, in float32.
    """
    _simulate(how, paths, workers, resume=resume, say=say)
    left = replace(how, architectures=_unfinished(how, paths)) if resume else how
    if workers == 1:
        for architecture in left.architectures:
            _pretrain(how, paths, architecture, resume, say)
            for member in members(how):
                if member.architecture == architecture:
                    _finetune(how, paths, member, resume, say)
    elif left.architectures:
        _side_by_side(left, paths, workers, resume=resume, say=say)
    return {member.name: trained(how, paths, member) for member in members(how)}


def _unfinished(how: Recipe, paths: ReleasePaths) -> tuple[Architecture, ...]:
    """Return the architectures of which a network is not finished; the others' pretrained one is needed no more."""

    def finished(member: Member) -> bool:
        return train.steps_done(paths.runs / member.name) >= recipe.steps_of(how, member.bag)

    return tuple(dict.fromkeys(member.architecture for member in members(how) if not finished(member)))


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


def _pretrain(how: Recipe, paths: ReleasePaths, architecture: Architecture, resume: bool, say: Say) -> None:  # noqa: FBT001 - handed on
    folder = paths.runs / f"{architecture.name}_pretrained"
    progress = _progress(folder.name, say)
    recipe.pretrain(how, gather(paths).simulated, folder, architecture=architecture, resume=resume, progress=progress)


def _finetune(how: Recipe, paths: ReleasePaths, member: Member, resume: bool, say: Say) -> None:  # noqa: FBT001 - handed on
    start = architectures.build(member.architecture, "inclination", seed=how.seed)
    train.restore_weights(start, paths.runs / member.starts_from)
    recipe.finetune(
        how,
        gather(paths),
        start,
        paths.runs / member.name,
        architecture=member.architecture,
        bag=member.bag,
        resume=resume,
        progress=_progress(member.name, say),
    )


def _progress(name: str, say: Say) -> Callable[[dict[str, float]], None]:
    parent = multiprocessing.parent_process()

    def progress(metrics: dict[str, float]) -> None:
        if parent is not None and not parent.is_alive():
            # nobody hears of an exception any more, and a pool's process would wait for its next job for ever
            os._exit(1)
        if _stop is not None and _stop.is_set():
            raise StoppedError(f"{name} was stopped at step {metrics['step']:.0f}; its snapshot is kept.")
        say(name, metrics)

    return progress


_stop: Event | None = None
"""Set in a worker process; it tells all of them to give up."""


def _begin(stop: Event, threads: int) -> None:
    """Prepare a worker process before anything is computed in it."""
    global _stop  # noqa: PLW0603 - a process pool hands its events to nothing else
    _stop = stop
    backend.use_threads(threads)


def _side_by_side(how: Recipe, paths: ReleasePaths, workers: int, *, resume: bool, say: Say) -> None:
    """Train in worker processes: each network as soon as the one that it starts from is there."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    threads = max(1, processors() // workers)
    with ProcessPoolExecutor(workers, context, _begin, (stop, threads)) as pool:
        begun: dict[Future[None], str] = {
            pool.submit(_pretrain, how, paths, architecture, resume, say): f"{architecture.name}_pretrained"
            for architecture in how.architectures
        }
        try:
            while begun:
                for done in wait(begun, return_when=FIRST_COMPLETED).done:
                    done.result()
                    ready = begun.pop(done)
                    for member in members(how):
                        if member.starts_from == ready:
                            begun[pool.submit(_finetune, how, paths, member, resume, say)] = member.name
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
