"""Hands partitions to workers, a few at a time, until every one is written or given up."""

from __future__ import annotations

from asyncio import CancelledError
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from distributed import KilledWorker, wait

from survey import task
from survey.errors import SurveyError, SurveyStopped
from survey.job import TOPIC
from survey.rooms import Rooms
from survey.turns import TurnKeeper

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from distributed import Client, Future

    from survey.catalogue import Partition
    from survey.job import Job
    from survey.task import Report

READY_S = 180.0
_TICK_S = 0.5
_RETRIES = 2
_LOST = "The scheduler or its connection was lost. What is written stays: run the same command again."


class Shows(Protocol):
    """What a person sees of a run."""

    def begin(self) -> None:
        """Note that the first partition is handed out."""

    def told(self, partition: int, rows: int) -> None:
        """Note that ``rows`` of a partition are done."""

    def finished(self, report: Report) -> None:
        """Note that a partition is done, or given up."""

    def tick(self) -> None:
        """Show where it is now; called twice a second."""


@dataclass(slots=True)
class Outcome:
    """What became of the partitions of one run.

    Attributes
    ----------
    reports : list of Report
    failures : dict
        Number of a partition that failed as a whole, and why.
    """

    reports: list[Report] = field(default_factory=list)
    failures: dict[int, str] = field(default_factory=dict)


def run(
    client: Client,
    job: Job,
    partitions: Sequence[Partition],
    *,
    show: Shows,
    watch: Callable[[], None],
) -> Outcome:
    """Have every partition done.

    No more tasks are with the scheduler than keep its workers busy, whatever the number of partitions, so that its
    memory stays flat. A worker that dies is made up for by Dask: its partitions are done again, by another one.

    Parameters
    ----------
    client : Client
    job : Job
    partitions : sequence of Partition
        Those that are not done yet.
    show : Shows
    watch : callable
        Called twice a second; what it raises ends the run.

    Raises
    ------
    SurveyStopped
        The workers see no networks, or the scheduler was lost.
    """
    client.register_plugin(TurnKeeper())
    client.register_plugin(Rooms(job))

    def heard(event: tuple[float, Mapping[str, Any]]) -> None:
        said = event[1]
        if said["survey"] == job.name:
            show.told(said["partition"], said["rows"])

    client.subscribe_topic(TOPIC, heard)
    try:
        _await_networks(client, job, watch)
        show.begin()
        return _all(client, job, partitions, show, watch)
    except (OSError, CancelledError) as error:
        raise SurveyStopped(_LOST) from error
    finally:
        if client.status == "running":
            client.unsubscribe_topic(TOPIC)
            client.unregister_worker_plugin(job.name)


def _await_networks(client: Client, job: Job, watch: Callable[[], None]) -> None:
    asked = client.submit(task.ready, job.name, READY_S, pure=False)
    while not asked.done():
        watch()
        _some(asked)
    if (wrong := _result(asked)) is not None:
        raise SurveyStopped(wrong)


def _all(client: Client, job: Job, partitions: Sequence[Partition], show: Shows, watch: Callable[[], None]) -> Outcome:
    outcome = Outcome()
    waiting, flying = deque(partitions), dict[Any, int]()
    while waiting or flying:
        watch()
        show.tick()
        # twice what they work on: the next partition is at hand when one is done
        room = 2 * max(1, sum(client.nthreads().values())) - len(flying)
        for _ in range(min(room, len(waiting))):
            partition = waiting.popleft()
            # one name for one partition: a client that comes back finds what its predecessor's workers still do
            key = f"{job.name}-{partition.number}"
            flying[client.submit(task.measure, job.name, partition, key=key, retries=_RETRIES)] = partition.number
        for future in [one for one in _some(*flying) if one.done()]:
            number = flying.pop(future)
            try:
                report: Report = _result(future)
            except (SurveyError, CancelledError):
                raise
            except KilledWorker:
                outcome.failures[number] = "it ended every worker that tried it, probably for lack of memory"
            # whatever ends one partition must not end the others
            except Exception as error:  # noqa: BLE001 - see above
                outcome.failures[number] = f"{type(error).__name__}: {error}"
            else:
                outcome.reports.append(report)
                show.finished(report)
    return outcome


def _some(*futures: Future[Any]) -> set[Future[Any]]:
    """Wait a moment for any of them; return those that have ended."""
    try:
        done: set[Future[Any]] = wait(futures, timeout=_TICK_S, return_when="FIRST_COMPLETED").done
    except TimeoutError:
        return set()
    return done


def _result(future: Future[Any]) -> Any:
    if future.status in {"cancelled", "lost"}:
        raise SurveyStopped(_LOST)
    return future.result()
