"""A Dask worker that measures: the services that it opens once, and the work on a partition."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import structlog
from distributed import WorkerPlugin, get_worker

from batch.dask.networks import Networks
from batch.fetching.galaxies import FetchedRows
from batch.inputs import catalogue
from batch.inputs.images import Files, Pictures
from batch.inputs.source import Form
from batch.settle import Outcome, Settler
from gateway.api.schemas import InclinationAnswer
from gateway.core.models import FrameChoice, Framing
from gateway.inference.microbatching import Batcher
from gateway.measure import many
from gateway.measure.one import Inclinations

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

    from batch.fetching.galaxies import Fetching
    from batch.imaging.cutter import Cutters
    from batch.imaging.imaging import SkyImages
    from batch.inputs.images import Images
    from batch.inputs.source import Source
    from batch.outputs.partitions import Folder, Partition
    from batch.outputs.results import Tally
    from batch.request import BatchRequest
    from gateway.core.manifest import Manifest
    from gateway.images.prepare import ImageData
    from gateway.measure.targets import Fetched
    from gateway.sky import Sky
    from gateway.tables.cells.rows import Row
    from gateway.tables.results import Row as Cells

TOPIC = "inclinet-batch"
"""Topic of the events by which workers report their progress to the client."""

_TELL_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The parameters of a batch, sent to its workers as plain values.

    Attributes
    ----------
    folder : Folder
        Folder of the result.
    manifest : Manifest
        Manifest of the release, by value: workers need no model repository.
    serving : tuple of str
        ``host:port`` of each TensorFlow Serving.
    source : Source
        Input, without the names of its files.
    request : BatchRequest
        The person's request; model inputs, and galaxies cut from images of the sky, are always measured as a whole.
    fetching : Fetching
        How images are fetched; its settings, patience and ``accept_unanswered`` also hold for measuring.
    concurrency : int
        Rows of a partition in progress at a time.
    imaging : SkyImages, optional
        Images of the sky that galaxies are cut from.
    """

    folder: Folder
    manifest: Manifest
    serving: tuple[str, ...]
    source: Source
    request: BatchRequest
    fetching: Fetching
    concurrency: int
    imaging: SkyImages | None = None

    @property
    def name(self) -> str:
        """Name of the batch, different from others on the same cluster."""
        return f"inclinet-batch-{self.folder.about['batch']}"


class MeasuringWorker(WorkerPlugin):
    """Opens the measuring services of a worker, and closes them with it. They live on the worker's event loop.

    Parameters
    ----------
    job : Job

    Attributes
    ----------
    inclinations : Inclinations
    networks : Networks
    cutters : Cutters or None
        None where galaxies are not cut from images of the sky.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.name = job.name

    async def setup(self, worker: Any) -> None:
        """Open everything; called by the worker."""
        if worker.nanny:
            # thousands of warnings from the workers would repeat what is in the result
            only_errors = structlog.make_filtering_bound_logger(logging.ERROR)
            structlog.configure(wrapper_class=only_errors, logger_factory=structlog.PrintLoggerFactory(sys.stderr))
        job, settings = self.job, self.job.fetching.settings
        self.cutters = None if job.imaging is None else job.imaging.cutters()
        self.networks = Networks(job.serving, job.manifest)
        in_flight = settings.batches_in_flight * len(job.serving)
        self._executor = ThreadPoolExecutor(worker.state.nthreads, "decode")
        self.inclinations = Inclinations(
            manifest=job.manifest,
            networks=Batcher(self.networks.read, largest=settings.max_batch, in_flight=in_flight),
            sky=cast("Sky", None),  # every row has its image, so the sky is never used
            executor=self._executor,
            max_pixels=settings.max_pixels,
            observe=lambda _stage, _seconds: None,
        )

    async def teardown(self, worker: Any) -> None:
        """Close everything; called by the worker."""
        del worker
        self._executor.shutdown(wait=False, cancel_futures=True)
        if self.cutters is not None:
            self.cutters.close()
        await self.networks.aclose()


async def measure(name: str, partition: Partition) -> Tally:
    """Measure a partition, in a worker that has the plugin ``name``.

    Raises
    ------
    OSError
        The result can't be written, or the rows can't be read.
    """
    worker = get_worker()
    plugin = cast("MeasuringWorker", worker.plugins[name])
    told_at = time.monotonic()

    def tell(number: int, rows: int) -> None:
        nonlocal told_at
        if time.monotonic() - told_at >= _TELL_S:
            told_at = time.monotonic()
            worker.log_event(TOPIC, {"batch": name, "partition": number, "rows": rows})

    return await measure_in(plugin.job, plugin.inclinations, partition, tell, plugin.cutters)


async def ready(name: str, timeout_s: float) -> str | None:
    """Wait, in a worker, until it sees the whole release; return the reason, for people, if it takes too long."""
    return await cast("MeasuringWorker", get_worker().plugins[name]).networks.ready(timeout_s)


async def measure_in(
    job: Job,
    inclinations: Inclinations,
    partition: Partition,
    tell: Callable[[int, int], None],
    cutters: Cutters | None = None,
) -> Tally:
    """Measure a partition; ``tell`` is called with its number and the number of its settled rows."""
    settler = Settler(job.folder, job.fetching.patience, job.concurrency, job.fetching.accept_unanswered, tell)
    if cutters is not None:
        rows = await asyncio.to_thread(catalogue.rows_of, partition, job.source, job.request.choice)
        cutter = await asyncio.to_thread(cutters.cutter, rows)
        with closing(cutter):
            return await settler.settle(partition, rows, cutter.asking(_asking(job, inclinations, cutter.read)))
    if job.source.form is Form.PIXELS:
        images: Images = Pictures(partition.url)
    else:
        images = Files(job.source.base, largest_bytes=job.fetching.settings.max_upload_bytes, at_once=job.concurrency)
    try:
        if not job.source.fetched:
            rows = await asyncio.to_thread(catalogue.rows_of, partition, job.source, job.request.choice)
            return await settler.settle(partition, rows, _asking(job, inclinations, images.read))
        fetched = await asyncio.to_thread(FetchedRows.read, partition)

        async def read(name: str) -> Fetched | bytes:
            return fetched.fetched(name, cast("bytes", await images.read(name)))

        asking = _asking(job, inclinations, read, fetched.known)
        return await settler.settle(partition, fetched.rows, asking, passing=fetched.passing)
    finally:
        images.close()


def _asking(
    job: Job,
    inclinations: Inclinations,
    read: Callable[[str], Awaitable[ImageData | Fetched]],
    known: Mapping[int, Cells] = MappingProxyType({}),
) -> Callable[[Sequence[Row]], AsyncGenerator[Outcome]]:
    frame = job.request.frame or FrameChoice.AUTO
    terms = many.Terms(None, job.request.edge_on_r, job.fetching.patience.row_s, Framing(frame))

    async def ask(rows: Sequence[Row]) -> AsyncGenerator[Outcome]:
        failed = {number for number, cells in known.items() if "problem" in cells}
        for row in rows:
            if row.number in failed:
                yield Outcome(row, known[row.number])
        rows = [row for row in rows if row.number not in failed]
        async with aclosing(
            many.measure(rows, inclinations, read, terms=terms, concurrency=job.concurrency)
        ) as measured:
            async for result in measured:
                cells = known.get(result.row.number, {})
                if result.answer is not None:
                    yield Outcome(result.row, InclinationAnswer.of(result.answer).row() | cells)
                elif result.problem is not None:
                    outcome = Outcome.of(result.row, result.problem)
                    yield replace(outcome, cells=outcome.cells | cells)

    return ask
