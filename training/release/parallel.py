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

from training.data.training_data import gather
from training.networks import architectures, backend, train
from training.release import recipe
from training.simulation import sample

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from multiprocessing.synchronize import Event

    from training.data.training_data import Places
    from training.networks.architectures import Purpose
    from training.release.recipe import Recipe

    Say = Callable[[str, dict[str, float]], None]
    """Is told what is being made, and the metrics of a step."""


@dataclass(frozen=True, slots=True)
class Member:
    """One network of a release: which architecture, and which bag (None for the rejector)."""

    architecture: str
    bag: int | None

    @property
    def name(self) -> str:
        """As the network is served."""
        return f"{self.architecture}_reject" if self.bag is None else f"{self.architecture}_m{self.bag}"

    @property
    def purpose(self) -> Purpose:
        """What it answers."""
        return "rejection" if self.bag is None else "inclination"

    @property
    def starts_from(self) -> str:
        """Name of the network from whose weights it starts: a rejector from its twin that knows all real galaxies."""
        return f"{self.architecture}_{'m0' if self.bag is None else 'pretrained'}"


def members(how: Recipe) -> list[Member]:
    """Return every network of a release, in the order of its manifest."""
    bags = (*range(how.bags), None)
    return [Member(architecture, bag) for architecture in how.architectures for bag in bags]


class StoppedError(RuntimeError):
    """Training was given up because that of another network failed."""


def train_all(how: Recipe, places: Places, *, workers: int, resume: bool, say: Say) -> dict[str, Any]:
    """Simulate the sample of a release and train every network of it.

    Parameters
    ----------
    how : Recipe
    places : Places
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
    _simulate(how, places, workers, resume=resume, say=say)
    left = replace(how, architectures=_unfinished(how, places)) if resume else how
    if workers == 1:
        for architecture in left.architectures:
            _pretrain(how, places, architecture, resume, say)
            for member in members(how):
                if member.architecture == architecture:
                    _finetune(how, places, member, resume, say)
    elif left.architectures:
        _side_by_side(left, places, workers, resume=resume, say=say)
    return {member.name: trained(how, places, member) for member in members(how)}


def _unfinished(how: Recipe, places: Places) -> tuple[str, ...]:
    """Return the architectures of which a network is not finished; the others' pretrained one is needed no more."""

    def finished(member: Member) -> bool:
        steps = how.rejector_steps if member.bag is None else recipe.flavor_steps(how, member.bag)
        return train.steps_done(places.runs / member.name) >= steps

    return tuple(dict.fromkeys(member.architecture for member in members(how) if not finished(member)))


def _simulate(how: Recipe, places: Places, workers: int, *, resume: bool, say: Say) -> None:
    if resume and sample.exists(places.simulated):
        return
    made = sample.simulate(
        seed=how.seed, count=how.simulated, workers=workers, progress=lambda n: say("simulate", {"step": n})
    )
    sample.save(made, places.simulated)


def trained(how: Recipe, places: Places, member: Member) -> Any:
    """Return a trained network from its snapshot, in float32."""
    architecture = architectures.ARCHITECTURES[member.architecture]
    network = architectures.build(architecture, member.purpose, seed=recipe.seed_of(how, member.bag))
    train.restore_weights(network, places.runs / member.name)
    return network


def _pretrain(how: Recipe, places: Places, architecture: str, resume: bool, say: Say) -> None:  # noqa: FBT001 - handed on
    folder = places.runs / f"{architecture}_pretrained"
    progress = _progress(folder.name, say)
    recipe.pretrain(how, gather(places).simulated, folder, architecture=architecture, resume=resume, progress=progress)


def _finetune(how: Recipe, places: Places, member: Member, resume: bool, say: Say) -> None:  # noqa: FBT001 - handed on
    start = architectures.build(architectures.ARCHITECTURES[member.architecture], "inclination", seed=how.seed)
    train.restore_weights(start, places.runs / member.starts_from)
    given = (how, gather(places), start, places.runs / member.name)
    progress = _progress(member.name, say)
    if member.bag is None:
        recipe.rejector(*given, architecture=member.architecture, resume=resume, progress=progress)
    else:
        recipe.flavor(*given, architecture=member.architecture, bag=member.bag, resume=resume, progress=progress)


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


def _side_by_side(how: Recipe, places: Places, workers: int, *, resume: bool, say: Say) -> None:
    """Train in worker processes: each network as soon as the one that it starts from is there."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    threads = max(1, (os.cpu_count() or 1) // workers)
    with ProcessPoolExecutor(workers, context, _begin, (stop, threads)) as pool:
        begun: dict[Future[None], str] = {
            pool.submit(_pretrain, how, places, architecture, resume, say): f"{architecture}_pretrained"
            for architecture in how.architectures
        }
        try:
            while begun:
                for done in wait(begun, return_when=FIRST_COMPLETED).done:
                    done.result()
                    ready = begun.pop(done)
                    for member in members(how):
                        if member.starts_from == ready:
                            begun[pool.submit(_finetune, how, places, member, resume, say)] = member.name
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
