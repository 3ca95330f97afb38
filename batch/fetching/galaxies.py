"""The images of galaxies: fetched by what a table says of them, and read again by who measures them.

The folder of a fetch is one of partitions. The Parquet file of a partition says of each row which galaxy it is and
where its image lies (``images/``). A batch with Dask measures it.
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

    from batch.asked import Asked
    from batch.fetching.fetch import Fetch
    from batch.fetching.rates import Rates
    from batch.outputs.partitions import Partition
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
        Of the gateway: ``INCLINET_*`` say where the services are, and whom their operators can write to.
    survey : str, optional
        Whose images are fetched.
    row_s : float
        For one row; waiting for a service's rate is the better part of it.
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
    """Return the fingerprint of a small file."""
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


@dataclass(frozen=True, slots=True)
class FetchedRows:
    """The rows of a partition of a fetch.

    Attributes
    ----------
    rows : list of Row
    known : dict
        Number of a row to the cells that its result has in any case: what was asked, and the problem of one that has
        no image.
    passing : dict
        Those of rows whose images may come with the next fetch.
    records : dict
        Name of an image to what the file says of its row.
    """

    rows: list[Row]
    known: dict[int, tables.Row]
    passing: dict[int, tables.Row]
    records: dict[str, tables.Row]

    @classmethod
    def read(cls, partition: Partition) -> FetchedRows:
        """Read a partition; errors as the store has them."""
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
        """Return the galaxy and the cutout of an image that was fetched; of any other the bytes alone."""
        record = self.records[name]
        if record["ra_deg"] is None:
            return data
        galaxy = {one.name: record[one.name] for one in GALAXY_COLUMNS if one.name != "galaxy_source"}
        warnings = tuple(filter(None, [record["galaxy_warnings"]]))
        return Fetched(
            Galaxy(**galaxy, source=record["galaxy_source"] or "", warnings=warnings),
            Cutout(data, record["image_source"] or "", record["fov_arcmin"], record["turned_deg"]),
        )
