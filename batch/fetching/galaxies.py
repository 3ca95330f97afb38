"""Images of galaxies: fetched for the rows of a table, and read again by the engine that measures them.

The folder of a fetch consists of partitions. The Parquet file of a partition names the galaxy of each row and its
image (in ``images/``). A batch with Dask measures it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from batch import storage
from batch.errors import BatchError
from batch.fetching.fetch import FetchLimits, ImageArchive, fetch_from
from batch.outputs import results
from batch.outputs.results import ASKED, ROW
from gateway.core.models import Cutout, Deadline, Galaxy
from gateway.measure.targets import Fetched, Targets
from gateway.sky import open_sky
from gateway.tables.cells.rows import Row
from gateway.tables.results import GALAXY_COLUMNS, KEY, PROBLEM_COLUMNS, WARNINGS, Column

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from rich.console import Console

    from batch.fetching.fetch import Fetch
    from batch.fetching.rates import Rates
    from batch.outputs.partitions import Partition
    from batch.request import BatchRequest
    from batch.summary import Summary
    from gateway.settings import Settings
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


def images_of_galaxies(settings: Settings, survey: str | None, *, row_s: float) -> ImageArchive:
    """Return images of galaxies as the gateway fetches them.

    Parameters
    ----------
    settings : Settings
        Settings of the gateway: ``INCLINET_*`` name the services, and the contact for their operators.
    survey : str, optional
        Survey whose images are fetched.
    row_s : float
        Time limit for one row, seconds, mostly spent waiting for a service's rate.
    """

    @asynccontextmanager
    async def opened(rates: Rates, folder: str, base: str) -> AsyncIterator[Fetch]:
        sky = open_sky(settings.sky(), version=version("inclinet-service"), rate_limit=rates)
        targets = Targets(sky)

        async def fetch(row: Row, partition: Partition) -> tables.Row:
            if row.target is None:
                return {"file": storage.below(base, row.file or "")}
            fetched = await targets.fetch(row.target, deadline=Deadline.after(row_s), survey=survey)
            galaxy, cutout = fetched.galaxy, fetched.cutout
            number = f"_pgc{galaxy.pgc}" if galaxy.pgc else ""
            name = f"{IMAGES}/{partition.number:06d}/{row.number:08d}{number}.jpg"
            await asyncio.to_thread(storage.write, storage.join(folder, name), cutout.data)
            return {one.name: getattr(galaxy, one.name, None) for one in GALAXY_COLUMNS} | {
                "galaxy_source": galaxy.source,
                "galaxy_warnings": " ".join(galaxy.warnings),
                "file": name,
                "image_source": cutout.survey,
                "fov_arcmin": cutout.fov_arcmin,
                "turned_deg": cutout.position_angle_deg,
                "warnings": " ".join(fetched.warnings),
            }

        try:
            yield fetch
        finally:
            await sky.aclose()

    return ImageArchive(
        opened=opened,
        columns=COLUMNS,
        identity={
            "survey": survey or settings.survey,
            "SDSS release": settings.sdss_release,
            "own catalogue of galaxies": _digest(settings.catalog),
        },
        urls=settings.sky().urls,
        contact=settings.contact,
    )


def _digest(path: Path | None) -> str | None:
    """Return the fingerprint of a small file; None without a file."""
    if path is None:
        return None
    try:
        return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    except OSError as error:
        raise BatchError(f"{path} can't be read: {error.strerror}.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching(FetchLimits):
    """How images of galaxies are fetched.

    Attributes
    ----------
    settings : Settings
        Settings of the gateway.
    """

    settings: Settings

    def archive(self, request: BatchRequest) -> ImageArchive:
        """Return the archive from which the images are fetched."""
        return images_of_galaxies(self.settings, request.survey, row_s=self.patience.row_s)


def fetch(
    request: BatchRequest, fetching: Fetching, console: Console, say: Callable[[str], None], *, into: str | None = None
) -> Summary:
    """Fetch the missing images of galaxies.

    Parameters
    ----------
    request : BatchRequest
    fetching : Fetching
    console : Console
    say : callable
    into : str, optional
        Folder of the images; the output unless given.

    Raises
    ------
    BatchError
        The fetch can't run or continue. Files already fetched stay.
    OSError
        A file could not be read or written.
    """
    if into is None and request.is_table:
        raise BatchError(f"Images are fetched into a folder, and {request.out} has the name of a table.")
    return fetch_from(
        fetching.archive(request), replace(request, out=into or request.folder, hats=False), fetching, console, say
    )


@dataclass(frozen=True, slots=True)
class FetchedRows:
    """The rows of a partition of a fetch.

    Attributes
    ----------
    rows : list of Row
    known : dict
        Cells of a row's result that are known before it is measured, by its number: what was asked, and the problem of
        a row without an image.
    passing : dict
        The same for rows whose images may come with the next fetch.
    records : dict
        Record of the file for each image, by the image's name.
    """

    rows: list[Row]
    known: dict[int, tables.Row]
    passing: dict[int, tables.Row]
    records: dict[str, tables.Row]

    @classmethod
    def read(cls, partition: Partition) -> FetchedRows:
        """Read a partition; raises the store's errors."""
        found, about = results.decoded(partition.url)
        records = found[partition.start : partition.stop]
        names = ("asked", *(one.name for one in PROBLEM_COLUMNS))
        known = {one["row"]: {name: one[name] for name in names if one[name] is not None} for one in records}
        again = set(json.loads(about["again"])) & known.keys()
        return cls(
            [
                Row(one["row"], one["key"], file=one["file"], warnings=tuple(filter(None, [one["warnings"]])))
                for one in records
            ],
            known,
            {number: known[number] for number in again},
            {one["file"]: one for one in records},
        )

    def fetched(self, name: str, data: bytes) -> Fetched | bytes:
        """Return the galaxy and the cutout of a fetched image; for any other image only its bytes."""
        record = self.records[name]
        if record["ra_deg"] is None:
            return data
        galaxy = {one.name: record[one.name] for one in GALAXY_COLUMNS if one.name != "galaxy_source"}
        warnings = tuple(filter(None, [record["galaxy_warnings"]]))
        return Fetched(
            Galaxy(**galaxy, source=record["galaxy_source"] or "", warnings=warnings),
            Cutout(data, record["image_source"] or "", record["fov_arcmin"], record["turned_deg"]),
        )
