"""What a worker does with a partition: ask every row until it has a final answer, then write all of them at once."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard, cast

import pyarrow as pa
from distributed import get_worker

from gateway.api.schemas import InclinationAnswer
from gateway.core import errors
from gateway.core.models import Framing
from gateway.measure import many
from gateway.tables import results
from gateway.tables.folders import FilesIn
from gateway.tables.rows import Row, question
from survey import catalogue, storage, table
from survey.images import Files, Pictures
from survey.job import TOPIC
from survey.source import Form

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from survey.catalogue import Partition
    from survey.images import Images
    from survey.job import Job
    from survey.rooms import Rooms
    from survey.table import Tally

UNFINISHED = "_unfinished"
"""Folder, in that of the result, of what was answered of partitions that had to be given up."""

PASSING = (errors.UpstreamError, errors.Overload, errors.EnsembleError, errors.DeadlineExceeded)
"""Trouble that is not the row's own: another day may bring an answer."""

_TELL_S = 1.0
_FUTILE = 2
"""So many times the rows under way failing one after the other, a round is broken off: something is down."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a partition.

    Attributes
    ----------
    number : int
    tally : Tally
        Of the rows with a final answer.
    unanswered : int
        Rows that got none for passing reasons: the partition is not written unless that was allowed.
    reason : str
        The last such reason, if any.
    """

    number: int
    tally: Tally
    unanswered: int = 0
    reason: str = ""

    @property
    def written(self) -> bool:
        """Whether the partition's file is there."""
        return self.unanswered == 0


def measure(name: str, partition: Partition) -> Report:
    """Do a partition, in a worker whose plugin ``name`` holds the rooms.

    Raises
    ------
    OSError
        The result can't be written, or the catalogue can't be read.
    """
    worker = get_worker()
    rooms = cast("Rooms", worker.plugins[name])

    def tell(rows: int) -> None:
        worker.log_event(TOPIC, {"survey": name, "partition": partition.number, "rows": rows})

    return rooms.run(measure_in(rooms, partition, tell))


def ready(name: str, timeout_s: float) -> str | None:
    """Wait, in a worker, until it sees the whole release served; return what is wrong when it still isn't."""
    rooms = cast("Rooms", get_worker().plugins[name])
    return rooms.run(rooms.networks.ready(timeout_s))


async def measure_in(rooms: Rooms, partition: Partition, tell: Callable[[int], None]) -> Report:
    """Do a partition among the rooms; ``tell`` hears now and then how many of its rows are done."""
    job = rooms.job
    rows, images = await asyncio.to_thread(_questions, job, partition)
    unfinished = storage.join(job.out, UNFINISHED, table.file_name(partition.number))
    done = await asyncio.to_thread(_kept, unfinished, job)
    waiting = [row for row in rows if row.number not in done]
    try:
        troubled = await _Rounds(rooms, images, done, tell).ask(waiting)
    finally:
        images.close()
    reason = next((one.detail for one in troubled.values() if one is not _NOT_ASKED), _NOT_ASKED.detail)
    if troubled and job.accept_unanswered:
        by_number = {row.number: row for row in rows}
        done |= {number: _flat(many.Result(by_number[number], problem=one)) for number, one in troubled.items()}
        troubled = {}
    written = [done[number] for number in sorted(done)]

    def write(url: str) -> None:
        storage.write(url, table.encoded(written, partition, job.identity.about(), described=job.header))

    if troubled:
        if written:
            await asyncio.to_thread(write, unfinished)
        return Report(partition.number, table.tally(written), len(troubled), reason)
    await asyncio.to_thread(write, storage.join(job.out, table.file_name(partition.number)))
    await asyncio.to_thread(storage.remove, unfinished)
    return Report(partition.number, table.tally(written))


class _Rounds:
    """Asks the rows of one partition until patience ends."""

    def __init__(self, rooms: Rooms, images: Images, done: dict[int, results.Row], tell: Callable[[int], None]) -> None:
        self._rooms = rooms
        self._images = images
        self._done = done
        self._tell = tell
        self._told = time.monotonic()

    async def ask(self, rows: Sequence[Row]) -> dict[int, errors.InclinetError]:
        """Ask; answers go to ``done``. Returns the trouble of the rows that stayed without."""
        patience = self._rooms.job.patience
        troubled: dict[int, errors.InclinetError] = {}
        fruitless, pause_s = 0, patience.first_pause_s
        while rows:
            before = len(self._done)
            asked = await self._round(rows)
            rows = [row for row in rows if row.number not in self._done]
            troubled = {row.number: asked.get(row.number, troubled.get(row.number, _NOT_ASKED)) for row in rows}
            fruitless = fruitless + 1 if len(self._done) == before else 0
            if not rows or fruitless == patience.fruitless:
                break
            if not fruitless:
                pause_s = patience.first_pause_s
            wished = max((one.retry_after_s or 0.0 for one in asked.values()), default=0.0)
            await asyncio.sleep(min(max(pause_s, wished), patience.longest_pause_s))
            pause_s *= 2
        return troubled

    async def _round(self, rows: Sequence[Row]) -> dict[int, errors.InclinetError]:
        """Ask every row once, unless all fail for passing reasons; return these reasons."""
        job = self._rooms.job
        trouble: dict[int, errors.InclinetError] = {}
        running = 0
        measured = many.measure(
            rows,
            self._rooms.inclinations,
            self._images.read,
            terms=many.Terms(job.survey, job.r, job.patience.row_s, Framing(job.frame)),
            concurrency=job.concurrency,
        )
        async with aclosing(measured):
            async for result in measured:
                if _passes(result.problem):
                    trouble[result.row.number] = result.problem
                    running += 1
                    if running >= _FUTILE * job.concurrency:
                        break
                    continue
                running = 0
                self._done[result.row.number] = _flat(result)
                if time.monotonic() - self._told >= _TELL_S:
                    self._told = time.monotonic()
                    self._tell(len(self._done))
        return trouble


_NOT_ASKED = errors.UpstreamUnavailable("What the row needs could not be reached for a while.")


def _passes(problem: errors.InclinetError | None) -> TypeGuard[errors.InclinetError]:
    """Whether another day may bring an answer; so may it where something happened that nobody foresaw."""
    return isinstance(problem, PASSING) or type(problem) is errors.InclinetError


def _questions(job: Job, partition: Partition) -> tuple[list[Row], Images]:
    if job.form is Form.PIXELS:
        numbers = range(partition.first, partition.last)
        rows = [Row(number, str(number), file=str(partition.start + number - partition.first)) for number in numbers]
        return rows, Pictures(partition.url)
    records, reading = catalogue.records(partition, job.choice)
    # whether a store that is no disk has an image is found out when it is asked for
    there = FilesIn(Path(job.base)) if storage.is_local(storage.locate(job.base)[0]) else None
    rows = [question(partition.first + n, record, reading, there, lasting=True) for n, record in enumerate(records)]
    return rows, Files(job.base, largest_bytes=job.max_bytes, at_once=job.concurrency)


def _kept(url: str, job: Job) -> dict[int, results.Row]:
    """Return what an earlier run answered of a partition that it had to give up."""
    try:
        rows, about = table.decoded(storage.read(url))
    except (FileNotFoundError, pa.ArrowException):
        return {}
    return {row[table.ROW.name]: row for row in rows} if about.get("survey") == job.identity.digest else {}


def _flat(result: many.Result) -> results.Row:
    row: dict[str, Any] = dict.fromkeys(column.name for column in table.COLUMNS)
    row |= {table.ROW.name: result.row.number, results.KEY.name: result.row.key}
    if result.answer is not None:
        row |= InclinationAnswer.of(result.answer).row()
    elif result.problem is not None:
        row |= results.problem_row(result.problem)
    return row
