"""A batch that is measured by a gateway over HTTP."""

from __future__ import annotations

from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from batch import run, storage
from batch.errors import BatchError
from batch.http.engine import HttpEngine, wait_for_gateway
from batch.http.pacing import Pace, Pacing
from batch.inputs.images import Files
from batch.inputs.source import Form
from batch.settle import Patience, Settler
from gateway.core import interrupts
from gateway.core.models import FrameChoice
from inclinet import AsyncInclinet, InclinetError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from batch.imaging.imaging import SkyImages
    from batch.progress import Progress
    from batch.request import BatchRequest
    from batch.run import Prepared
    from batch.summary import Summary

ROWS = 100
"""Rows of a partition, which are sent in one call unless their images are too large for one."""

_MOST_BYTES = 500_000_000
_READS_AT_ONCE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """Address and limits of the gateway.

    Attributes
    ----------
    url : str
        URL of the gateway.
    timeout_s : float
        Time without any data after which a call counts as lost, seconds.
    pace : Pace
        Limits of the calls.
    attempts : int
        Most attempts for a row whose problem may pass.
    any_release : bool
        Whether one result may hold answers of different model releases.
    """

    url: str
    timeout_s: float = 180.0
    pace: Pace = field(default_factory=Pace)
    attempts: int = 3
    any_release: bool = False


def measure(request: BatchRequest, http: Http, console: Console, say: Callable[[str], None]) -> Summary:
    """Measure the rows without a result by the gateway, and write the result.

    Raises
    ------
    BatchError
        The batch can't run or continue. Files already written stay.
    OSError
        A file could not be read or written.
    """
    request, found, imaging, write = run.begin(request, say)
    if found.form is Form.PIXELS:
        raise BatchError("Model inputs as .npy can't be sent to a gateway: measure them with --dask.")
    if found.fetched:
        raise BatchError("A gateway fetches its images by itself: measure the folder of a fetch with --dask.")
    prepared = run.prepare(
        request,
        found,
        rows=ROWS,
        settings={"engine": "http", **request.settings, **(imaging.identity if imaging else {})},
        release=lambda known: known or interrupts.run(_release, http),
        say=say,
    )
    with storage.lock_folder(request.folder), prepared.progress(console, "Asking", quiet=request.quiet) as progress:
        if prepared.missing:
            interrupts.run(_measure, request, http, prepared, progress, imaging)
    return run.finish(request, prepared, progress, write)


def _client(http: Http) -> AsyncInclinet:
    try:
        # the pacing decides about retries
        return AsyncInclinet(http.url, timeout=http.timeout_s, pictures=False, retry=False)
    except InclinetError as error:
        raise BatchError(error.detail) from None


async def _release(http: Http) -> str:
    async with _client(http) as client:
        return await wait_for_gateway(client, Pacing(http.pace, http.url))


async def _measure(
    request: BatchRequest, http: Http, prepared: Prepared, progress: Progress, imaging: SkyImages | None
) -> None:
    patience = Patience(
        http.attempts,
        rounds=http.attempts,
        first_pause_s=http.pace.backoff_s,
        longest_pause_s=http.pace.longest_backoff_s,
    )
    async with AsyncExitStack() as opened:
        files = Files(prepared.source.base, largest_bytes=_MOST_BYTES, at_once=_READS_AT_ONCE)
        images = opened.enter_context(closing(files))
        cutters = None if imaging is None else opened.enter_context(closing(imaging.cutters()))
        client = await opened.enter_async_context(_client(http))
        engine = HttpEngine(
            client,
            Settler(prepared.folder, patience, ROWS, accept_unanswered=False, tell=progress.rows_settled),
            images,
            # a galaxy cut by its position on the sky is already framed
            params={
                "survey": request.survey,
                "r": request.r,
                "frame": request.frame if imaging is None else FrameChoice.WHOLE,
            },
            pacing=Pacing(http.pace, http.url, progress),
            release=prepared.folder.about["release"],
            any_release=http.any_release,
        )
        await engine.run(prepared.missing, prepared.read(request.choice), progress, cutters)
