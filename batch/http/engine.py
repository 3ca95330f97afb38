"""Asks a gateway about partitions: what is sent in one call, what again, and when to give up."""

from __future__ import annotations

import asyncio
import io
import itertools
from contextlib import ExitStack, aclosing, closing
from functools import partial
from typing import TYPE_CHECKING

from PIL import Image

from batch.errors import BatchError, BatchStopped
from batch.http.gateway import CallFailed, Kind, Standing
from batch.run import each
from batch.settle import Outcome
from gateway.core import errors

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from batch.http.gateway import Gateway
    from batch.http.pacing import Pacing
    from batch.imaging.imaging import SkyImages
    from batch.inputs.images import Images
    from batch.outputs.partitions import Partition
    from batch.progress import Progress
    from batch.settle import Settler
    from gateway.core.models import Target
    from gateway.tables.cells.rows import Row

_BREAKS = 3
_READ_AT_ONCE = 8


class OtherRelease(BatchStopped):
    """The gateway answers with another model release than gave the results so far."""


async def met(gateway: Gateway, pacing: Pacing) -> str:
    """Wait for a gateway and return its model release.

    Raises
    ------
    BatchError
        It refuses, or is gone for too long.
    """
    while True:
        try:
            release = await gateway.release()
        except CallFailed as failure:
            if failure.kind in {Kind.REFUSED, Kind.TOO_MUCH}:
                raise BatchError(_refused(gateway, failure)) from None
            pacing.failed(failure.sentence, failure.retry_after_s)
            await pacing.wait()
        else:
            pacing.met()
            return release


def _refused(gateway: Gateway, failure: CallFailed) -> str:
    return f"The gateway at {gateway.url} can't be asked: {failure.sentence}."


class HttpEngine:
    """Asks a gateway about the rows of partitions.

    Parameters
    ----------
    gateway : Gateway
    settler : Settler
    images : Images
        Those that rows name.
    pacing : Pacing
    release : str
        Of the results so far.
    any_release : bool
        Whether answers of different model releases may stand in one result.
    """

    def __init__(
        self,
        gateway: Gateway,
        settler: Settler,
        images: Images,
        *,
        pacing: Pacing,
        release: str,
        any_release: bool = False,
    ) -> None:
        self._gateway, self._settler, self._images, self._pacing = gateway, settler, images, pacing
        self._release, self._any_release = release, any_release
        self._most_rows: int | None = None

    async def run(
        self,
        partitions: Iterable[Partition],
        read: Callable[[Partition], list[Row]],
        progress: Progress,
        imaging: SkyImages | None = None,
    ) -> None:
        """Ask about partitions until each is done or has only rows left whose problems may pass.

        Parameters
        ----------
        partitions : iterable of Partition
            Those that are not done.
        read : callable
            Returns the rows of a partition.
        progress : Progress
        imaging : SkyImages, optional
            The images of the sky that galaxies are cut from.

        Raises
        ------
        BatchError
            The gateway refuses, is gone for too long, or has another release. Results that had come are kept.
        OSError
            A partition could not be read or written.
        """
        self._check(await met(self._gateway, self._pacing))

        async def asked(partition: Partition) -> None:
            rows = await asyncio.to_thread(read, partition)
            ask = self.ask
            with ExitStack() as opened:
                if imaging is not None:
                    cutter = opened.enter_context(closing(await asyncio.to_thread(imaging.cutter, rows)))
                    ask = cutter.asking(partial(self.ask, images=cutter))
                progress.finished(partition, await self._settler.settle(partition, rows, ask))

        await each(partitions, asked, progress, lambda: self._pacing.pace.concurrency)

    def _check(self, release: str) -> None:
        if release != self._release and not self._any_release:
            raise OtherRelease(
                f"The gateway answers with release {release}, and the results so far are of {self._release}."
            )

    async def ask(self, rows: Sequence[Row], images: Images | None = None) -> AsyncGenerator[Outcome]:
        """Ask about rows, targets and images apart, and yield what becomes of them.

        Parameters
        ----------
        rows : sequence of Row
        images : Images, optional
            Those that these rows name, if they are others than all name.
        """
        read = partial(_body, images or self._images)
        for row in rows:
            if row.problem is not None:
                yield Outcome.of(row, row.problem)
        targets: list[tuple[Row, Target | bytes]] = [(row, row.target) for row in rows if row.target is not None]
        async with aclosing(self._calls(targets)) as outcomes:
            async for outcome in outcomes:
                yield outcome
        waiting = iter([row for row in rows if row.target is None and row.problem is None])
        while some := list(itertools.islice(waiting, _READ_AT_ONCE)):
            bodies: list[tuple[Row, Target | bytes]] = []
            size = 0
            # no call before there is enough to send, or nothing more to read
            while some:
                for row, body in zip(some, await asyncio.gather(*map(read, some)), strict=True):
                    if isinstance(body, errors.GatewayError):
                        yield Outcome.of(row, body)
                    else:
                        bodies.append((row, body))
                        size += len(body)
                some = [] if size >= self._pacing.pace.call_bytes else list(itertools.islice(waiting, _READ_AT_ONCE))
            async with aclosing(self._calls(bodies)) as outcomes:
                async for outcome in outcomes:
                    yield outcome

    async def _calls(self, asked: Sequence[tuple[Row, Target | bytes]]) -> AsyncGenerator[Outcome]:
        """Ask in as few calls as the gateway takes; what breaks it again and again is cut until one row is left."""
        waiting: list[list[tuple[Row, Target | bytes]]] = [list(asked)]
        breaks = 0
        while waiting:
            call = waiting.pop()
            if not call:
                continue
            if self._most_rows is not None and len(call) > self._most_rows:
                waiting.append(call[self._most_rows :])
                call = call[: self._most_rows]
            await self._pacing.wait()
            left = dict(call)
            try:
                async with aclosing(self._call(left)) as outcomes:
                    async for outcome in outcomes:
                        yield outcome
                breaks = 0
            except CallFailed as failure:
                remaining = list(left.items())
                breaks = 0 if len(left) < len(call) else breaks + 1
                half = len(remaining) // 2
                if failure.kind is Kind.REFUSED:
                    raise BatchError(_refused(self._gateway, failure)) from None
                if failure.kind is Kind.TOO_MUCH and half:
                    self._most_rows = half
                    waiting.append(remaining)
                elif failure.kind is Kind.AWAY or (failure.kind is Kind.BROKEN and breaks < _BREAKS):
                    self._pacing.failed(failure.sentence, failure.retry_after_s)
                    waiting.append(remaining)
                elif half:
                    breaks = 1
                    waiting += [remaining[half:], remaining[:half]]
                else:
                    problem = f"The gateway did not answer on this row: {failure.sentence}."
                    cells = {"problem_type": failure.problem_type, "problem": problem}
                    yield Outcome(remaining[0][0], cells, passes=failure.kind is Kind.BROKEN)

    async def _call(self, left: dict[Row, Target | bytes]) -> AsyncGenerator[Outcome]:
        """Make one call; takes the rows with a result from ``left``, and leaves those that nothing was said of."""
        rows = list(left)
        untold, passing, answered = "", "", 0
        async with aclosing(self._gateway.ask(list(left.values()))) as results:
            async for place, cells, standing in results:
                if release := cells.get("release"):
                    self._check(release)
                if standing is Standing.GATEWAY:
                    untold = str(cells["problem"])
                    continue
                del left[rows[place]]
                if standing is Standing.FINAL:
                    answered += 1
                    self._pacing.answered()
                else:
                    passing = str(cells["problem"])
                yield Outcome(rows[place], cells, passes=standing is Standing.PASSING)
        if untold:
            raise CallFailed(Kind.AWAY, untold)
        if passing and not answered and len(rows) > 1:
            # when not one row of a call could be answered, the next rows can't be either
            self._pacing.failed(passing)


async def _body(images: Images, row: Row) -> bytes | errors.GatewayError:
    """Return the file of a row's image; of one that is decoded already, a PNG."""
    try:
        image = await images.read(row.file or "")
    except errors.GatewayError as problem:
        return problem
    return image if isinstance(image, bytes) else await asyncio.to_thread(_png, image)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    written = io.BytesIO()
    # to deflate more takes longer than to send
    Image.fromarray(pixels).save(written, "PNG", compress_level=1)
    return written.getvalue()
