"""The clients: :class:`Inclinet`, and :class:`AsyncInclinet`, which is the same with ``await``."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from inclinet import errors, questions, wire
from inclinet.answer import Answer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    import httpx
    from astropy.coordinates import SkyCoord
    from astropy.table import QTable
    from astropy.units import Quantity

    from inclinet.questions import Question

DEFAULT_URL = "http://127.0.0.1:8080"
URL_VARIABLE, KEY_VARIABLE = "INCLINET_URL", "INCLINET_API_KEY"
CONNECT_TIMEOUT_S = 10.0
KEEPALIVE_S = 1.0
"""A server that closes an idle connection in the moment that it is used again looks like one that fails."""

_Answer = TypeVar("_Answer")
_Table = TypeVar("_Table")
_Text = TypeVar("_Text")
_Result = TypeVar("_Result")


class Questions(Generic[_Answer, _Table, _Text]):
    """The questions, the same for both clients; what sends them is theirs."""

    def __init__(
        self, url: str | None = None, *, key: str | None = None, timeout: float = 60.0, pictures: bool = True, retry: bool = True
    ) -> None:
        self.url = (url or os.environ.get(URL_VARIABLE, "") or DEFAULT_URL).rstrip("/")
        self.timeout = timeout
        self._pictures, self._retry = pictures, retry
        # httpx takes 0.3 s, which `import inclinet` is not to cost
        import httpx  # noqa: PLC0415

        from inclinet import proxies  # noqa: PLC0415 - as above

        key = os.environ.get(KEY_VARIABLE, "").strip() if key is None else key
        try:
            proxy = proxies.from_environment().of(self.url)
        except proxies.ProxyUnusable as error:
            raise errors.NotAGateway(str(error)) from None
        with wire.told(self.url):
            self._http: Any = self._open(
                {"proxy": proxy, "limits": httpx.Limits(max_connections=None, keepalive_expiry=KEEPALIVE_S)},
                base_url=self.url,
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT_S)),
            )

    def _open(self, transport: dict[str, Any], **settings: Any) -> Any:
        raise NotImplementedError

    def _ask(self, question: Question, read: Callable[[httpx.Response], Any]) -> Any:
        raise NotImplementedError

    def _gather(self, question: Question, *, progress: bool) -> Any:
        raise NotImplementedError

    def ask(self, question: Question) -> _Answer:
        """Ask a question that :mod:`inclinet.questions` made."""
        answer: _Answer = self._ask(question.showing(pictures=self._pictures), wire.reader(self.url))
        return answer

    def query_object(
        self, name: str, *, fov: Quantity | None = None, survey: str | None = None, r: float | None = None
    ) -> _Answer:
        """Measure a galaxy by its name, on the survey's image of it.

        Parameters
        ----------
        name : str
            A common name or a designation in any usual spelling, such as ``"NGC 7331"``.
        fov : Quantity, optional
            Side of the field; 1.5 times the galaxy's diameter unless given.
        survey : str, optional
            Survey to take the image from: ``sdss``, ``panstarrs``, ``legacy``, ``dss2``; else the gateway's choice.
        r : float, optional
            Axis ratio of an edge-on disc, for the comparison with the ellipticity; 0.3 unless given.

        Returns
        -------
        Answer

        Raises
        ------
        inclinet.errors.UnknownTarget
            No single galaxy of that name is known; ``extra["suggestions"]`` may name the nearest.
        inclinet.errors.InclinetError
            Another reason why there is no answer.

        Examples
        --------
        >>> Inclinet().query_object("NGC 7331").inclination  # doctest: +SKIP
        <Quantity 70.1 deg>
        """
        return self.ask(questions.by_name(name, fov=questions.in_unit(fov, "arcmin"), survey=survey, r=r))

    def query_pgc(
        self, number: int, *, fov: Quantity | None = None, survey: str | None = None, r: float | None = None
    ) -> _Answer:
        """Measure a galaxy by its number in the Principal Galaxies Catalogue, on the survey's image of it.

        Parameters
        ----------
        number : int
            Such as 69327.
        fov, survey, r
            As for :meth:`query_object`.

        Returns
        -------
        Answer

        Raises
        ------
        inclinet.errors.InclinetError

        Examples
        --------
        >>> Inclinet().query_pgc(69327).galaxy.name  # doctest: +SKIP
        'NGC 7331'
        """
        return self.ask(questions.by_pgc(number, fov=questions.in_unit(fov, "arcmin"), survey=survey, r=r))

    def query_region(
        self,
        coordinates: SkyCoord,
        *,
        fov: Quantity | None = None,
        pa: Quantity | None = None,
        survey: str | None = None,
        r: float | None = None,
    ) -> _Answer:
        """Measure the galaxy at a position, on the survey's image of it.

        Parameters
        ----------
        coordinates : SkyCoord
            One position in any frame that astropy turns into ICRS.
        fov : Quantity, optional
            Side of the field; from the size of the catalogued galaxy there unless given.
        pa : Quantity, optional
            Position angle of the major axis, east of north; the catalogue's unless given.
        survey, r
            As for :meth:`query_object`.

        Returns
        -------
        Answer

        Raises
        ------
        TypeError
            An angle without a unit, or several positions: those are a table for :meth:`query_table`.
        inclinet.errors.InclinetError

        Examples
        --------
        >>> from astropy import units as u
        >>> from astropy.coordinates import SkyCoord
        >>> place = SkyCoord(339.267 * u.deg, 34.4156 * u.deg)
        >>> Inclinet().query_region(place, fov=14 * u.arcmin)  # doctest: +SKIP
        <Answer NGC 7331: 70.1 deg, 68 % within 68.2 to 72.0, release 2026.3>
        """
        angles = {"fov": questions.in_unit(fov, "arcmin"), "pa": questions.in_unit(pa, "deg")}
        return self.ask(questions.by_position(coordinates, **angles, survey=survey, r=r))

    def query_image(
        self,
        image: Any,
        *,
        frame: str | None = None,
        x: float | None = None,
        y: float | None = None,
        side: float | None = None,
        r: float | None = None,
    ) -> _Answer:
        """Measure the galaxy in an image.

        Parameters
        ----------
        image : path, bytes, file, PIL image, array or FITS HDU
            A file of JPEG, PNG, GIF, TIFF, WebP or FITS, by its path or its bytes; an array ``[H, W]`` or ``[H, W, 3]``
            whose first row is the uppermost, of 8 bits for a finished picture, of any other type for measured pixels;
            an HDU or HDUList.
        frame : {"auto", "whole"}, optional
            Measure a frame around a galaxy that is small or off centre, or the whole image; ``auto`` unless given.
        x, y : float, optional
            Where the galaxy is: pixels from the left and the top of the upright image.
        side : float, optional
            Side of the square around that place, pixels; from the galaxy's size unless given.
        r
            As for :meth:`query_object`.

        Returns
        -------
        Answer

        Raises
        ------
        TypeError
            ``image`` is none of these.
        OSError
            The file can't be read.
        inclinet.errors.ImageError
            The image can't be used.
        inclinet.errors.InclinetError

        Examples
        --------
        >>> Inclinet().query_image("galaxy.jpg", frame="whole").rejection  # doctest: +SKIP
        0.0185
        """
        return self.ask(questions.by_image(image, frame=frame, x=x, y=y, side=side, r=r))

    def query_table(
        self,
        table: Any,
        *,
        columns: Mapping[str, str] | None = None,
        survey: str | None = None,
        frame: str | None = None,
        r: float | None = None,
        progress: bool = False,
    ) -> _Table:
        """Measure every row of a table of galaxies.

        Parameters
        ----------
        table : Table or path
            Columns with names, PGC numbers or positions, in the spellings of the usual catalogues, in an astropy Table
            or a file of CSV, ECSV, VOTable, FITS or Parquet. A gateway takes 10 000 rows at once unless it is set
            otherwise; ``inclinet batch`` measures tables of any length.
        columns : mapping, optional
            Which column is which, where its name does not say so, such as ``{"ra": "ALPHA", "dec": "DELTA"}``.
        survey, frame, r
            As for :meth:`query_object` and :meth:`query_image`.
        progress : bool
            Show a bar on standard error.

        Returns
        -------
        astropy.table.QTable
            One row for each, in the order of ``table``, with the columns of the API's own tables (``inclination_deg``,
            ``interval68_low_deg`` ...), units, descriptions, and UCDs in ``info.meta``. Numbers that are missing are
            masked; a row without an answer says why in ``problem_type`` and ``problem``. ``meta`` holds ``release``,
            ``service``, ``columns`` (which column was taken for what) and ``warnings`` of how the table was read.

        Raises
        ------
        TypeError
            ``table`` is neither.
        OSError
            The file can't be read.
        inclinet.errors.TableError
            The table can't be read, or has too many rows.
        inclinet.errors.InclinetError

        Examples
        --------
        >>> result = Inclinet().query_table("catalogue.fits", progress=True)  # doctest: +SKIP
        >>> result["inclination_deg"][result["problem_type"] == ""]  # doctest: +SKIP
        <Quantity [70.1, 33.8] deg>
        """
        question = questions.by_table(table, columns or {}, survey=survey, frame=frame, r=r)
        gathered: _Table = self._gather(question, progress=progress)
        return gathered

    def release(self) -> _Text:
        """Return the model release that answers.

        Raises
        ------
        inclinet.errors.InclinetError
        """
        release: _Text = self._ask(questions.Question("GET", "/api/models"), wire.release_reader(self.url))
        return release

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}>"


class Inclinet(Questions[Answer, "QTable", str]):
    """A client of the service.

    Parameters
    ----------
    url : str, optional
        Where the gateway is; the environment's ``INCLINET_URL``, else ``http://127.0.0.1:8080``.
    key : str, optional
        Shown to a gateway that answers holders of a key only; the environment's ``INCLINET_API_KEY`` unless given.
    timeout : float
        Seconds for a question, all waiting included; for a table the longest silence.
    pictures : bool
        Let answers carry the survey's cutout and what the networks saw, for :meth:`Answer.plot` and notebooks.
    retry : bool
        Ask a gateway that is busy (429, 503) again within the timeout, after the time that it says.

    Raises
    ------
    inclinet.errors.NotAGateway
        ``url`` is no address, or the environment names a proxy for it that can't be used.

    Examples
    --------
    >>> from inclinet import Inclinet
    >>> inclinet = Inclinet("http://127.0.0.1:8080")
    >>> inclinet.query_object("NGC 7331").inclination  # doctest: +SKIP
    <Quantity 70.1 deg>
    """

    def _open(self, transport: dict[str, Any], **settings: Any) -> httpx.Client:
        from httpx import Client, HTTPTransport  # noqa: PLC0415 - as above

        return Client(transport=HTTPTransport(**transport), **settings)

    def _ask(self, question: Question, read: Callable[[httpx.Response], _Result]) -> _Result:
        patience = wire.Patience(self.timeout, retry=self._retry)
        while True:
            try:
                with wire.told(self.url):
                    return read(self._http.request(**question.request, timeout=patience.left_s))
            except errors.InclinetError as error:
                time.sleep(patience.wait_s(error))

    def _gather(self, question: Question, *, progress: bool) -> QTable:
        patience = wire.Patience(self.timeout, retry=self._retry)
        while True:
            try:
                with wire.told(self.url), self._http.stream(**question.request) as response:
                    if not response.is_success:
                        response.read()
                    results = wire.Results(response, self.url)
                    with _bar(results.total, shown=progress) as advance:
                        for line in response.iter_lines():
                            results.read(line)
                            advance()
                    return results.table()
            except errors.InclinetError as error:
                time.sleep(patience.wait_s(error))

    @classmethod
    @contextmanager
    def local(cls, manifest: str | Path | None = None, *, timeout: float = 180.0) -> Iterator[Self]:
        """Start the networks and a gateway on this machine, and end them with the ``with`` block.

        Parameters
        ----------
        manifest : path, optional
            The ``manifest.json`` of a model release, with the networks beside it; the environment's
            ``INCLINET_MANIFEST``, else ``model_repo/manifest.json`` below the working folder.
        timeout : float
            Seconds for all of it to start.

        Yields
        ------
        Inclinet
            A client of that gateway. Names and positions are resolved by the public catalogues, as ever; images need
            no network.

        Raises
        ------
        inclinet.errors.ServiceMissing
            ``inclinet-service[serving]`` is not installed, or does not start; the sentence says which.

        Examples
        --------
        >>> with Inclinet.local() as inclinet:  # doctest: +SKIP
        ...     print(inclinet.query_image("galaxy.jpg").inclination)
        66.87 deg
        """
        from inclinet.local import service  # noqa: PLC0415 - most clients ask elsewhere

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


class AsyncInclinet(Questions[Awaitable[Answer], "Awaitable[QTable]", Awaitable[str]]):
    """A client of the service whose questions are awaited; parameters and questions are those of :class:`Inclinet`.

    Examples
    --------
    >>> async def both():
    ...     async with AsyncInclinet() as inclinet:
    ...         return await asyncio.gather(inclinet.query_object("M31"), inclinet.query_object("M33"))
    >>> asyncio.run(both())  # doctest: +SKIP
    """

    def _open(self, transport: dict[str, Any], **settings: Any) -> httpx.AsyncClient:
        from httpx import AsyncClient, AsyncHTTPTransport  # noqa: PLC0415 - as above

        return AsyncClient(transport=AsyncHTTPTransport(**transport), **settings)

    async def _ask(self, question: Question, read: Callable[[httpx.Response], _Result]) -> _Result:
        patience = wire.Patience(self.timeout, retry=self._retry)
        while True:
            try:
                with wire.told(self.url):
                    return read(await self._http.request(**question.request, timeout=patience.left_s))
            except errors.InclinetError as error:
                await asyncio.sleep(patience.wait_s(error))

    async def _gather(self, question: Question, *, progress: bool) -> QTable:
        patience = wire.Patience(self.timeout, retry=self._retry)
        while True:
            try:
                async with self._results(question) as (results, lines):
                    with _bar(results.total, shown=progress) as advance:
                        async for line in lines:
                            results.read(line)
                            advance()
                    return results.table()
            except errors.InclinetError as error:
                await asyncio.sleep(patience.wait_s(error))

    @asynccontextmanager
    async def _results(
        self, question: Question, total: int | None = None
    ) -> AsyncIterator[tuple[wire.Results, AsyncIterator[str]]]:
        with wire.told(self.url):
            async with self._http.stream(**question.request) as response:
                if not response.is_success:
                    await response.aread()
                yield wire.Results(response, self.url, total), response.aiter_lines()

    async def stream(
        self, asked: Sequence[Mapping[str, Any] | bytes], **params: Any
    ) -> AsyncGenerator[tuple[int, Answer | errors.InclinetError]]:
        """Ask about targets, or about images, in one call, and yield results in the order in which they come.

        It asks once: what to do about a call that fails is the caller's.

        Parameters
        ----------
        asked : sequence of mapping, or of bytes
            Targets as the API writes them (``{"pgc": 2557}``, ``{"name": ...}``, ``{"ra": ..., "dec": ..., "fov": ...}``),
            or images; all of one kind.
        **params
            ``survey``, ``frame``, ``r``, for all of them.

        Yields
        ------
        place : int
            Of what was asked.
        result : Answer or InclinetError

        Raises
        ------
        inclinet.errors.InclinetError
            The call failed, or ended early. What was yielded before stands.
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
    """Show how many rows have come; yields what is called for each."""
    if not shown:
        yield lambda: None
        return
    from rich.console import Console  # noqa: PLC0415 - most questions show none
    from rich.progress import Progress  # noqa: PLC0415 - as above

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("Measuring", total=total)
        yield lambda: progress.advance(task)
