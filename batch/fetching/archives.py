"""Fetches the images of a table's galaxies from the public archives: slowly enough, and going on where it ended.

The folder of a fetch is one of partitions: a partition is done when its Parquet file is there, and that file says of
each row which galaxy it is and where its image lies (``images/``). A batch with Dask measures it.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from batch import storage
from batch.outputs import results
from batch.outputs.results import ASKED, ROW
from batch.settle import Outcome
from gateway.core import errors
from gateway.core.models import Cutout, Deadline, Galaxy
from gateway.measure.targets import Fetched, Targets
from gateway.sky import open_sky
from gateway.sky.http.rate_limit import rate_exceeded
from gateway.tables.cells.rows import Row
from gateway.tables.results import GALAXY_COLUMNS, KEY, PROBLEM_COLUMNS, WARNINGS, Column

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

    from batch.outputs.partitions import Partition
    from batch.progress import Progress
    from batch.settle import Settler
    from gateway.sky import SkySettings
    from gateway.sky.http.service import Service
    from gateway.tables import results as tables

IMAGES = "images"
COLUMNS = (
    *(ROW, KEY, ASKED),
    Column("file", "str", "The image, below this folder", ucd="meta.file"),
    *GALAXY_COLUMNS,
    Column("galaxy_warnings", "str", "What to be wary of in the galaxy", ucd="meta.note"),
    Column("image_source", "str", "Survey", ucd="meta.id;instr"),
    Column("fov_arcmin", "float", "Side of the image's field", "arcmin", "phys.angSize"),
    Column("turned_deg", "float", "Position angle that lies along the image's rows", "deg", "pos.posAng"),
    *(WARNINGS, *PROBLEM_COLUMNS),
)

RATES_PER_S: Mapping[str, float] = {
    "Sesame": 5.0,
    "SIMBAD": 5.0,
    "VizieR": 5.0,
    "NED": 1.0,
    "HyperLEDA": 1.0,
    "SkyServer": 1.0,
    "hips2fits": 2.0,
}
"""Calls a second, unless set otherwise; docs/how-to/survey.md says where they come from."""

LONGEST_REST_S = 600.0
"""A service that asks for more patience is asked again after this, once; it may say so again."""


class Rates:
    """Starts calls to each service one after the other, no faster than its rate (a ``ServiceRateLimit`` of the sky).

    Parameters
    ----------
    rates_per_s : mapping
        Name of a service to its rate; one that is missing or 0 has none.
    """

    def __init__(self, rates_per_s: Mapping[str, float]) -> None:
        self._rates = rates_per_s
        self._free_at: defaultdict[str, float] = defaultdict(float)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def take(self, service: Service, ends: float) -> None:
        """Return when the next call may start.

        Raises
        ------
        gateway.core.errors.Busy
            It may not before ``ends``, on the clock of :func:`time.monotonic`.
        """
        rate, began = self._rates.get(service.name, 0.0), time.monotonic()
        if not rate:
            return
        try:
            async with asyncio.timeout(ends - began), self._locks[service.name]:
                while (wait_s := self._free_at[service.name] - time.monotonic()) > 0:  # noqa: ASYNC110 - a rest moves it
                    await asyncio.sleep(wait_s)
                self._free_at[service.name] = time.monotonic() + 1 / rate
        except TimeoutError:
            raise rate_exceeded(service, time.monotonic() - began) from None

    async def rest(self, service: Service, seconds: float) -> None:
        """Leave a service alone for so long, as it asked."""
        rests_until = time.monotonic() + min(seconds, LONGEST_REST_S)
        self._free_at[service.name] = max(self._free_at[service.name], rests_until)


@dataclass(frozen=True, slots=True)
class Fetch:
    """Fetches the images of partitions.

    Attributes
    ----------
    settler : Settler
    sky : SkySettings
        The public services, or one's own.
    rates_per_s : mapping
        What differs from :data:`RATES_PER_S`.
    survey : str, optional
        Whose images are fetched.
    base : str
        Folder that relative names of images are looked for in.
    """

    settler: Settler
    sky: SkySettings
    rates_per_s: Mapping[str, float]
    survey: str | None
    base: str

    async def run(
        self, partitions: Sequence[Partition], read: Callable[[Partition], list[Row]], progress: Progress
    ) -> None:
        """Fetch partitions one after the other.

        Parameters
        ----------
        partitions : sequence of Partition
            Those that are not done.
        read : callable
            Returns the rows of a partition.
        progress : Progress
        """
        rates = Rates({**RATES_PER_S, **self.rates_per_s})
        sky = open_sky(self.sky, version=version("inclinet-service"), rate_limit=rates)
        ticking = asyncio.create_task(progress.tick_until_cancelled())
        progress.begin()
        try:
            targets = Targets(sky)
            for partition in partitions:
                rows = await asyncio.to_thread(read, partition)
                ask = self._asking(targets, partition)
                progress.finished(await self.settler.settle(partition, rows, ask))
        finally:
            ticking.cancel()
            await sky.aclose()

    def _asking(self, targets: Targets, partition: Partition) -> Callable[[Sequence[Row]], AsyncGenerator[Outcome]]:
        async def one(row: Row) -> Outcome:
            try:
                return Outcome(row, await self._one(row, targets, partition))
            except errors.InclinetError as problem:
                return Outcome.of(row, problem)

        return lambda rows: _concurrently(rows, one, self.settler.concurrency)

    async def _one(self, row: Row, targets: Targets, partition: Partition) -> tables.Row:
        """Return the cells of a row, its image written before."""
        if row.problem is not None:
            raise row.problem
        if row.target is None:
            return {"file": storage.below(self.base, row.file or "")}
        deadline = Deadline.after(self.settler.patience.row_s)
        fetched = await targets.fetch(row.target, deadline=deadline, survey=self.survey)
        galaxy, cutout = fetched.galaxy, fetched.cutout
        number = f"_pgc{galaxy.pgc}" if galaxy.pgc else ""
        name = f"{IMAGES}/{partition.number:06d}/{row.number:08d}{number}.jpg"
        await asyncio.to_thread(storage.write, storage.join(self.settler.folder.url, name), cutout.data)
        cells = {one.name: getattr(galaxy, one.name, None) for one in GALAXY_COLUMNS}
        return cells | {
            "galaxy_source": galaxy.source,
            "galaxy_warnings": " ".join(galaxy.warnings),
            "file": name,
            "image_source": cutout.survey,
            "fov_arcmin": cutout.fov_arcmin,
            "turned_deg": cutout.position_angle_deg,
            "warnings": " ".join(fetched.warnings),
        }


async def _concurrently(
    rows: Sequence[Row], one: Callable[[Row], Awaitable[Outcome]], most: int
) -> AsyncGenerator[Outcome]:
    """Ask about rows, so many at a time, and yield what becomes of them as it comes."""
    waiting = iter(rows)
    under_way: set[asyncio.Future[Outcome]] = set()
    try:
        while True:
            while len(under_way) < most and (row := next(waiting, None)) is not None:
                under_way.add(asyncio.ensure_future(one(row)))
            if not under_way:
                return
            done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        for future in under_way:
            future.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class FetchedRows:
    """The rows of a partition of a fetch.

    Attributes
    ----------
    rows : list of Row
    asked : dict
        Number of a row to what was asked.
    known : dict
        Number of a row that got no image to the cells of its problem.
    records : dict
        Name of an image to what the file says of its row.
    """

    rows: list[Row]
    asked: dict[int, str]
    known: dict[int, tables.Row]
    records: dict[str, tables.Row]

    @classmethod
    def read(cls, partition: Partition) -> FetchedRows:
        """Read a partition; errors as the store has them."""
        rows: list[Row] = []
        asked: dict[int, str] = {}
        known: dict[int, tables.Row] = {}
        records: dict[str, tables.Row] = {}
        for record in results.decoded(partition.url)[0][partition.start : partition.stop]:
            number = partition.first + len(rows)
            name, warnings = record["file"], record["warnings"]
            rows.append(Row(number, record["key"], file=name, warnings=(warnings,) if warnings else ()))
            asked[number] = record["asked"]
            if name is None:
                known[number] = {one.name: record[one.name] for one in PROBLEM_COLUMNS}
            else:
                records[name] = record
        return cls(rows, asked, known, records)

    def fetched(self, name: str, data: bytes) -> Fetched | bytes:
        """Return the galaxy and the cutout of an image that was fetched; of any other the bytes alone."""
        record = self.records[name]
        if record["ra_deg"] is None:
            return data
        known = {one.name: record[one.name] for one in GALAXY_COLUMNS if one.name != "galaxy_source"}
        warnings = (record["galaxy_warnings"],) if record["galaxy_warnings"] else ()
        galaxy = Galaxy(**known, source=record["galaxy_source"] or "", warnings=warnings)
        return Fetched(galaxy, Cutout(data, record["image_source"] or "", record["fov_arcmin"], record["turned_deg"]))
