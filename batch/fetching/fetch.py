"""Fetching as a step of its own: ``inclinet fetch``, which a batch with Dask runs first where a table has no images."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from batch import run, storage
from batch.errors import BatchError
from batch.fetching.archives import COLUMNS, Fetch
from batch.inputs import source
from batch.settle import Patience, Settler
from gateway.core import proxies

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console

    from batch.run import Asked
    from batch.summary import Summary
    from gateway.settings import Settings

ROWS = 500
"""Of a partition: at the pace of the archives, more would be lost when the machine dies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """How images are fetched.

    Attributes
    ----------
    settings : Settings
        Of the gateway: ``INCLINET_*`` say where the services are, and whom their operators can write to.
    rates_per_s : mapping
        What differs from :data:`batch.fetching.archives.RATES_PER_S`.
    concurrency : int
        Rows under way at a time.
    accept_unanswered : bool
        Count rows that stayed without an answer for passing reasons as done, with their problem.
    patience : Patience
    """

    settings: Settings
    rates_per_s: Mapping[str, float] = field(default_factory=dict)
    concurrency: int = 32
    accept_unanswered: bool = False
    patience: Patience = field(default_factory=Patience)

    def identity(self, asked: Asked) -> dict[str, str | int | None]:
        """Return what an image depends on, by the words that a refusal uses."""
        return {
            "survey": asked.survey or self.settings.survey,
            "SDSS release": self.settings.sdss_release,
            "own catalogue of galaxies": run.digest_of_file(self.settings.catalog),
        }


def fetch(
    asked: Asked, fetching: Fetching, console: Console, say: Callable[[str], None], *, into: str | None = None
) -> Summary:
    """Fetch the images that are missing.

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
    found = source.find(asked.what, asked.images)
    folder = into or asked.folder
    prepared = run.prepare(
        asked,
        found,
        folder,
        rows=ROWS,
        settings={"fetch": "images of galaxies", **fetching.identity(asked), **asked.columns_said},
        release=lambda _known: "",
        say=say,
        columns=COLUMNS,
    )
    settings = fetching.settings
    with storage.alone(folder), prepared.progress(console, "Fetching", quiet=asked.quiet) as progress:
        if prepared.missing:
            proxies.from_environment().check(settings.sky().urls)
            if not settings.contact:
                say("Set INCLINET_CONTACT, so that who runs a public service can write to you before blocking you.")
            settler = Settler(
                prepared.folder, fetching.patience, fetching.concurrency, fetching.accept_unanswered, progress.told
            )
            work = Fetch(settler, settings.sky(), fetching.rates_per_s, asked.survey, found.base)
            asyncio.run(work.run(prepared.missing, prepared.read(asked.choice), progress))
    return run.finish(replace(asked, out=folder), prepared, progress, None)
