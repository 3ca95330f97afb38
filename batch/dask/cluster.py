"""The cluster of a batch: Dask workers on this machine or of a scheduler, and the stand-in for their networks."""

from __future__ import annotations

import warnings
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import dask
from distributed import Client, LocalCluster

from batch.errors import BatchStopped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping
    from pathlib import Path

    from inclinet_service.local import Standin

_CONNECT_S = 30.0
_WORKERS_S = 120.0
_RESTARTS = 5

DASK_CONFIG = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "2s",
    "distributed.admin.tick.interval": "500ms",
    "distributed.worker.memory.monitor-interval": "500ms",
    "distributed.nanny.pre-spawn-environ.MALLOC_ARENA_MAX": "1",
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
}
"""Changes of Dask's defaults, for workers whose partitions take minutes.

For its dashboard, Dask samples every thread of a worker a hundred times a second and keeps the samples: 3 % of a
worker's samples here were of the sampling itself. In CPython 3.11 it can also hang a worker for ever
(python/cpython#106883). Dask checks memory, disk and its own loop so often that two workers and a scheduler without
work take 6 % of a core. And it makes workers return memory to the system from 64 KiB on, so that each batch's
requests, 1.5 MB a network, are fetched from it again page by page. With these changes a worker takes 4.3 ms of a core
for an image instead of 5.9.
glibc then keeps the memory of one batch for the next, in one arena for all threads; otherwise its memory grows with
every thread that ever held a batch.
"""


@asynccontextmanager
async def connected(scheduler: str | None, workers: Mapping[str, Any]) -> AsyncIterator[Client]:
    """Connect to a scheduler, or start one on this machine, with ``workers`` as arguments of :class:`LocalCluster`.

    Raises
    ------
    BatchStopped
        The scheduler can't be reached, or has no workers.
    """
    async with AsyncExitStack() as opened:
        address = scheduler
        if scheduler is None:
            with warnings.catch_warnings():
                # Dask uses another port where the dashboard's is in use, and its link is shown in any case
                warnings.filterwarnings("ignore", "(?s).*already in use")
                opened.enter_context(dask.config.set(DASK_CONFIG))
                cluster = await opened.enter_async_context(LocalCluster(**workers, host="127.0.0.1", asynchronous=True))
            address = cluster.scheduler_address
        client: Any = Client(address, timeout=_CONNECT_S, asynchronous=True)
        # closes the client even if it never connects
        opened.push_async_callback(client.close)
        try:
            await client
            await client.wait_for_workers(1, timeout=_WORKERS_S)
        except (OSError, ValueError) as error:
            raise BatchStopped(f"No scheduler with workers can be reached at {address}: {error}.") from error
        yield client


@contextmanager
def own_networks(manifest: Path, log: Path, say: Callable[[str], None]) -> Iterator[tuple[Standin, Callable[[], None]]]:
    """Start the stand-in for TensorFlow Serving on this machine.

    Parameters
    ----------
    manifest : Path
        Manifest of the release; the models are beside it.
    log : Path
        File for the stand-in's output.
    say : callable
        Called with messages for people.

    Yields
    ------
    standin : Standin
    watch : callable
        Restarts the stand-in at its address if it has ended; raises BatchStopped where it ends again and again.
    """
    from inclinet_service import local

    restarts = 0
    with local.Standin(manifest, log=log) as standin:

        def watch() -> None:
            nonlocal restarts
            if (status := standin.status) is None:
                return
            if restarts == _RESTARTS:
                raise BatchStopped(f"The networks ended {_RESTARTS + 1} times: {standin.last_words()}")
            restarts += 1
            say(f"The networks ended with status {status}; they are started again.")
            standin.start()

        yield standin, watch
