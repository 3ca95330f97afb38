"""A batch whose Dask workers measure by themselves."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batch import run, storage
from batch.dask import engine
from batch.dask.cluster import connected, own_networks
from batch.dask.worker import Job
from batch.errors import BatchError
from batch.fetching import galaxies
from batch.inputs import catalogue, source
from batch.outputs import partitions
from gateway.core import interrupts
from gateway.core.manifest import Manifest, read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console

    from batch.fetching.galaxies import Fetching
    from batch.progress import Progress
    from batch.request import BatchRequest
    from batch.run import Prepared
    from batch.summary import Summary

ROWS = 2000
"""Rows of a partition."""

FETCHED = "_fetched"
"""Folder of the images that are fetched first, inside the partitions' folder."""

_ASK_THE_SKY = {"pgc", "name", "ra"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDask:
    """Workers and networks of a batch on Dask.

    Attributes
    ----------
    scheduler : str, optional
        Address of Dask's scheduler; a cluster is started on this machine unless given.
    serving : tuple of str
        ``host:port`` of each TensorFlow Serving; the stand-in is started on this machine unless given.
    workers : mapping
        Arguments of :class:`distributed.LocalCluster` for workers on this machine.
    concurrency : int
        Rows of a partition in progress at a time.
    log : Path
        File for the stand-in's output.
    fetching : Fetching
        How missing images are fetched.
    """

    scheduler: str | None
    serving: tuple[str, ...]
    workers: Mapping[str, Any]
    fetching: Fetching
    concurrency: int = 64
    log: Path = Path(".inclinet/batch-serving.log")


def measure(request: BatchRequest, dask: OnDask, console: Console, say: Callable[[str], None]) -> Summary:
    """Fetch missing images, measure the rows without a result, and write the result.

    Raises
    ------
    BatchError
        The batch can't run or continue. Files already written stay.
    OSError
        A file could not be read or written.
    """
    if dask.scheduler is not None and not dask.serving:
        raise BatchError("Workers of a scheduler need --serving: the TensorFlow Serving that they can reach.")
    manifest = _release(dask.fetching.settings.manifest)
    request, found, imaging, write = run.begin(request, say)
    asking = found
    if imaging is None and not found.fetched and catalogue.roles(found, request.choice) & _ASK_THE_SKY:
        folder = storage.join(request.folder, FETCHED)
        galaxies.fetch(request, dask.fetching, console, say, into=folder)
        asking = replace(source.of_batch(folder), location=found.location, fingerprint=found.fingerprint)
    prepared = run.prepare(
        request,
        asking,
        rows=ROWS,
        settings=_settings(request, dask, manifest) | (imaging.identity if imaging else {}),
        release=lambda _known: manifest.release,
        say=say,
    )
    progress = prepared.progress(console, "Measuring", quiet=request.quiet)
    with storage.lock_folder(request.folder):
        if prepared.missing:
            job = Job(
                folder=prepared.folder,
                manifest=manifest,
                serving=dask.serving,
                source=replace(asking, files=()),
                request=request,
                imaging=imaging,
                fetching=dask.fetching,
                concurrency=dask.concurrency,
            )
            interrupts.run(_measure, dask, job, prepared, progress, say)
        return run.finish(request, prepared, progress, write)


def _settings(request: BatchRequest, dask: OnDask, manifest: Manifest) -> dict[str, Any]:
    settings = dask.fetching.settings
    return {
        "engine": "dask",
        **request.settings,
        **dask.fetching.archive(request).identity,
        "r": request.edge_on_r,
        "models": {model.name: model.version for model in manifest.models},
        # a new calibration is a new batch
        "manifest": partitions.digest_of(manifest.model_dump(mode="json", by_alias=True)),
        "limit of pixels": settings.max_pixels,
        "limit of bytes": settings.max_upload_bytes,
    }


async def _measure(dask: OnDask, job: Job, prepared: Prepared, progress: Progress, say: Callable[[str], None]) -> None:
    async with AsyncExitStack() as opened:
        watch: Callable[[], None] = _nothing
        if not job.serving:
            say("Starting the networks…")
            standin, watch = opened.enter_context(own_networks(dask.fetching.settings.manifest, dask.log, say))
            job = replace(job, serving=(standin.address,))
        client = await opened.enter_async_context(connected(dask.scheduler, dask.workers))
        say(f"{prepared.rows:,} rows in {len(prepared.partitions):,} partitions, {len(prepared.missing):,} to do.")
        say(f"Dashboard {client.dashboard_link}")
        opened.enter_context(progress)
        failures = await engine.run(client, job, prepared.missing, progress=progress, watch=watch)
    for number, why in sorted(failures.items()):
        say(f"Partition {number} is not written: {why}")


def _nothing() -> None:
    pass


def _release(path: Path) -> Manifest:
    try:
        return read_manifest(path)
    except (OSError, ValueError) as error:
        raise BatchError(f"The manifest {path} can't be read: {error}") from error
