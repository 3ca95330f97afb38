"""The gateway's rooms inside a worker: opened once, used by all its partitions, closed with it."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from distributed import WorkerPlugin

from gateway.inference.microbatching import Batcher
from gateway.measure.one import Inclinations
from gateway.sky import open_sky
from survey.networks import Networks
from survey.turns import SharedTurns

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from gateway.sky import Sky
    from survey.job import Job

T = TypeVar("T")

_CLOSING_S = 10.0


class Rooms(WorkerPlugin):
    """What a worker needs to measure rows.

    The rooms live on an event loop of their own, in a thread: Dask's loop answers the scheduler meanwhile, and a task
    is a plain function that waits.

    Parameters
    ----------
    job : Job

    Attributes
    ----------
    inclinations : Inclinations
    networks : Networks
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.name = job.name

    async def setup(self, worker: Any) -> None:
        """Open the rooms; called by the worker."""
        self.worker = worker
        if worker.nanny:
            # a process of its own, whose warnings would go by the thousand: what they warn of is in the result
            only_errors = structlog.make_filtering_bound_logger(logging.ERROR)
            structlog.configure(wrapper_class=only_errors, logger_factory=structlog.PrintLoggerFactory(sys.stderr))
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=_run, args=[self._loop], name="inclinet", daemon=True).start()
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._open(), self._loop))

    async def teardown(self, worker: Any) -> None:
        """Close the rooms; called by the worker. What is under way is given up."""
        del worker
        closing = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._close(), self._loop))
        # a store or a service that does not let go must not hold the worker; its thread ends with the process
        with suppress(TimeoutError):
            await asyncio.wait_for(closing, _CLOSING_S)
        self._loop.call_soon_threadsafe(self._loop.stop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine among the rooms and wait for it.

        Raises
        ------
        Exception
            Whatever it raised.
        InterruptedError
            The worker is closing.
        """
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except CancelledError:
            raise InterruptedError("the worker is closing") from None

    async def _open(self) -> None:
        job = self.job
        self.networks = Networks(job.serving, job.manifest)
        self._batcher = Batcher(
            self.networks.read, largest=job.largest_batch, in_flight=job.batches_in_flight * len(job.serving)
        )
        self._sky: Sky = open_sky(
            job.sky, version=version("inclinet"), rate_limit=SharedTurns(self.worker, job.rates_per_s)
        )
        self._executor = ThreadPoolExecutor(self.worker.state.nthreads, "decode")
        self.inclinations = Inclinations(
            manifest=job.manifest,
            networks=self._batcher,
            sky=self._sky,
            executor=self._executor,
            max_pixels=job.max_pixels,
            observe=lambda _stage, _seconds: None,
        )

    async def _close(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._executor.shutdown(wait=False, cancel_futures=True)
        await self.networks.aclose()
        await self._sky.aclose()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Run an event loop until it is told to stop."""
    try:
        loop.run_forever()
    finally:
        loop.close()
