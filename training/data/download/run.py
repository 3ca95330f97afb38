"""Downloads the pictures of many galaxies: polite, in any order, and taken up again where it was interrupted."""

from __future__ import annotations

import asyncio
import math
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from gateway.core import errors
from gateway.core.files import written_whole
from gateway.core.models import Deadline, Galaxy
from training.data.download import coadd as making
from training.data.download.archive import BANDS, chosen
from training.data.download.journal import Entry, Journal
from training.data.download.sources import Opened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from training.data.download.archive import Exposure
    from training.data.download.journal import What
    from training.data.download.sources import Sources, Wanted
    from training.data.label_tables import Facts

Say = Callable[[Entry, int, int], None]
"""Told every galaxy's outcome, how many are done, and how many there are."""

_WHOLE = 0.98
"""A field that is covered to this part counts as whole: a pixel lost at an edge is no hole."""


class NotThereError(errors.InclinetError):
    """There is no picture of a galaxy, and there would be none if it were asked for again."""


class ServiceDownError(Exception):
    """An archive can't be reached for long; the message says which, and that the download can be taken up again."""


def galaxies(facts: Mapping[int, Facts]) -> tuple[tuple[Galaxy, ...], int]:
    """Return the galaxies of known position and size, in order of their numbers, and how many others there are."""
    found = [
        Galaxy(
            known.ra_deg % 360,
            known.dec_deg,
            name=f"PGC {pgc}",
            pgc=pgc,
            d25_arcmin=known.d25_arcmin,
            position_angle_deg=None if math.isnan(known.position_angle_deg) else known.position_angle_deg % 180,
        )
        for pgc, known in sorted(facts.items())
        if not any(map(math.isnan, (known.ra_deg, known.dec_deg, known.d25_arcmin))) and abs(known.dec_deg) <= 90  # noqa: PLR2004 - a sky
    ]
    return tuple(found), len(facts) - len(found)


class Download:
    """Fetches and makes pictures into a folder.

    Parameters
    ----------
    folder : Path
        Gets the pictures and ``download.csv``; frames lie in its ``frames/`` while they are needed.
    sources : Sources
    wanted : Wanted
    say : callable, optional
    version : str
        For ``User-Agent``.
    """

    def __init__(
        self,
        folder: Path,
        sources: Sources,
        wanted: Wanted,
        *,
        say: Say = lambda _entry, _done, _all: None,
        version: str = "0",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._sources = sources
        self._wanted = wanted
        self._say = say
        self._version = version
        self.journal = Journal(folder / "download.csv")

    async def run(self, targets: Iterable[Galaxy]) -> None:
        """Fetch what is missing of every galaxy.

        Raises
        ------
        ServiceDownError
            An archive is down; what was fetched is kept.
        OSError
            The folder can't be written to.
        """
        everyone = tuple(targets)
        self._done, self._all = 0, sum(len(self._missing(galaxy)) for galaxy in everyone)
        if not self._all:
            return
        waiting = iter(everyone)
        with ThreadPoolExecutor(2, "pixels") as executor:
            async with Opened(self._sources, executor, self._version) as opened:

                async def work() -> None:
                    for galaxy in waiting:
                        for what in self._missing(galaxy):
                            await self._one(galaxy, what, opened, executor)

                try:
                    async with asyncio.TaskGroup() as group:
                        for _ in range(self._sources.frames_at_once):
                            group.create_task(work())
                except ExceptionGroup as several:
                    raise several.exceptions[0] from None

    def _missing(self, galaxy: Galaxy) -> tuple[What, ...]:
        wanted: list[tuple[bool, What]] = [(self._wanted.cutouts, "cutout"), (self._wanted.exposures, "coadd")]
        return tuple(what for asked, what in wanted if asked and not self._settled(galaxy, what))

    def _settled(self, galaxy: Galaxy, what: What) -> bool:
        entry = self.journal.last(galaxy.pgc or 0, what)
        if entry is None:
            return False
        if entry.problem:
            return entry.final == "yes" and not self._wanted.again
        return all((self._folder / name).is_file() for name in entry.files.split())

    async def _one(self, galaxy: Galaxy, what: What, opened: Opened, executor: ThreadPoolExecutor) -> None:
        """Fetch one galaxy's pictures of one kind, whatever comes of it."""
        make = self._cutout if what == "cutout" else self._coadd
        for trial in range(self._sources.tries):
            try:
                entry = await make(galaxy, opened, executor)
                break
            except errors.UpstreamBroken as error:
                entry = Entry(galaxy.pgc or 0, what, problem=str(error))
                break
            except (errors.TargetError, NotThereError) as error:
                entry = Entry(galaxy.pgc or 0, what, problem=str(error), final="yes")
                break
            except (errors.UpstreamUnavailable, errors.Busy, errors.DeadlineExceeded) as error:
                if trial + 1 == self._sources.tries:
                    raise ServiceDownError(f"{error} The same command goes on from here.") from error
                await asyncio.sleep(min(getattr(error, "retry_after_s", None) or 0, self._sources.patience_s))
        self.journal.write(entry)
        self._done += 1
        self._say(entry, self._done, self._all)

    async def _cutout(self, galaxy: Galaxy, opened: Opened, _: ThreadPoolExecutor) -> Entry:
        fov = self._fov_arcmin(galaxy)
        found = await opened.sky.cutouts.fetch(galaxy, fov_arcmin=fov, deadline=Deadline.after(120))
        name = f"pgc{galaxy.pgc}_sdss.jpg"
        _write(self._folder / name, found.data)
        return Entry(galaxy.pgc or 0, "cutout", name, found.survey, f"{fov:.3f}", _angle(found.position_angle_deg))

    async def _coadd(self, galaxy: Galaxy, opened: Opened, executor: ThreadPoolExecutor) -> Entry:
        fov = self._fov_arcmin(galaxy)
        found = await opened.archive.exposures(galaxy.ra_deg, galaxy.dec_deg, fov, deadline=Deadline.after(300))
        exposures = chosen(found, runs=self._wanted.runs)
        if not exposures:
            raise NotThereError(f"The survey has no exposure of {galaxy.name}.")
        folder = self._frames_of(galaxy)
        frames = {band: [await self._frame(one, band, folder, opened) for one in exposures] for band in BANDS}
        pictures, coverage = await asyncio.get_running_loop().run_in_executor(
            executor, self._pictures, galaxy, fov, frames
        )
        for name, data in pictures.items():
            _write(self._folder / name, data)
        if not self._wanted.keep_frames:
            shutil.rmtree(self._frames_of(galaxy), ignore_errors=True)
        return Entry(
            galaxy.pgc or 0,
            "coadd",
            " ".join(pictures),
            "SDSS calibrated frames",
            f"{fov:.3f}",
            _angle(galaxy.position_angle_deg),
            str(len(exposures)),
            f"{coverage:.3f}",
        )

    def _frames_of(self, galaxy: Galaxy) -> Path:
        """Return where a galaxy's frames lie: neighbours share none, so that none is taken away from another."""
        return self._folder / "frames" / f"pgc{galaxy.pgc}"

    async def _frame(self, exposure: Exposure, band: str, folder: Path, opened: Opened) -> Path:
        """Return a frame on disk, fetched unless an interrupted download already had."""
        path = folder / exposure.name(band)
        if not path.is_file():
            data = await opened.archive.frame(exposure, band, deadline=Deadline.after(600))
            await asyncio.to_thread(_write, path, data)
        return path

    def _pictures(
        self, galaxy: Galaxy, fov_arcmin: float, frames: Mapping[str, list[Path]]
    ) -> tuple[dict[str, bytes], float]:
        side = self._wanted.side
        plane = making.frame_of(galaxy.ra_deg, galaxy.dec_deg, fov_arcmin, side, galaxy.position_angle_deg)
        try:
            bands = {band: making.coadd(paths, plane, side) for band, paths in frames.items()}
        except making.NothingThereError:
            raise NotThereError(f"None of the exposures near {galaxy.name} shows it.") from None
        coverage = min(one.coverage for one in bands.values())
        if coverage < _WHOLE:
            raise NotThereError(f"The exposures cover {coverage:.0%} of the field around {galaxy.name} only.")
        pictures = {"gri": making.colour([bands[band].light for band in BANDS])}
        pictures |= {band: making.gray(one) for band, one in bands.items()}
        return {f"pgc{galaxy.pgc}_{name}.png": making.png(pixels) for name, pixels in pictures.items()}, coverage

    def _fov_arcmin(self, galaxy: Galaxy) -> float:
        return self._wanted.field_in_d25 * (galaxy.d25_arcmin or math.nan)


def _write(path: Path, data: bytes) -> None:
    """Write a file and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as partial:
        partial.write_bytes(data)


def _angle(position_angle_deg: float | None) -> str:
    return "" if position_angle_deg is None else f"{position_angle_deg:.1f}"
