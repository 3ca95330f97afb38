"""The steps that every run shares, from the request to the result: ``inclinet batch`` and ``inclinet fetch``."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from batch import storage
from batch.conversion import output
from batch.errors import BatchError
from batch.inputs import catalogue, source
from batch.inputs.source import Form
from batch.outputs import partitions, results
from batch.outputs.partitions import Folder, Identity
from batch.outputs.results import COLUMNS, Tally
from batch.progress import Progress
from batch.summary import Summary
from gateway.tables.header.words import FILE, RA

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence

    from rich.console import Console

    from batch.conversion.output import Write
    from batch.imaging.imaging import SkyImages
    from batch.inputs.source import Source
    from batch.outputs.partitions import Partition
    from batch.request import BatchRequest
    from gateway.tables.cells.rows import Row
    from gateway.tables.results import Column
    from gateway.tables.results import Row as Record


TICK_S = 0.5


@dataclass(frozen=True, slots=True)
class Prepared:
    """The work of a run.

    Attributes
    ----------
    source : Source
    partitions : list of Partition
    folder : Folder
    done : dict
        Tally of each partition that an earlier run has written, by number.
    """

    source: Source
    partitions: list[Partition]
    folder: Folder
    done: dict[int, Tally]

    @property
    def rows(self) -> int:
        """Number of rows of all partitions."""
        return sum(partition.rows for partition in self.partitions)

    @property
    def rows_done(self) -> int:
        """Number of rows that earlier runs have written."""
        return sum(tally.rows for tally in self.done.values())

    @property
    def missing(self) -> list[Partition]:
        """Partitions that are not done."""
        return [partition for partition in self.partitions if partition.number not in self.done]

    def progress(self, console: Console, what: str, *, quiet: bool) -> Progress:
        """Return the display of the progress."""
        return Progress(console, what, total=self.rows, before=self.rows_done, quiet=quiet)

    def read(self, choice: Mapping[str, str]) -> Callable[[Partition], list[Row]]:
        """Return the function that reads the rows of a partition."""
        return lambda partition: catalogue.rows_of(partition, self.source, choice)


def find(request: BatchRequest) -> tuple[BatchRequest, Source]:
    """Recognise the input. The columns that a HATS catalogue names are used, unless a person chose others.

    Raises
    ------
    BatchError
        There is nothing at the location, or nothing that can be measured so; or a store denies access.
    """
    for url in filter(None, (*request.what, request.images, request.imaging)):
        storage.check(url)
    storage.check(request.folder, written=True)
    found = source.find(request.what, request.images)
    if found.hats is not None:
        return replace(request, choice=found.hats.columns | dict(request.choice)), found
    if request.hats:
        raise BatchError(f"{found.location} is no HATS catalogue, so that no result in HATS can be made of it.")
    return request, found


def begin(
    request: BatchRequest, say: Callable[[str], None]
) -> tuple[BatchRequest, Source, SkyImages | None, Write | None]:
    """Find all inputs and check that the result can be written.

    Returns
    -------
    request : BatchRequest
        The request, with the columns that the input itself names.
    found : Source
        The input.
    imaging : SkyImages or None
        Images that galaxies are cut from.
    write : callable or None
        Writes the result; None where the partitions are the result.

    Raises
    ------
    BatchError
        An input is missing, or does not fit the others.
    """
    output.check(request.out, request.what, hats=request.hats)
    request, found = find(request)
    write = output.writer(
        request.out, request.folder, found, choice=request.choice, keep_columns=request.keep_columns, hats=request.hats
    )
    request, imaging = find_imaging(request, found, say)
    return request, found, imaging, write


def find_imaging(
    request: BatchRequest, found: Source, say: Callable[[str], None]
) -> tuple[BatchRequest, SkyImages | None]:
    """Find the images of the sky that galaxies are cut from, and the columns with the galaxies' sizes."""
    if request.imaging is None:
        if request.bands:
            raise BatchError("--bands names those of --imaging, which is not given.")
        return request, None
    for option, value in (("--images", request.images), ("--survey", request.survey), ("--frame", request.frame)):
        if value is not None:
            raise BatchError(f"{option} does not go with --imaging, which cuts galaxies by their place on the sky.")
    if found.form not in {Form.PARQUET, Form.TABLE} or found.fetched:
        raise BatchError(f"With --imaging a table of positions is asked, and {found.location} is none.")
    choice = {FILE: "", **catalogue.sizes(found), **request.choice}
    if RA not in catalogue.roles(found, choice):
        raise BatchError(f"{found.location} has no position: with --imaging galaxies are found by ra and dec.")
    partitions.recorded(request.folder)  # fails here before anything is written to a folder of other files
    from batch.imaging import imaging

    return replace(request, choice=choice), imaging.find(request.imaging, request.folder, request.bands, say)


def prepare(
    request: BatchRequest,
    found: Source,
    *,
    rows: int,
    settings: Mapping[str, Any],
    release: Callable[[str | None], str],
    say: Callable[[str], None],
    columns: Sequence[Column] = COLUMNS,
) -> Prepared:
    """Make or check the folder of a batch's partitions, and find which partitions are missing.

    Parameters
    ----------
    request : BatchRequest
    found : Source
        The input.
    rows : int
        Rows of a partition, unless the request has a number.
    settings : mapping
        Further settings that the answers depend on, by the words that a refusal uses.
    release : callable
        Returns the release of this run, given that of an earlier run or None.
    say : callable
        Called with sentences about how the source is read.
    columns : sequence of Column
        Columns of the partitions' files.

    Raises
    ------
    BatchError
    """
    folder, location = request.folder, found.location
    known = partitions.recorded(folder)
    before = known["identity"] if known is not None else None
    size = request.partition_rows or (before["partition_rows"] if before is not None else rows)
    # a fetch has its own columns, whatever the names in the table
    choice = {} if found.fetched else request.choice
    catalogue.roles(found, choice)  # fails for an unusable table before anything else is done
    identity = Identity(found.fingerprint, size, release(before["release"] if before is not None else None), settings)
    partitions.refuse_another(folder, identity, location=location)
    pieces = catalogue.pieces(found, folder, size=size, choice=choice)
    cut = catalogue.partitions(pieces, size)
    asks_columns = not found.fetched and found.form in {Form.PARQUET, Form.TABLE}
    for sentence in dict.fromkeys([*found.notes, *(one for piece in pieces if asks_columns for one in piece.notes)]):
        say(sentence)
    partitions.claim(folder, identity, location=location, partitions=len(cut))
    about = {
        "batch": identity.digest,
        "release": identity.release,
        "creator": f"inclinet {version('inclinet-service')}",
    }
    header = "" if request.is_table or request.hats else results.votable_header(columns)
    into = Folder(folder, about, columns, header, request.retry_failed)
    prepared = Prepared(found, cut, into, into.done(cut))
    if prepared.done:
        say(f"{prepared.rows_done:,} of {prepared.rows:,} rows have their result from an earlier run.")
    return prepared


async def run_partitions(
    partitions: Iterable[Partition],
    work: Callable[[Partition], Coroutine[Any, Any, None]],
    progress: Progress,
    room: Callable[[], int],
) -> None:
    """Run partitions concurrently, and show the progress.

    Parameters
    ----------
    partitions : iterable of Partition
    work : coroutine function
        Runs one partition. An exception that it raises ends all.
    progress : Progress
    room : callable
        Returns how many partitions may run at a time; called twice a second.
    """
    waiting, under_way = iter(partitions), set[asyncio.Task[None]]()
    progress.begin()
    try:
        while True:
            for partition in itertools.islice(waiting, max(0, room() - len(under_way))):
                under_way.add(asyncio.create_task(work(partition)))
            if not under_way:
                return
            ended, under_way = await asyncio.wait(under_way, timeout=TICK_S, return_when=asyncio.FIRST_COMPLETED)
            for one in ended:
                one.result()
            progress.tick()
    finally:
        for one in under_way:
            one.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


def finish(request: BatchRequest, prepared: Prepared, progress: Progress, write: Write | None) -> Summary:
    """Write the result of finished partitions, and return its summary.

    Raises
    ------
    BatchError
        The input has changed since the run began.
    OSError
        The result can't be written.
    """
    if source.find(request.what, request.images).fingerprint != prepared.source.fingerprint:
        raise BatchError(
            f"{prepared.source.location} was changed while it was asked. Run it again into another output."
        )
    summary = _summed_up(prepared, progress)
    if summary.failed_partitions == 0:
        storage.remove_partial_files(prepared.folder.url)
        if write is not None:
            write(lambda: _records(prepared), {name: prepared.folder.about[name] for name in ("release", "creator")})
    return summary


def _summed_up(prepared: Prepared, progress: Progress) -> Summary:
    """Return the summary of earlier runs and this one."""
    return Summary(
        tally=sum(prepared.done.values(), Tally()) + progress.tally,
        rows=prepared.rows,
        failed_partitions=len(prepared.missing) - progress.partitions,
        measured=progress.tally.rows,
        seconds=progress.seconds if progress.partitions else 0.0,
    )


def _records(prepared: Prepared) -> Iterator[Record]:
    for partition in prepared.partitions:
        yield from prepared.folder.rows(partition)
