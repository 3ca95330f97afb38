"""Sends the rows of partitions to a gateway: chooses the calls, repeats failed ones, and ends a run without hope."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, aclosing, closing
from functools import partial
from typing import TYPE_CHECKING, Any

from batch.errors import BatchError, BatchStopped
from batch.http.pacing import FailureKind, is_gateway_problem, kind_of, may_pass, sentence_of
from batch.run import run_partitions
from batch.settle import Outcome
from gateway.core import errors
from gateway.images.complete import complete_png
from inclinet import Answer, InclinetError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence

    from batch.http.pacing import Pacing
    from batch.imaging.cutter import Cutters
    from batch.inputs.images import Images
    from batch.outputs.partitions import Partition
    from batch.progress import Progress
    from batch.settle import Ask, Settler
    from gateway.core.models import Target
    from gateway.tables.cells.rows import Row
    from inclinet import AsyncInclinet

    Body = bytes | dict[str, Any]

_READ_AT_ONCE = 8


class OtherRelease(BatchStopped):
    """The gateway answers with another model release than that of the results so far."""


async def wait_for_gateway(client: AsyncInclinet, pacing: Pacing) -> str:
    """Wait until a gateway answers, and return its model release.

    Raises
    ------
    BatchError
        The gateway refuses, or does not answer for too long.
    """
    while True:
        try:
            release = await client.release()
        except InclinetError as error:
            if kind_of(error) in {FailureKind.REFUSED, FailureKind.TOO_MUCH}:
                raise _refused(client, error) from None
            pacing.failed(error)
            await pacing.wait()
        else:
            pacing.record_contact()
            return release


def _refused(client: AsyncInclinet, error: InclinetError) -> BatchError:
    return BatchError(f"The gateway at {client.url} can't be asked: {sentence_of(error)}.")


class HttpEngine:
    """Sends the rows of partitions to a gateway.

    Parameters
    ----------
    client : AsyncInclinet
    settler : Settler
    images : Images
        Images that rows name.
    params : mapping
        Parameters of every call: ``survey``, ``r``, ``frame``.
    pacing : Pacing
    release : str
        Release of the results so far.
    any_release : bool
        Whether one result may hold answers of different model releases.
    """

    def __init__(
        self,
        client: AsyncInclinet,
        settler: Settler,
        images: Images,
        *,
        params: Mapping[str, Any],
        pacing: Pacing,
        release: str,
        any_release: bool = False,
    ) -> None:
        self._client, self._settler, self._images, self._pacing = client, settler, images, pacing
        self._params, self._release, self._any_release = params, release, any_release
        self._most_rows: int | None = None

    async def run(
        self,
        partitions: Iterable[Partition],
        read: Callable[[Partition], list[Row]],
        progress: Progress,
        cutters: Cutters | None = None,
    ) -> None:
        """Measure partitions until each is done or has only rows left whose problems may pass.

        Parameters
        ----------
        partitions : iterable of Partition
            Partitions that are not done.
        read : callable
            Returns the rows of a partition.
        progress : Progress
        cutters : Cutters, optional
            Source of the cutters, which cut galaxies from images of the sky.

        Raises
        ------
        BatchError
            The gateway refuses, does not answer for too long, or has another release. Results so far are kept.
        OSError
            A partition could not be read or written.
        """
        self._check(await wait_for_gateway(self._client, self._pacing))

        async def asked(partition: Partition) -> None:
            rows = await asyncio.to_thread(read, partition)
            ask: Ask = self.ask
            with ExitStack() as opened:
                if cutters is not None:
                    cutter = opened.enter_context(closing(await asyncio.to_thread(cutters.cutter, rows)))
                    ask = cutter.asking(partial(self.ask, images=cutter))
                progress.finished(partition, await self._settler.settle(partition, rows, ask))

        await run_partitions(partitions, asked, progress, lambda: self._pacing.pace.concurrency)

    def _check(self, release: str) -> None:
        if release != self._release and not self._any_release:
            raise OtherRelease(
                f"The gateway answers with release {release}, and the results so far are of {self._release}."
            )

    async def ask(self, rows: Sequence[Row], images: Images | None = None) -> AsyncGenerator[Outcome]:
        """Ask about rows, targets and images in separate calls, and yield the outcomes.

        Parameters
        ----------
        rows : sequence of Row
        images : Images, optional
            Images that these rows name, if they differ from the engine's own.
        """
        for row in rows:
            if row.problem is not None:
                yield Outcome.of(row, row.problem)
        read = partial(_body, images or self._images)
        waiting = [row for row in rows if row.target is None and row.problem is None]
        bodies: list[tuple[Row, Body]] = [(row, _said(row.target)) for row in rows if row.target is not None]
        size = 0
        while bodies or waiting:
            # a call waits until there is enough to send or nothing left to read; targets and images need separate calls
            while waiting and (not bodies or 0 < size < self._pacing.pace.call_bytes):
                some, waiting = waiting[:_READ_AT_ONCE], waiting[_READ_AT_ONCE:]
                for row, body in zip(some, await asyncio.gather(*map(read, some)), strict=True):
                    if isinstance(body, errors.GatewayError):
                        yield Outcome.of(row, body)
                    else:
                        bodies.append((row, body))
                        size += len(body)
            async with aclosing(self._calls(bodies)) as outcomes:
                async for outcome in outcomes:
                    yield outcome
            bodies, size = [], 0

    async def _calls(self, asked: Sequence[tuple[Row, Body]]) -> AsyncGenerator[Outcome]:
        """Ask in as few calls as the gateway allows; halve a call that breaks until one row is left."""
        waiting = [list(asked)]
        while waiting:
            call = waiting.pop()
            if self._most_rows is not None and len(call) > self._most_rows:
                waiting.append(call[self._most_rows :])
                call = call[: self._most_rows]
            if not call:
                continue
            await self._pacing.wait()
            left = dict(call)
            try:
                async with aclosing(self._call(left)) as outcomes:
                    async for outcome in outcomes:
                        yield outcome
            except InclinetError as error:
                remaining = list(left.items())
                half = len(remaining) // 2
                kind = self._heard(error, half)
                if kind is FailureKind.AWAY or len(left) < len(call):
                    waiting.append(remaining)
                elif half:
                    waiting += [remaining[half:], remaining[:half]]
                else:
                    problem = f"The gateway did not answer on this row: {sentence_of(error)}."
                    cells = {"problem_type": error.slug, "problem": problem}
                    yield Outcome(remaining[0][0], cells, passes=kind is FailureKind.BROKEN)

    def _heard(self, error: InclinetError, half: int) -> FailureKind:
        """Reduce or delay further calls after a failed one; return its kind."""
        kind = kind_of(error)
        if kind is FailureKind.REFUSED:
            raise _refused(self._client, error) from None
        if kind is not FailureKind.TOO_MUCH:
            self._pacing.failed(error)
        elif half:
            self._most_rows = half
        return kind

    async def _call(self, left: dict[Row, Body]) -> AsyncGenerator[Outcome]:
        """Make one call; remove rows with a result from ``left``, and leave rows without one."""
        rows = list(left)
        untold: InclinetError | None = None
        passing: InclinetError | None = None
        answered = 0
        async with aclosing(self._client.stream(list(left.values()), **self._params)) as results:
            async for place, result in results:
                if isinstance(result, Answer):
                    self._check(result.release)
                    outcome = Outcome(rows[place], result.row())
                elif is_gateway_problem(result):
                    untold = result
                    continue
                else:
                    cells = {"problem_type": result.slug, "problem": result.detail}
                    outcome = Outcome(rows[place], cells, passes=may_pass(result))
                    passing = result if outcome.passes else passing
                del left[rows[place]]
                if not outcome.passes:
                    answered += 1
                    self._pacing.answered()
                yield outcome
        if untold is not None:
            raise untold
        if passing is not None and not answered and len(rows) > 1:
            # when a call could answer none of its rows, the next rows would fail too
            self._pacing.failed(passing)


def _said(target: Target) -> dict[str, Any]:
    """Return a target in the API's JSON."""
    said = {
        "pgc": target.pgc,
        "name": target.name,
        "ra": target.ra,
        "dec": target.dec,
        "fov": target.fov_arcmin,
        "pa": target.position_angle_deg,
    }
    return {name: value for name, value in said.items() if value is not None}


async def _body(images: Images, row: Row) -> bytes | errors.GatewayError:
    """Return the file of a row's image; for decoded pixels, a PNG."""
    try:
        image = await images.read(row.file or "")
    except errors.GatewayError as problem:
        return problem
    return image if isinstance(image, bytes) else await asyncio.to_thread(complete_png, image)
