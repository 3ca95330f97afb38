"""Cuts the galaxies of a partition from images of the sky, and adds facts about the cutout to each answer."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from batch import storage
from batch.imaging.footprints import reason
from batch.imaging.matching import SkyPlace, match, showing
from batch.imaging.open_images import GONE, OpenImages, not_there
from batch.settle import Outcome
from gateway.core import errors
from gateway.core.field_of_view import SkyField, field_around
from gateway.core.models import Galaxy
from gateway.images.mosaic.cut import cut_opened
from gateway.images.mosaic.sections import CACHE_BYTES
from gateway.images.mosaic.unsized import cut_unsized
from gateway.sky.positions import parse_position
from gateway.tables.cells.rows import Row

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from batch.imaging.imaging import SkyImages
    from batch.imaging.matching import TileImage
    from batch.settle import Ask
    from gateway.core.field_of_view import ImagingCutout
    from gateway.core.models import Target
    from gateway.images.decode import Picture

SOURCE = "imaging"
"""Value of ``image_source`` in an answer."""

_THREADS_ELSEWHERE = 8
"""Number of threads that wait for a store; on a disk one thread opens each tile once."""

_WIDEST_DEG = 0.25
"""Distance from a galaxy of unknown size within which images are used."""
_DIAGONAL = 0.71
_STRIP_DEG = 0.02


@dataclass(frozen=True, slots=True)
class _Galaxy:
    """A galaxy of the table, and the images that may show it."""

    row: Row
    target: Target
    ra_deg: float
    dec_deg: float
    tiles: list[TileImage]


@dataclass(frozen=True, slots=True)
class _Cut:
    """Facts about the cutout of a row."""

    field: SkyField
    warnings: tuple[str, ...]


class Cutters:
    """Makes the cutter of each partition, and keeps images open between partitions.

    Parameters
    ----------
    imaging : SkyImages
        Images of the sky.
    """

    def __init__(self, imaging: SkyImages) -> None:
        self._imaging = imaging
        self._idle: list[_CuttingThread] = []

    def cutter(self, rows: Sequence[Row]) -> Cutter:
        """Return the cutter of a partition with these rows.

        Raises
        ------
        OSError
            The index of the images can't be read.
        """
        return Cutter(self._imaging, rows, self._idle)

    def close(self) -> None:
        """Close the images; those that a store does not release stay open until the process ends."""
        while self._idle:
            self._idle.pop().close()


class Cutter:
    """Cuts the galaxies of a partition.

    Parameters
    ----------
    imaging : SkyImages
        Images of the sky.
    rows : sequence of Row
        All rows of the partition.
    idle : list of threads
        Threads of earlier partitions, which are taken from this list and returned to it.

    Raises
    ------
    OSError
        The index of the images can't be read.
    """

    def __init__(self, imaging: SkyImages, rows: Sequence[Row], idle: list[_CuttingThread]) -> None:
        self._imaging = imaging
        self._problems: dict[int, errors.GatewayError] = {}
        self._galaxies = self._matched(rows)
        elsewhere = any(
            not storage.is_local(storage.locate(one.tiles[0].file)[0]) for one in list(self._galaxies.values())[:1]
        )
        count = _THREADS_ELSEWHERE if elsewhere else 1
        self._idle = idle
        self._threads = [_thread(idle, CACHE_BYTES // count) for _ in range(count)]
        self._thread_of = self._grouped()
        self._cuts: dict[int, _Cut] = {}

    def _matched(self, rows: Sequence[Row]) -> dict[int, _Galaxy]:
        known: list[tuple[Row, Target, SkyPlace]] = []
        for row in rows:
            try:
                known.append((row, *_place(row)))
            except errors.GatewayError as problem:
                self._problems[row.number] = problem
        shown = {name: band for name, band in self._imaging.bands.items() if band in self._imaging.shown}
        matched = match(self._imaging.index, shown, [place for _, _, place in known])
        found: dict[int, _Galaxy] = {}
        for (row, target, place), tiles in zip(known, matched, strict=True):
            if (outside := self._outside(place, tiles)) is not None:
                self._problems[row.number] = outside
            else:
                found[row.number] = _Galaxy(row, target, place.ra_deg, place.dec_deg, tiles)
        return found

    def _outside(self, place: SkyPlace, tiles: Sequence[TileImage]) -> errors.GatewayError | None:
        there = {one.band for one in tiles if one.depth_deg >= 0}
        missing = [band for band in self._imaging.shown if band not in there]
        where = f"ra {place.ra_deg:.5f}, dec {place.dec_deg:+.5f} deg"
        if not there:
            return errors.OutsideImages(f"None of the images shows {where}.")
        if missing:
            return errors.BandsApart(
                f"The bands don't overlap at {where}: there are images in {', '.join(sorted(there))}, and none in "
                f"{', '.join(missing)}."
            )
        return None

    def _grouped(self) -> dict[int, _CuttingThread]:
        """Return the thread of each galaxy, by number, in cutting order: galaxies of one image one after the other.

        Within an image they are in strips along the right ascension, so that neighbours share unpacked tiles.
        """
        order = sorted(
            self._galaxies.values(),
            key=lambda one: (one.tiles[0].file, one.dec_deg // _STRIP_DEG, one.ra_deg, one.row.number),
        )
        size = -(-len(order) // len(self._threads)) or 1
        parts = [order[start : start + size] for start in range(0, len(order), size)]
        turns = sorted((turn, number) for number, part in enumerate(parts) for turn in range(len(part)))
        return {parts[number][turn].row.number: self._threads[number] for turn, number in turns}

    async def read(self, name: str) -> NDArray[np.uint8]:
        """Return the picture of the galaxy in the row of that number, uint8 ``[S, S, 3]``.

        Raises
        ------
        gateway.core.errors.GatewayError
            The galaxy can't be cut; a passing problem if a store can't be reached.
        """
        number = int(name)
        thread, loop = self._thread_of[number], asyncio.get_running_loop()
        picture, self._cuts[number] = await loop.run_in_executor(thread.executor, thread.cut, self._galaxies[number])
        return picture

    def asking(self, ask: Ask) -> Ask:
        """Return the function that asks about galaxies, given ``ask``, which asks about pictures named by number."""

        async def asked(rows: Sequence[Row]) -> AsyncGenerator[Outcome]:
            there = {row.number: row for row in rows}
            for number in there.keys() & self._problems.keys():
                yield Outcome.of(there[number], self._problems[number])
            pictures = [
                Row(number, there[number].key, file=str(number)) for number in self._thread_of if number in there
            ]
            async with aclosing(ask(pictures)) as outcomes:
                async for outcome in outcomes:
                    yield self._told(there[outcome.row.number], outcome)

        return asked

    def _told(self, row: Row, outcome: Outcome) -> Outcome:
        """Return an outcome with facts about the cutout."""
        cut = self._cuts.get(row.number)
        if cut is None or outcome.cells.get("problem_type"):
            return replace(outcome, row=row)
        field, target = cut.field, self._galaxies[row.number].target
        said: dict[str, Any] = {
            "asked": f"{target.ra} {target.dec or ''}".strip() + f" fov={field.fov_arcmin:.4g}",
            "name": target.name,
            "pgc": target.pgc,
            "ra_deg": field.ra_deg,
            "dec_deg": field.dec_deg,
            "position_angle_deg": field.position_angle_deg,
            "galaxy_source": "table",
            "image_source": SOURCE,
        }
        if field.position_angle_deg is not None:
            said["asked"] += f" pa={field.position_angle_deg:.4g}"
        row = replace(row, warnings=(*row.warnings, *cut.warnings))
        return replace(outcome, row=row, cells=outcome.cells | said)

    def close(self) -> None:
        """Return the threads, with the images that they keep open, to the list."""
        self._idle += self._threads


def _place(row: Row) -> tuple[Target, SkyPlace]:
    if row.problem is not None:
        raise row.problem
    if row.target is None or row.target.ra is None:
        raise errors.BadTarget("The row has no position; galaxies are found in images of the sky by ra and dec.")
    ra_deg, dec_deg = parse_position(row.target.ra, row.target.dec or "")
    fov = row.target.fov_arcmin
    return row.target, SkyPlace(ra_deg, dec_deg, _WIDEST_DEG if fov is None else _DIAGONAL * fov / 60)


def _thread(idle: list[_CuttingThread], cache_bytes: int) -> _CuttingThread:
    try:
        # another partition may take the last one at the same time
        return idle.pop()
    except IndexError:
        return _CuttingThread(cache_bytes)


class _CuttingThread:
    """A thread that cuts, and the images that it keeps open."""

    def __init__(self, cache_bytes: int) -> None:
        self.executor = ThreadPoolExecutor(1, "cut")
        self._images = OpenImages(cache_bytes)

    def cut(self, galaxy: _Galaxy) -> tuple[NDArray[np.uint8], _Cut]:
        try:
            field = field_around(_known(galaxy), galaxy.target)
            if isinstance(field, SkyField):
                picture, used = self._picture(galaxy, field)
            else:
                finest = min(one.pixel_arcsec for one in galaxy.tiles if one.depth_deg >= 0)
                picture, used = cut_unsized(partial(self._picture, galaxy), field, finest)
        except GONE as error:
            raise not_there(error.filename or str(error)) from error
        except errors.GatewayError:
            raise
        # stores have their own errors for unreachable or forbidden files
        except Exception as error:
            # a file with a lost connection is opened anew when its galaxies are tried again
            self._images.close()
            raise errors.UpstreamUnavailable(
                f"An image of the sky can't be read: {reason(error)}.", service="image store"
            ) from error
        return picture.rgb, _Cut(used.field, picture.warnings)

    def _picture(self, galaxy: _Galaxy, field: SkyField) -> tuple[Picture, ImagingCutout]:
        tiles = showing(galaxy.tiles, _DIAGONAL * field.fov_arcmin / 60)
        return cut_opened([self._images.image(one) for one in tiles], field)

    def close(self) -> None:
        self.executor.submit(self._images.close)
        self.executor.shutdown(wait=False)


def _known(galaxy: _Galaxy) -> Galaxy:
    return Galaxy(galaxy.ra_deg, galaxy.dec_deg, source="table")
