"""Fetching as a step of its own: slowly enough for the public archives, and going on where it ended.

``inclinet fetch`` is this step; a batch with Dask takes it first where a table has no images, and so do the downloads
of training. A partition is done when its Parquet file is there.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from batch import run, storage
from batch.errors import BatchError
from batch.fetching.galaxies import images_of_galaxies
from batch.fetching.rates import RATES_PER_S, Rates
from batch.settle import Outcome, Patience, Settler
from gateway.core import errors, interrupts
from inclinet.http import proxies

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from rich.console import Console

    from batch.asked import Asked
    from batch.fetching.archive import Fetch, ImageArchive
    from batch.outputs.partitions import Partition
    from batch.progress import Progress
    from batch.run import Prepared
    from batch.summary import Summary
    from gateway.settings import Settings
    from gateway.tables.cells.rows import Row

ROWS = 500
"""Of a partition: at the pace of the archives, more would be lost when the machine dies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """How hard archives are asked.

    Attributes
    ----------
    rates_per_s : mapping
        What differs from :data:`batch.fetching.rates.RATES_PER_S`.
    concurrency : int
        Rows under way at a time.
    accept_unanswered : bool
        Count rows that stayed without an answer for passing reasons as done, with their problem.
    patience : Patience
    """

    rates_per_s: Mapping[str, float] = field(default_factory=dict)
    concurrency: int = 32
    accept_unanswered: bool = False
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching(FetchLimits):
    """How images of galaxies are fetched.

    Attributes
    ----------
    settings : Settings
        Of the gateway.
    """

    settings: Settings

    def archive(self, asked: Asked) -> ImageArchive:
        """Return what the images are fetched from."""
        return images_of_galaxies(self.settings, asked.survey, row_s=self.patience.row_s)


def fetch(
    asked: Asked, fetching: Fetching, console: Console, say: Callable[[str], None], *, into: str | None = None
) -> Summary:
    """Fetch the images of galaxies that are missing.

    Parameters
    ----------
    asked : Asked
    fetching : Fetching
    console : Console
    say : callable
    into : str, optional
        Folder of the images; the output unless given.

    Raises
    ------
    BatchError
        What is fetched stays.
    OSError
        A file could not be read or written.
    """
    if into is None and asked.is_table:
        raise BatchError(f"Images are fetched into a folder, and {asked.out} has the name of a table.")
    return fetch_from(
        fetching.archive(asked), replace(asked, out=into or asked.folder, hats=False), fetching, console, say
    )


def fetch_from(
    archive: ImageArchive,
    asked: Asked,
    limits: FetchLimits,
    console: Console,
    say: Callable[[str], None],
    *,
    rows: int = ROWS,
) -> Summary:
    """Fetch what is missing from an archive into the folder ``asked.out``; ``rows`` are a partition, unless asked for.

    Raises
    ------
    BatchError, OSError
        As :func:`fetch`.
    """
    asked, found = run.find(asked)
    prepared = run.prepare(
        asked,
        found,
        asked.out,
        rows=rows,
        settings={"fetch": "images of galaxies", **archive.identity, **asked.columns_said},
        release=lambda _known: "",
        say=say,
        columns=archive.columns,
    )
    with storage.alone(asked.out), prepared.progress(console, "Fetching", quiet=asked.quiet) as progress:
        if prepared.missing:
            proxies.from_environment().check(archive.urls)
            if not archive.contact:
                say("Set INCLINET_CONTACT, so that who runs a public service can write to you before blocking you.")
            interrupts.run(_fetch, archive, asked, prepared, limits, progress)
    return run.finish(asked, prepared, progress, None)


async def _fetch(
    archive: ImageArchive, asked: Asked, prepared: Prepared, limits: FetchLimits, progress: Progress
) -> None:
    """Fetch partitions one after the other."""
    settler = Settler(prepared.folder, limits.patience, limits.concurrency, limits.accept_unanswered, progress.told)
    rates, read = Rates({**RATES_PER_S, **limits.rates_per_s}), prepared.read(asked.choice)
    async with archive.opened(rates, prepared.folder.url, prepared.source.base) as fetch_one:

        async def fetched(partition: Partition) -> None:
            rows = await asyncio.to_thread(read, partition)
            ask = _asking(fetch_one, partition, limits.concurrency)
            progress.finished(partition, await settler.settle(partition, rows, ask))

        await run.each(prepared.missing, fetched, progress, lambda: 1)


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
