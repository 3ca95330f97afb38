"""The questions that a client of the service can ask."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from inclinet import errors
from inclinet.http import questions, wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import httpx
    from astropy.coordinates import SkyCoord
    from astropy.units import Quantity

    from inclinet.http.questions import Question

DEFAULT_URL = "http://127.0.0.1:8080"
URL_VARIABLE, KEY_VARIABLE = "INCLINET_URL", "INCLINET_API_KEY"
CONNECT_TIMEOUT_S = 10.0
KEEPALIVE_S = 1.0
"""Idle time after which a connection is closed, before the server's own close could fail a request, seconds."""

_Answer = TypeVar("_Answer")
_Table = TypeVar("_Table")
_Text = TypeVar("_Text")


class Queries(ABC, Generic[_Answer, _Table, _Text]):
    """The questions of both clients, which differ in how they send a request."""

    def __init__(
        self,
        url: str | None = None,
        *,
        key: str | None = None,
        timeout: float = 60.0,
        pictures: bool = True,
        retry: bool = True,
    ) -> None:
        self.url = (url or os.environ.get(URL_VARIABLE, "") or DEFAULT_URL).rstrip("/")
        self.timeout = timeout
        self._pictures, self._retry = pictures, retry
        # httpx takes 0.3 s, which `import inclinet` must not cost
        import httpx

        from inclinet.http import proxies

        key = os.environ.get(KEY_VARIABLE, "").strip() if key is None else key
        try:
            proxy = proxies.from_environment().of(self.url)
        except proxies.ProxyUnusable as error:
            raise errors.NotAGateway(str(error)) from None
        with wire.connection_errors(self.url):
            self._http: Any = self._open(
                {"proxy": proxy, "limits": httpx.Limits(max_connections=None, keepalive_expiry=KEEPALIVE_S)},
                base_url=self.url,
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT_S)),
            )

    @abstractmethod
    def _open(self, transport: dict[str, Any], **settings: Any) -> Any:
        """Open a client of httpx."""

    @abstractmethod
    def _ask(self, question: Question, read: Callable[[httpx.Response], Any]) -> Any:
        """Send the question, repeat it while the gateway is busy, and read the response."""

    @abstractmethod
    def _gather(self, question: Question, *, progress: bool) -> Any:
        """Send the question about a table, and gather the rows as they arrive."""

    def ask(self, question: Question) -> _Answer:
        """Send a question made by :mod:`inclinet.http.questions`."""
        answer: _Answer = self._ask(question.showing(pictures=self._pictures), wire.reader(self.url))
        return answer

    def query_object(
        self, name: str, *, fov: Quantity | None = None, survey: str | None = None, r: float | None = None
    ) -> _Answer:
        """Measure a galaxy by its name, on the survey's image of it.

        Parameters
        ----------
        name : str
            Common name or designation in any usual spelling, such as ``"NGC 7331"``.
        fov : Quantity, optional
            Side of the field of view; 1.5 times the galaxy's diameter unless given.
        survey : str, optional
            Survey of the image: ``sdss``, ``panstarrs``, ``legacy``, ``dss2``; else the gateway's choice.
        r : float, optional
            Axis ratio of an edge-on disc, for the inclination by axis ratio; 0.3 unless given.

        Returns
        -------
        Answer

        Raises
        ------
        inclinet.errors.TargetUnknown, inclinet.errors.InclinetError
            No single galaxy of that name is known, and ``extra["suggestions"]`` may name similar ones; any other error.

        Examples
        --------
        >>> Inclinet().query_object("NGC 7331").inclination
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
            PGC number, such as 69327.
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
        >>> Inclinet().query_pgc(69327).galaxy.name
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
            One position in any frame that astropy can convert to ICRS.
        fov : Quantity, optional
            Side of the field of view; from the size of the catalogued galaxy there unless given.
        pa : Quantity, optional
            Position angle of the major axis, east of north; the catalogue's unless given.
        survey, r
            As for :meth:`query_object`.

        Returns
        -------
        Answer

        Raises
        ------
        TypeError, inclinet.errors.InclinetError
            An angle has no unit, or there are several positions (see :meth:`query_table`); any other error.

        Examples
        --------
        >>> from astropy import units as u
        >>> from astropy.coordinates import SkyCoord
        >>> place = SkyCoord(339.267 * u.deg, 34.4156 * u.deg)
        >>> Inclinet().query_region(place, fov=14 * u.arcmin)
        <Answer NGC 7331: 70 deg, 68 % within 68 to 72, release 2026.5>
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
        at: SkyCoord | str | None = None,
        fov: Quantity | None = None,
        pa: Quantity | None = None,
        bands: Sequence[str] | None = None,
        r: float | None = None,
    ) -> _Answer:
        """Measure the galaxy in an image, or the galaxy at a position in FITS images of the sky.

        Parameters
        ----------
        image : path, bytes, file, PIL image, array, FITS HDU or bands
            A JPEG, PNG, GIF, TIFF, WebP or FITS file, by its path or its bytes; an array ``[H, W]`` or ``[H, W, 3]``
            whose first row is the uppermost, of 8 bits for a finished picture, of any other type for measured pixels;
            an HDU or HDUList; bands as a list of HDUs, or as arrays by name (``{"g": ..., "r": ..., "i": ...}``); with
            ``at`` also a list of files, the bands and tiles of the sky. The service orders bands by wavelength.
        frame : {"auto", "whole"}, optional
            Measure a frame around a galaxy that is small or off centre, or the whole image; ``auto`` unless given.
        x, y, side : float, optional
            Position of the galaxy, pixels from the left and the top of the upright image, and side of the square
            around it; from the galaxy's size unless given.
        at : SkyCoord or str, optional
            Position of the galaxy on the sky, or its name: it is cut from the images by their WCS.
        fov, pa, r : optional
            As for :meth:`query_region`.
        bands : sequence of str, optional
            Bands of the files in their order, or of the images of a single file; from the headers unless given.

        Returns
        -------
        Answer

        Raises
        ------
        TypeError, OSError
            ``image`` is none of these, or an angle has no unit; the file can't be read.
        inclinet.errors.ImageRefused, inclinet.errors.InclinetError
            The image can't be used; any other error.

        Examples
        --------
        >>> Inclinet().query_image("galaxy.jpg", frame="whole").rejection
        0.0185
        >>> Inclinet().query_image(["g.fits", "r.fits", "i.fits"], at="NGC 7331").image["bands"]
        ['i', 'r', 'g']
        """
        asked = {"frame": frame, "x": x, "y": y, "side": side, "fov": questions.in_unit(fov, "arcmin"), "r": r}
        return self.ask(questions.by_image(image, at=at, bands=bands, pa=questions.in_unit(pa, "deg"), **asked))

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
            Column of a role that its name does not show, such as ``{"ra": "ALPHA", "dec": "DELTA"}``.
        survey, frame, r
            As for :meth:`query_object` and :meth:`query_image`.
        progress : bool
            Show a bar on standard error.

        Returns
        -------
        AnswerTable
            A :class:`~astropy.table.QTable` with ``broadcast()``: one row each, in the order of ``table``, with the
            columns of the API's own tables (``inclination_deg``, ``interval68_low_deg`` ...), units, descriptions, and
            UCDs in ``info.meta``. Missing numbers are masked; a row without an answer has the reason in
            ``problem_type`` and ``problem``. ``meta`` holds ``release``, ``service``, ``columns`` (the role of each
            column) and ``warnings`` about how the table was read.

        Raises
        ------
        TypeError, OSError
            ``table`` is neither; the file can't be read.
        inclinet.errors.TableRefused, inclinet.errors.InclinetError
            The table can't be read, or has too many rows; any other error.

        Examples
        --------
        >>> result = Inclinet().query_table("catalogue.fits", progress=True)
        >>> result["inclination_deg"][result["problem_type"] == ""]
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
