"""Where the pictures come from, what is made of them, and the archives' clients while a download runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from gateway.sky import Sky, SkySettings, open_sky
from gateway.sky.http.client import HttpClient
from gateway.sky.http.retry_policy import RetryPolicy
from gateway.sky.http.service import Service
from training.data.download.archive import Archive

if TYPE_CHECKING:
    from concurrent.futures import Executor

_FRAME_BYTES = 32_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where pictures come from, and how politely they are asked for.

    Attributes
    ----------
    cutout_urls, search_urls, frame_urls : tuple of str
        Of SkyServer's ``getjpeg`` and ``SqlSearch`` (``{release}`` stands for the data release), and of the Science
        Archive Server's ``frames``; mirrors, the preferred one first.
    release : int
        Data release of SkyServer. The imaging is the same from 13 on.
    contact : str
        Mail address or URL for the operators of the archives.
    searches_per_s : float
        SkyServer allows one a second.
    frames_at_once : int
        Of 3 MB each.
    manners : RetryPolicy
        ``contact`` is taken from above.
    patience_s : float
        For which an archive that is down is waited for, before each of ``tries``.
    tries : int
    """

    cutout_urls: tuple[str, ...] = field(default_factory=lambda: SkySettings().skyserver_urls)
    search_urls: tuple[str, ...] = ("https://skyserver.sdss.org/dr{release}/SkyServerWS/SearchTools/SqlSearch",)
    frame_urls: tuple[str, ...] = ("https://data.sdss.org/sas/dr17/eboss/photoObj/frames",)
    release: int = 18
    contact: str = ""
    searches_per_s: float = 1.0
    frames_at_once: int = 2
    manners: RetryPolicy = field(default_factory=RetryPolicy)
    patience_s: float = 60.0
    tries: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to make of each galaxy.

    Attributes
    ----------
    cutouts : bool
        The survey's own colour picture, as the gateway fetches it.
    exposures : bool
        A colour picture and one of each band, made of calibrated exposures.
    field_in_d25 : float
        Side of the field in diameters of the 25 mag isophote.
    side : int
        Pixels of the pictures made of exposures.
    runs : int
        Observations of the same sky that are averaged, at most.
    keep_frames : bool
        Keep the fetched frames once a galaxy's pictures are made.
    again : bool
        Ask again for what is known not to be there.
    """

    cutouts: bool = True
    exposures: bool = True
    field_in_d25: float = 1.5
    side: int = 256
    runs: int = 4
    keep_frames: bool = False
    again: bool = False


class Opened:
    """The archives' clients, to be used in ``async with``.

    Parameters
    ----------
    sources : Sources
    executor : Executor
        Where frames are checked.
    version : str
        For ``User-Agent``.

    Attributes
    ----------
    sky : Sky
    archive : Archive
    """

    def __init__(self, sources: Sources, executor: Executor, version: str) -> None:
        def here(urls: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(url.replace("{release}", str(sources.release)) for url in urls)

        self._upstream = HttpClient(sources.manners, contact=sources.contact, version=version)
        self.sky: Sky = open_sky(
            SkySettings(
                skyserver_urls=here(sources.cutout_urls),
                sdss_release=sources.release,
                contact=sources.contact,
                cutouts_concurrency=sources.frames_at_once,
            ),
            version=version,
        )
        search = Service(
            "SkyServer", here(sources.search_urls), concurrency=1, timeout_s=120.0, rate_per_s=sources.searches_per_s
        )
        frames = Service(
            "The Science Archive Server",
            here(sources.frame_urls),
            concurrency=sources.frames_at_once,
            timeout_s=180.0,
            max_bytes=_FRAME_BYTES,
        )
        self.archive = Archive(self._upstream, search, frames, executor)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.sky.aclose()
        await self._upstream.aclose()
