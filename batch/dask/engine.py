"""Hands partitions to Dask's workers, a few at a time, until every one is done or given up."""

from __future__ import annotations

from asyncio import CancelledError
from collections import deque
from typing import TYPE_CHECKING, Any

from distributed import KilledWorker, wait

from batch.dask import worker
from batch.errors import BatchError, BatchStopped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from distributed import Client, Future

    from batch.dask.worker import Job
    from batch.outputs.partitions import Partition, Report
    from batch.progress import Progress

READY_S = 180.0
_TICK_S = 0.5
_RETRIES = 2
_LOST = "The scheduler or its connection was lost. What is written stays: run the same command again."


def run(
    client: Client, job: Job, partitions: Sequence[Partition], *, progress: Progress, watch: Callable[[], None]
) -> dict[int, str]:
    """Have every partition done.

    No more tasks are with the scheduler than keep its workers busy, whatever the number of partitions, so that its
    memory stays flat. A worker that dies is made up for by Dask: its partitions are done again, by another one.

    Parameters
    ----------
    client : Client
    job : Job
    partitions : sequence of Partition
        Those that are not done yet.
    progress : Progress
    watch : callable
        Called twice a second; what it raises ends the run.

    Returns
    -------
    dict
        Number of a partition that failed as a whole, and why.

    Raises
    ------
    BatchStopped
        The workers see no networks, or the scheduler was lost.
    """
    client.register_plugin(worker.MeasuringWorker(job))

    def heard(event: tuple[float, Mapping[str, Any]]) -> None:
        said = event[1]
        if said["batch"] == job.name:
            progress.told(said["partition"], said["rows"])

    client.subscribe_topic(worker.TOPIC, heard)
    try:
        _await_networks(client, job, watch)
        progress.begin()
        return _all(client, job, partitions, progress, watch)
    except (OSError, CancelledError) as error:
        raise BatchStopped(_LOST) from error
    finally:
        if client.status == "running":
            client.unsubscribe_topic(worker.TOPIC)
            client.unregister_worker_plugin(job.name)


def _await_networks(client: Client, job: Job, watch: Callable[[], None]) -> None:
    asked = client.submit(worker.ready, job.name, READY_S, pure=False)
    while not asked.done():
        watch()
        _some(asked)
    if (wrong := _result(asked)) is not None:
        raise BatchStopped(wrong)


def _all(
    client: Client, job: Job, partitions: Sequence[Partition], progress: Progress, watch: Callable[[], None]
) -> dict[int, str]:
    failures: dict[int, str] = {}
    waiting, under_way = deque(partitions), dict[Any, int]()
    while waiting or under_way:
        watch()
        progress.tick()
        # twice what they work on: the next partition is at hand when one is done
        room = 2 * max(1, sum(client.nthreads().values())) - len(under_way)
        for _ in range(min(room, len(waiting))):
            partition = waiting.popleft()
            # one name for one partition: a client that comes back finds what its predecessor's workers still do
            key = f"{job.name}-{partition.number}"
            future = client.submit(worker.measure, job.name, partition, key=key, retries=_RETRIES)
            under_way[future] = partition.number
        for future in [one for one in _some(*under_way) if one.done()]:
            number = under_way.pop(future)
            try:
                report: Report = _result(future)
            except (BatchError, CancelledError):
                raise
            except KilledWorker:
                failures[number] = "it ended every worker that tried it, probably for lack of memory"
            # whatever ends one partition must not end the others
            except Exception as error:  # noqa: BLE001 - see above
                failures[number] = f"{type(error).__name__}: {error}"
            else:
                progress.finished(report)
    return failures


def _some(*futures: Future[Any]) -> set[Future[Any]]:
    """Wait a moment for any of them; return those that have ended."""
    try:
        done: set[Future[Any]] = wait(futures, timeout=_TICK_S, return_when="FIRST_COMPLETED").done
    except TimeoutError:
        return set()
    return done


def _result(future: Future[Any]) -> Any:
    if future.status in {"cancelled", "lost"}:
        raise BatchStopped(_LOST)
    return future.result()
