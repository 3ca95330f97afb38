"""Submits partitions to Dask's workers, a few at a time, until every one is done or has failed."""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

from distributed import KilledWorker

from batch.dask import worker
from batch.errors import BatchError, BatchStopped
from batch.run import TICK_S, run_partitions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from distributed import Client, Future

    from batch.dask.worker import Job
    from batch.outputs.partitions import Partition
    from batch.progress import Progress

READY_S = 180.0
_RETRIES = 2
_LOST = "The scheduler or its connection was lost. What is written stays: run the same command again."


async def run(
    client: Client, job: Job, partitions: Sequence[Partition], *, progress: Progress, watch: Callable[[], None]
) -> dict[int, str]:
    """Run every partition.

    The scheduler holds only enough tasks to keep its workers busy, whatever the number of partitions, so that its
    memory stays flat. When a worker dies, Dask repeats its partitions on another one.

    Parameters
    ----------
    client : Client
    job : Job
    partitions : sequence of Partition
        Partitions that are not done yet.
    progress : Progress
    watch : callable
        Called twice a second; an exception that it raises ends the run.

    Returns
    -------
    dict
        Why a partition failed as a whole, by its number.

    Raises
    ------
    BatchStopped
        The workers can't reach the networks, or the scheduler was lost.
    """
    failures: dict[int, str] = {}

    def heard(event: tuple[float, Mapping[str, Any]]) -> None:
        said = event[1]
        if said["batch"] == job.name:
            progress.rows_settled(said["partition"], said["rows"])

    def room() -> int:
        watch()
        # twice the number of threads, so that the next partition is ready when one is done
        threads: int = client.scheduler_info().get("total_threads", 1)
        return 2 * max(1, threads)

    async def measured(partition: Partition) -> None:
        try:
            # the name is the same in every run, so that a restarted client finds the tasks of the previous one
            key = f"{job.name}-{partition.number}"
            future = client.submit(worker.measure, job.name, partition, key=key, retries=_RETRIES)
            progress.finished(partition, await _answer(future))
        except BatchError:
            raise
        except KilledWorker:
            failures[partition.number] = "it ended every worker that tried it, probably for lack of memory"
        # an error in one partition must not end the others
        except Exception as error:  # noqa: BLE001 - see above
            failures[partition.number] = f"{type(error).__name__}: {error}"

    try:
        await client.register_plugin(worker.MeasuringWorker(job))
        client.subscribe_topic(worker.TOPIC, heard)
        await _networks_seen(client, job, watch)
        await run_partitions(partitions, measured, progress, room)
    except OSError as error:
        raise BatchStopped(_LOST) from error
    finally:
        if client.status == "running":
            client.unsubscribe_topic(worker.TOPIC)
            await client.unregister_worker_plugin(job.name)
    return failures


async def _answer(future: Future[Any]) -> Any:
    try:
        return await future
    except CancelledError as error:
        raise BatchStopped(_LOST) from error


async def _networks_seen(client: Client, job: Job, watch: Callable[[], None]) -> None:
    asked = asyncio.create_task(_answer(client.submit(worker.ready, job.name, READY_S, pure=False)))
    while not asked.done():
        watch()
        await asyncio.wait({asked}, timeout=TICK_S)
    if (wrong := asked.result()) is not None:
        raise BatchStopped(wrong)
