"""Pictures of galaxies from the Sloan Digital Sky Survey: its own, and those made of its calibrated exposures."""

from __future__ import annotations

import asyncio
import math
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from batch.errors import BatchStopped
from batch.fetching.fetch import ImageArchive
from batch.outputs.results import ASKED, ROW
from gateway.core import errors
from gateway.core.field_of_view import SkyField
from gateway.core.files import written_whole
from gateway.core.models import Deadline
from gateway.images.mosaic.celestial import tangent_plane
from gateway.sky import SkySettings, open_sky
from gateway.sky.http.client import HttpClient
from gateway.sky.http.service import Service
from gateway.tables.results import KEY, PROBLEM_COLUMNS, Column
from training.data.download import coadd as making
from training.data.download.archive import BANDS, Archive, chosen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from batch.fetching.fetch import Fetch
    from batch.fetching.rates import Rates
    from batch.outputs.partitions import Partition
    from gateway.core.models import Galaxy
    from gateway.sky import Sky
    from gateway.tables.cells.rows import Row
    from training.data.download.archive import Exposure
    from training.data.download.sources import Sources, Wanted

COLUMNS = (
    *(ROW, KEY, ASKED),
    Column("files", "str", "Names of the pictures, apart by blanks"),
    Column("image_source", "str", "Survey and data release"),
    Column("fov_arcmin", "float", "Side of the field", "arcmin"),
    Column("turned_deg", "float", "Position angle that lies along the rows; north is up without", "deg"),
    Column("exposures", "int", "How many were averaged"),
    Column("coverage", "float", "What part of the field they cover"),
    *PROBLEM_COLUMNS,
)
CUTOUT, COADD = "cutout", "coadd"
"""Suffixes of a row's key: the survey's own picture, or the pictures made of exposures."""

_WHOLE = 0.98
"""Covered share of a field from which it counts as complete, since a pixel lost at an edge is no gap."""

_FRAME_BYTES = 32_000_000
_DOWN = (errors.UpstreamUnavailable, errors.Busy, errors.DeadlineExceeded)


class NotThereError(errors.TargetError):
    """There is no picture of a galaxy, and a later request would not find one."""

    slug, title = "no-picture", "No picture of the galaxy"


@dataclass(frozen=True, slots=True)
class SdssPictures:
    """Pictures of galaxies from the Sloan Digital Sky Survey.

    Attributes
    ----------
    folder : Path
        Folder for the pictures.
    galaxies : mapping
        Galaxy by the key of its row; the key's suffix names the picture to make.
    sources : Sources
        Archives and their limits.
    wanted : Wanted
        Pictures to make.
    """

    folder: Path
    galaxies: Mapping[str, Galaxy]
    sources: Sources
    wanted: Wanted

    @property
    def archive(self) -> ImageArchive:
        """Return the archive from which the pictures are fetched."""
        wanted, sources = self.wanted, self.sources
        return ImageArchive(
            opened=self._opened,
            columns=COLUMNS,
            identity={
                "field in D25": wanted.field_in_d25,
                "side": wanted.side,
                "runs": wanted.runs,
                "release": sources.release,
            },
            urls=self._released(*sources.cutout_urls, *sources.search_urls, *sources.frame_urls),
            contact=sources.contact,
        )

    def _released(self, *urls: str) -> tuple[str, ...]:
        return tuple(url.replace("{release}", str(self.sources.release)) for url in urls)

    @asynccontextmanager
    async def _opened(self, rates: Rates, folder: str, base: str) -> AsyncIterator[Fetch]:
        """Open the services; yield a function that makes a row's pictures and returns the row's cells."""
        del folder, base  # the pictures go to the own folder
        sources = self.sources
        client = HttpClient(sources.manners, contact=sources.contact, rate_limit=rates)
        sky = open_sky(
            SkySettings(
                skyserver_urls=self._released(*sources.cutout_urls),
                sdss_release=sources.release,
                contact=sources.contact,
                cutouts_concurrency=sources.frames_at_once,
            ),
            rate_limit=rates,
        )
        search = Service("SkyServer", self._released(*sources.search_urls), concurrency=1, timeout_s=120.0)
        frames = Service(
            "The Science Archive Server",
            self._released(*sources.frame_urls),
            concurrency=sources.frames_at_once,
            timeout_s=180.0,
            max_bytes=_FRAME_BYTES,
        )
        with ThreadPoolExecutor(2, "pixels") as executor:
            archive = Archive(client, search, frames, executor)

            async def fetch(row: Row, _partition: Partition) -> dict[str, Any]:
                galaxy = self.galaxies[row.key]
                make = (
                    _Cutout(self, galaxy, sky) if row.key.endswith(CUTOUT) else _Coadd(self, galaxy, archive, executor)
                )
                there = {"files": " ".join(make.names)}
                if all((self.folder / name).is_file() for name in make.names):
                    return there
                return there | await self._tried(make.make)

            try:
                yield fetch
            finally:
                await sky.aclose()
                await client.aclose()

    async def _tried(self, make: Callable[[], Any]) -> dict[str, Any]:
        """Make pictures; wait while an archive is down, and end the download if it stays down."""
        for trial in range(self.sources.tries):
            try:
                cells: dict[str, Any] = await make()
            except _DOWN as error:
                if trial + 1 == self.sources.tries:
                    raise BatchStopped(f"{error} The same command goes on from here.") from error
                await asyncio.sleep(min(error.retry_after_s or 0, self.sources.patience_s))
            else:
                break
        return cells

    def fov_arcmin(self, galaxy: Galaxy) -> float:
        """Return the side of a galaxy's field of view."""
        return self.wanted.field_in_d25 * (galaxy.d25_arcmin or math.nan)


@dataclass(frozen=True, slots=True)
class _Cutout:
    """Fetches the survey's own colour picture of a galaxy, as the gateway does."""

    of: SdssPictures
    galaxy: Galaxy
    sky: Sky

    @property
    def names(self) -> list[str]:
        return [f"pgc{self.galaxy.pgc}_sdss.jpg"]

    async def make(self) -> dict[str, Any]:
        fov = self.of.fov_arcmin(self.galaxy)
        found = await self.sky.cutouts.fetch(self.galaxy, fov_arcmin=fov, deadline=Deadline.after(120))
        write(self.of.folder / self.names[0], found.data)
        return {"image_source": found.survey, "fov_arcmin": round(fov, 3), "turned_deg": found.position_angle_deg}


@dataclass(frozen=True, slots=True)
class _Coadd:
    """Makes pictures of a galaxy from calibrated exposures: one in colour, and one of each band."""

    of: SdssPictures
    galaxy: Galaxy
    archive: Archive
    executor: ThreadPoolExecutor

    @property
    def names(self) -> list[str]:
        return [f"pgc{self.galaxy.pgc}_{name}.png" for name in ("gri", *BANDS)]

    async def make(self) -> dict[str, Any]:
        galaxy, fov = self.galaxy, self.of.fov_arcmin(self.galaxy)
        found = await self.archive.exposures(galaxy.ra_deg, galaxy.dec_deg, fov, deadline=Deadline.after(300))
        exposures = chosen(found, runs=self.of.wanted.runs)
        if not exposures:
            raise NotThereError(f"The survey has no exposure of {galaxy.name}.")
        # one folder per galaxy, so that the removal of its frames leaves those of its neighbours
        folder = self.of.folder / "frames" / f"pgc{galaxy.pgc}"
        frames = {band: [await self._frame(one, band, folder) for one in exposures] for band in BANDS}
        loop = asyncio.get_running_loop()
        pictures, coverage = await loop.run_in_executor(self.executor, self._pictures, fov, frames)
        for name, data in zip(self.names, pictures, strict=True):
            write(self.of.folder / name, data)
        if not self.of.wanted.keep_frames:
            shutil.rmtree(folder, ignore_errors=True)
        return {
            "image_source": "SDSS calibrated frames",
            "fov_arcmin": round(fov, 3),
            "turned_deg": galaxy.position_angle_deg,
            "exposures": len(exposures),
            "coverage": round(coverage, 3),
        }

    async def _frame(self, exposure: Exposure, band: str, folder: Path) -> Path:
        """Return a frame's file, fetched unless an interrupted download left it there."""
        path = folder / exposure.name(band)
        if not path.is_file():
            data = await self.archive.frame(exposure, band, deadline=Deadline.after(600))
            await asyncio.to_thread(write, path, data)
        return path

    def _pictures(self, fov_arcmin: float, frames: Mapping[str, list[Path]]) -> tuple[list[bytes], float]:
        galaxy, side = self.galaxy, self.of.wanted.side
        field = SkyField(galaxy.ra_deg, galaxy.dec_deg, fov_arcmin, galaxy.position_angle_deg)
        plane = tangent_plane(field, side)
        try:
            bands = [making.coadd(frames[band], plane, side) for band in BANDS]
        except making.NothingThereError:
            raise NotThereError(f"None of the exposures near {galaxy.name} shows it.") from None
        coverage = min(one.coverage for one in bands)
        if coverage < _WHOLE:
            raise NotThereError(f"The exposures cover {coverage:.0%} of the field around {galaxy.name} only.")
        pictures = [making.colour([one.light for one in bands]), *map(making.gray, bands)]
        return list(map(making.png, pictures)), coverage


def write(path: Path, data: bytes) -> None:
    """Write a file and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as partial:
        partial.write_bytes(data)
