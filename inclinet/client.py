"""The clients: :class:`Inclinet`, and :class:`AsyncInclinet`, the same with ``await``."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Awaitable
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar

from inclinet import errors
from inclinet.answers.answer import Answer
from inclinet.http import questions, wire
from inclinet.queries import Queries

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    import httpx

    from inclinet.answers.table import AnswerTable
    from inclinet.http.questions import Question

_Result = TypeVar("_Result")


class Inclinet(Queries[Answer, "AnswerTable", str]):
    """A client of the service.

    Parameters
    ----------
    url : str, optional
        URL of the gateway; the environment's ``INCLINET_URL``, else ``http://127.0.0.1:8080``.
    key : str, optional
        API key, where the gateway requires one; the environment's ``INCLINET_API_KEY`` unless given.
    timeout : float
        Time limit of a question, seconds, with all waiting; for a table, the longest time without a row.
    pictures : bool
        Whether answers include the survey's cutout and the networks' input, for :meth:`Answer.plot` and notebooks.
    retry : bool
        Whether to repeat a question to a busy gateway (429, 503) within the timeout, after the time that it requests.

    Raises
    ------
    inclinet.errors.NotAGateway
        ``url`` is no address, or its proxy in the environment can't be used.

    Examples
    --------
    >>> from inclinet import Inclinet
    >>> inclinet = Inclinet()
    >>> inclinet.query_object("NGC 7331").inclination
    <Quantity 70.1 deg>
    """

    def _open(self, transport: dict[str, Any], **settings: Any) -> httpx.Client:
        from httpx import Client, HTTPTransport

        client = Client(transport=HTTPTransport(**transport), **settings)
        # a notebook does not close its client
        weakref.finalize(self, client.close)
        return client

    def _ask(self, question: Question, read: Callable[[httpx.Response], _Result]) -> _Result:
        time_left = wire.TimeLeft(self.timeout, retry=self._retry)
        while True:
            try:
                with wire.connection_errors(self.url):
                    return read(self._http.request(**question.request, timeout=time_left.seconds))
            except errors.InclinetError as error:
                time.sleep(time_left.wait_s(error))

    def _gather(self, question: Question, *, progress: bool) -> AnswerTable:
        time_left = wire.TimeLeft(self.timeout, retry=self._retry)
        while True:
            try:
                with wire.connection_errors(self.url), self._http.stream(**question.request) as response:
                    if not response.is_success:
                        response.read()
                    results = wire.Results(response, self.url)
                    with _bar(results.total, shown=progress) as advance:
                        for line in response.iter_lines():
                            results.read(line)
                            advance()
                    return results.table()
            except errors.InclinetError as error:
                time.sleep(time_left.wait_s(error))

    @classmethod
    @contextmanager
    def local(cls, manifest: str | Path | None = None, *, timeout: float = 180.0) -> Iterator[Self]:
        """Start the networks and a gateway on this machine, and stop them with the ``with`` block.

        Parameters
        ----------
        manifest : path, optional
            The ``manifest.json`` of a model release, with the networks beside it; the environment's
            ``INCLINET_MANIFEST``, else ``model_repo/manifest.json`` below the working folder.
        timeout : float
            Time limit of the start, seconds.

        Yields
        ------
        Inclinet
            A client of that gateway. Names and positions are resolved by the public catalogues, as usual; images need
            no network connection.

        Raises
        ------
        inclinet.errors.ServiceMissing
            ``inclinet-service[serving]`` is not installed, or does not start; the message tells which.

        Examples
        --------
        >>> with Inclinet.local() as inclinet:
        ...     print(inclinet.query_image("galaxy.jpg").inclination)
        66.87 deg
        """
        from inclinet.local import service

        with service(manifest, timeout_s=timeout) as url, cls(url) as client:
            yield client

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncInclinet(Queries[Awaitable[Answer], "Awaitable[AnswerTable]", Awaitable[str]]):
    """An asynchronous client of the service; parameters and questions are those of :class:`Inclinet`.

    Examples
    --------
    >>> import asyncio
    >>> from inclinet import AsyncInclinet
    >>> async def both():
    ...     async with AsyncInclinet() as inclinet:
    ...         return await asyncio.gather(inclinet.query_object("NGC 7331"), inclinet.query_object("NGC 628"))
    >>> [answer.inclination for answer in asyncio.run(both())]
    [<Quantity 70.1 deg>, <Quantity 33.8 deg>]
    """

    def _open(self, transport: dict[str, Any], **settings: Any) -> httpx.AsyncClient:
        from httpx import AsyncClient, AsyncHTTPTransport

        return AsyncClient(transport=AsyncHTTPTransport(**transport), **settings)

    async def _ask(self, question: Question, read: Callable[[httpx.Response], _Result]) -> _Result:
        time_left = wire.TimeLeft(self.timeout, retry=self._retry)
        while True:
            try:
                with wire.connection_errors(self.url):
                    return read(await self._http.request(**question.request, timeout=time_left.seconds))
            except errors.InclinetError as error:
                await asyncio.sleep(time_left.wait_s(error))

    async def _gather(self, question: Question, *, progress: bool) -> AnswerTable:
        time_left = wire.TimeLeft(self.timeout, retry=self._retry)
        while True:
            try:
                async with self._results(question) as (results, lines):
                    with _bar(results.total, shown=progress) as advance:
                        async for line in lines:
                            results.read(line)
                            advance()
                    return results.table()
            except errors.InclinetError as error:
                await asyncio.sleep(time_left.wait_s(error))

    @asynccontextmanager
    async def _results(
        self, question: Question, total: int | None = None
    ) -> AsyncIterator[tuple[wire.Results, AsyncIterator[str]]]:
        with wire.connection_errors(self.url):
            async with self._http.stream(**question.request) as response:
                if not response.is_success:
                    await response.aread()
                yield wire.Results(response, self.url, total), response.aiter_lines()

    async def stream(
        self, asked: Sequence[Mapping[str, Any] | bytes], **params: Any
    ) -> AsyncGenerator[tuple[int, Answer | errors.InclinetError]]:
        """Send targets or images in one call, and yield the results in order of completion.

        A failed call is not repeated; the caller decides about it.

        Parameters
        ----------
        asked : sequence of mapping, or of bytes
            Targets in the API's JSON, such as ``{"pgc": 2557}`` or ``{"ra": 10.68, "dec": 41.27, "fov": 4}``, or
            images; all of one kind.
        **params
            Parameters for all of them: ``survey``, ``frame``, ``r``.

        Yields
        ------
        place : int
            Index in ``asked``.
        result : Answer or InclinetError

        Raises
        ------
        inclinet.errors.InclinetError
            The call failed, or ended early. Results yielded before are valid.
        """
        async with self._results(questions.by_many(asked, **params), len(asked)) as (results, lines):
            async for line in lines:
                yield results.read(line)
            results.finish()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


@contextmanager
def _bar(total: int | None, *, shown: bool) -> Iterator[Callable[[], None]]:
    """Show the number of rows received; yields the function to call for each row."""
    if not shown:
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Measuring", total=total)
        yield lambda: progress.advance(task)
