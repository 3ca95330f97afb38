"""Downloads the pictures of many galaxies, by the fetching of a batch: within the archives' limits, and resumable.

A picture is done when its file exists. The reasons for missing pictures are stored below ``_download`` in the pictures'
folder, one subfolder per table, and listed for people in ``download.csv``.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
from typing import TYPE_CHECKING

from batch.fetching.fetch import FetchLimits, fetch_from
from batch.outputs import results
from batch.outputs.results import ASKED, ROW
from batch.request import BatchRequest
from batch.settle import Patience
from gateway.core.models import Galaxy
from training.data.download.pictures import COADD, COLUMNS, CUTOUT, SdssPictures, write
from training.files import write_csv

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from rich.console import Console

    from batch.summary import Summary
    from training.data.download.sources import Sources, Wanted
    from training.data.label_tables import CatalogueFacts

ROWS = 20
"""Rows of a partition; each may load a hundred megabytes."""

_STATE = "_download"


def galaxies(facts: Mapping[int, CatalogueFacts]) -> tuple[tuple[Galaxy, ...], int]:
    """Return the galaxies of known position and size, in order of their numbers, and the number of all others."""
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
        if not any(map(math.isnan, (known.ra_deg, known.dec_deg, known.d25_arcmin))) and abs(known.dec_deg) <= 90
    ]
    return tuple(found), len(facts) - len(found)


def download(
    folder: Path,
    targets: Iterable[Galaxy],
    sources: Sources,
    wanted: Wanted,
    console: Console,
    *,
    again: bool = False,
) -> Summary:
    """Fetch or make the missing pictures, and write ``download.csv`` beside them.

    Parameters
    ----------
    folder : Path
        Folder for the pictures; frames are in its ``frames/`` while they are needed.
    targets : iterable of Galaxy
        Galaxies whose pictures are wanted.
    sources : Sources
        Archives and their limits.
    wanted : Wanted
        Pictures to make.
    console : Console
        Shows the progress.
    again : bool
        Whether to ask again for pictures that did not exist.

    Raises
    ------
    batch.errors.BatchError
        An archive is down, or the folder holds pictures of other settings; what was fetched is kept.
    OSError
        The folder can't be written to.
    """
    kinds = [kind for kind, asked in ((CUTOUT, wanted.cutouts), (COADD, wanted.exposures)) if asked]
    known = {f"PGC {one.pgc} {kind}": one for one in targets for kind in kinds}
    text = io.StringIO()
    csv.writer(text).writerows(
        [("key", "pgc", "ra", "dec", "d25", "angle")]
        + [
            (key, one.pgc, one.ra_deg, one.dec_deg, one.d25_arcmin, one.position_angle_deg)
            for key, one in known.items()
        ]
    )
    # a table with more rows counts as another input, but most of its pictures exist already
    state = folder / _STATE / hashlib.blake2b(text.getvalue().encode(), digest_size=8).hexdigest()
    table = state.with_suffix(".csv")
    write(table, text.getvalue().encode())
    _forget_lost(folder, state)
    limits = FetchLimits(
        rates_per_s={"SkyServer": sources.calls_per_s},
        concurrency=sources.frames_at_once,
        # an archive that is down ends the download; the next one repeats other passing failures
        patience=Patience(rounds=1),
    )
    asked = BatchRequest(what=(str(table),), out=str(state), retry_failed=again)
    archive = SdssPictures(folder, known, sources, wanted).archive
    try:
        return fetch_from(archive, asked, limits, console, lambda _sentence: None, rows=ROWS)
    finally:
        rows = [row for part in sorted(state.glob("**/part-*")) for row in results.decoded(str(part))[0]]
        names = [one.name for one in COLUMNS if one not in {ROW, ASKED}]
        write_csv(folder / "download.csv", names, [[row[name] for name in names] for row in rows])


def _forget_lost(folder: Path, state: Path) -> None:
    """Delete the state of partitions with missing pictures, so that these are made again."""
    for part in state.glob("**/part-*"):
        rows, _ = results.decoded(str(part))
        if not all((folder / name).is_file() for row in rows for name in (row["files"] or "").split()):
            part.unlink()
