"""Fetches images as a step of its own: slowly enough for the public archives, and continuing an interrupted run.

``inclinet fetch`` is this step; a batch with Dask runs it first for a table without images, and so do the downloads
of training. A partition is done when its Parquet file exists.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from batch import run, storage
from batch.fetching.rates import RATES_PER_S, Rates
from batch.outputs.partitions import Partition
from batch.settle import Outcome, Patience, Settler
from gateway.core import errors, interrupts
from gateway.tables.cells.rows import Row
from inclinet.http import proxies

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from rich.console import Console

    from batch.progress import Progress
    from batch.request import BatchRequest
    from batch.run import Prepared
    from batch.summary import Summary
    from gateway.tables.results import Column

ROWS = 500
"""Rows of a partition: with more, too much work would be lost at the archives' pace when the machine dies."""

Fetch = Callable[[Row, Partition], Awaitable[dict[str, Any]]]
"""Fetches the image of a partition's row, and returns the row's cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """Limits on the requests to archives.

    Attributes
    ----------
    rates_per_s : mapping
        Rates that differ from :data:`batch.fetching.rates.RATES_PER_S`, by service.
    concurrency : int
        Rows in progress at a time.
    accept_unanswered : bool
        Whether rows that stay without an answer for passing reasons count as done, with their problem.
    patience : Patience
        How long passing problems are waited for.
    """

    rates_per_s: Mapping[str, float] = field(default_factory=dict)
    concurrency: int = 32
    accept_unanswered: bool = False
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageArchive:
    """An archive from which images are fetched.

    Attributes
    ----------
    opened : callable
        Opens the services, given their rates, the folder for the images and the folder of a table's relative names;
        returns an asynchronous context manager of a function that fetches a row.
    columns : sequence of Column
        Columns of the partitions' files.
    identity : mapping
        Settings that an image depends on, by the words that a refusal uses.
    urls : sequence of str
        URLs of all services that may be used.
    contact : str
        Contact for their operators.
    """

    opened: Callable[[Rates, str, str], AbstractAsyncContextManager[Fetch]]
    columns: Sequence[Column]
    identity: Mapping[str, Any]
    urls: Sequence[str]
    contact: str


def fetch_from(
    archive: ImageArchive,
    request: BatchRequest,
    limits: FetchLimits,
    console: Console,
    say: Callable[[str], None],
    *,
    rows: int = ROWS,
) -> Summary:
    """Fetch the missing images into the folder ``request.out``; ``rows`` is the default size of a partition.

    Raises
    ------
    BatchError
        The fetch can't run or continue. Files already fetched stay.
    OSError
        A file could not be read or written.
    """
    request, found = run.find(request)
    prepared = run.prepare(
        request,
        found,
        rows=rows,
        settings={"fetch": "images of galaxies", **archive.identity, **request.columns_said},
        release=lambda _known: "",
        say=say,
        columns=archive.columns,
    )
    with storage.lock_folder(request.folder), prepared.progress(console, "Fetching", quiet=request.quiet) as progress:
        if prepared.missing:
            proxies.from_environment().check(archive.urls)
            if not archive.contact:
                say("Set INCLINET_CONTACT, so that who runs a public service can write to you before blocking you.")
            interrupts.run(_fetch, archive, request, prepared, limits, progress)
    return run.finish(request, prepared, progress, None)


async def _fetch(
    archive: ImageArchive, request: BatchRequest, prepared: Prepared, limits: FetchLimits, progress: Progress
) -> None:
    """Fetch partitions one after the other."""
    settler = Settler(
        prepared.folder, limits.patience, limits.concurrency, limits.accept_unanswered, progress.rows_settled
    )
    rates, read = Rates({**RATES_PER_S, **limits.rates_per_s}), prepared.read(request.choice)
    async with archive.opened(rates, prepared.folder.url, prepared.source.base) as fetch_one:

        async def fetched(partition: Partition) -> None:
            rows = await asyncio.to_thread(read, partition)
            ask = _asking(fetch_one, partition, limits.concurrency)
            progress.finished(partition, await settler.settle(partition, rows, ask))

        await run.run_partitions(prepared.missing, fetched, progress, lambda: 1)


def _asking(fetch_one: Fetch, partition: Partition, most: int) -> Callable[[Sequence[Row]], AsyncGenerator[Outcome]]:
    async def ask(rows: Sequence[Row]) -> AsyncGenerator[Outcome]:
        places = asyncio.Semaphore(most)

        async def one(row: Row) -> Outcome:
            async with places:
                try:
                    if row.problem is not None:
                        raise row.problem
                    return Outcome(row, await fetch_one(row, partition))
                except errors.GatewayError as problem:
                    return Outcome.of(row, problem)

        tasks = [asyncio.create_task(one(row)) for row in rows]
        try:
            for done in asyncio.as_completed(tasks):
                yield await done
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return ask
