"""The sky: resolves targets to galaxies, and fetches their cutouts.

:func:`open_sky` wires everything from :class:`SkySettings`; nothing here depends on FastAPI.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING

from gateway.sky.cutouts.fetch import Cutouts, outside_sdss
from gateway.sky.cutouts.surveys import SKYSERVER, SURVEYS
from gateway.sky.http.cache import DiskCache
from gateway.sky.http.client import HttpClient
from gateway.sky.http.retry_policy import RetryPolicy
from gateway.sky.http.service import Service
from gateway.sky.resolvers.lookups import NameServices
from gateway.sky.resolvers.resolver import Resolver

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.sky.http.rate_limit import ServiceRateLimit
    from gateway.sky.http.service import Observe

__all__ = ["SURVEYS", "Sky", "SkySettings", "open_sky"]

_DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class SkySettings:
    """Addresses and limits of the services. Every ``*_urls`` lists mirrors, the preferred one first.

    Attributes
    ----------
    sesame_urls, simbad_urls, ned_urls, hyperleda_urls, vizier_urls : tuple of str
        Mirrors of the services, described in their modules; ``hyperleda_urls`` is HyperLEDA's SQL service,
        ``vizier_urls`` its copy by TAP.
    skyserver_urls : tuple of str
        Mirrors of SkyServer; ``{release}`` stands for the number of the data release.
    hips2fits_urls : tuple of str
        Mirrors of hips2fits.
    sdss_release : int
        SDSS data release; the original system used 12. The imaging is the same from 13 on.
    default_survey : str
        Key of the survey that is used when none is named.
    contact : str
        Mail address or URL for complaints of the services' operators.
    names_timeout_s, cutouts_timeout_s : float
        Time limit of one attempt, seconds.
    names_concurrency, cutouts_concurrency : int
        Most calls in flight at once, for each service. The services are public and their operators ask for single
        digits; further calls wait, within their deadlines.
    simbad_rate_per_s : float, optional
        Most calls per second. SIMBAD blocks addresses that send more than 5 or 6 per second.
    attempts : int
        Most attempts of one call, all mirrors together.
    cache_dir : Path, optional
        Folder of the cache; None for no cache.
    cache_max_bytes : int
        Size limit of the cache, bytes.
    catalogue : Path, optional
        The operator's own catalogue file (:mod:`gateway.sky.catalogues.operator_file`).
    """

    sesame_urls: tuple[str, ...] = (
        "https://cds.unistra.fr/cgi-bin/nph-sesame",
        "https://vizier.cfa.harvard.edu/viz-bin/nph-sesame",
    )
    simbad_urls: tuple[str, ...] = (
        "https://simbad.cds.unistra.fr/simbad/sim-tap/sync",
        "https://simbad.harvard.edu/simbad/sim-tap/sync",
    )
    ned_urls: tuple[str, ...] = ("https://ned.ipac.caltech.edu/srs/ObjectLookup",)
    hyperleda_urls: tuple[str, ...] = ("http://atlas.obs-hp.fr/hyperleda/fG.cgi",)
    vizier_urls: tuple[str, ...] = ("https://tapvizier.cds.unistra.fr/TAPVizieR/tap/sync",)
    skyserver_urls: tuple[str, ...] = ("https://skyserver.sdss.org/dr{release}/SkyServerWS/ImgCutout/getjpeg",)
    hips2fits_urls: tuple[str, ...] = (
        "https://alasky.cds.unistra.fr/hips-image-services/hips2fits",
        "https://alaskybis.cds.unistra.fr/hips-image-services/hips2fits",
    )
    sdss_release: int = 18
    default_survey: str = SKYSERVER
    contact: str = ""
    names_timeout_s: float = 8.0
    cutouts_timeout_s: float = 15.0
    names_concurrency: int = 6
    cutouts_concurrency: int = 6
    simbad_rate_per_s: float | None = 5.0
    attempts: int = 3
    cache_dir: Path | None = None
    cache_max_bytes: int = 256 * 1024 * 1024
    catalogue: Path | None = None

    @property
    def urls(self) -> tuple[str, ...]:
        """All mirrors of all services."""
        lists = (getattr(self, field.name) for field in fields(self) if field.name.endswith("_urls"))
        return tuple(url for urls in lists for url in urls)


class Sky:
    """The resolver and the cutouts, which share one client.

    Attributes
    ----------
    resolver : Resolver
    cutouts : Cutouts
    """

    def __init__(self, client: HttpClient, resolver: Resolver, cutouts: Cutouts) -> None:
        self._client = client
        self.resolver = resolver
        self.cutouts = cutouts

    async def warm(self) -> None:
        """Load the offline catalogues now, in a thread, rather than at the first question.

        Raises
        ------
        gateway.sky.catalogues.operator_file.CatalogueFileError
            The operator's file can't be used.
        """
        await self.resolver.offline()

    async def cache_bytes(self) -> int:
        """Return the size of the cached answers, bytes; 0 without a cache."""
        return await self._client.cache_bytes()

    def health(self) -> dict[str, dict[str, str]]:
        """Return the state of each mirror used so far: ``{service: {url: "closed" | "open" | "half-open"}}``."""
        return self._client.health()

    async def aclose(self) -> None:
        """Close the connections, the cache and the threads."""
        await self._client.aclose()
        self.cutouts.close()


def open_sky(
    settings: SkySettings,
    *,
    version: str = "0",
    observe: Observe | None = None,
    rate_limit: ServiceRateLimit | None = None,
) -> Sky:
    """Wire the sky without any request or file access yet. Call it where an event loop runs.

    Parameters
    ----------
    settings : SkySettings
    version : str
        Version of the gateway, for ``User-Agent``.
    observe : callable, optional
        Receives metrics: ``observe(service, outcome, seconds)``.
    rate_limit : ServiceRateLimit, optional
        Keeps the services' rates, where several processes share them.
    """
    client = HttpClient(
        RetryPolicy(attempts=settings.attempts),
        contact=settings.contact,
        version=version,
        cache=DiskCache(settings.cache_dir, max_bytes=settings.cache_max_bytes) if settings.cache_dir else None,
        observe=observe,
        rate_limit=rate_limit,
    )
    names = partial(
        Service, concurrency=settings.names_concurrency, timeout_s=settings.names_timeout_s, lifetime_s=7 * _DAY_S
    )
    cutouts = partial(
        Service,
        concurrency=settings.cutouts_concurrency,
        timeout_s=settings.cutouts_timeout_s,
        # Images of a data release never change.
        lifetime_s=30 * _DAY_S,
        max_bytes=16_000_000,
    )
    services = NameServices(
        sesame=names("Sesame", settings.sesame_urls),
        simbad=names("SIMBAD", settings.simbad_urls, rate_per_s=settings.simbad_rate_per_s),
        ned=names("NED", settings.ned_urls),
        hyperleda=names("HyperLEDA", settings.hyperleda_urls),
        vizier=names("VizieR", settings.vizier_urls),
    )
    skyserver = tuple(url.replace("{release}", str(settings.sdss_release)) for url in settings.skyserver_urls)
    return Sky(
        client,
        Resolver(client, services, catalogue=settings.catalogue),
        Cutouts(
            client,
            cutouts("SkyServer", skyserver, answers=outside_sdss),
            cutouts("hips2fits", settings.hips2fits_urls),
            data_release=settings.sdss_release,
            default_survey=settings.default_survey,
        ),
    )
