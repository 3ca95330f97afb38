"""Where the pictures come from, and what is made of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.sky import SkySettings
from gateway.sky.http.retry_policy import RetryPolicy


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
    calls_per_s : float
        To SkyServer, which allows one a second.
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
    calls_per_s: float = 1.0
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
    """

    cutouts: bool = True
    exposures: bool = True
    field_in_d25: float = 1.5
    side: int = 256
    runs: int = 4
    keep_frames: bool = False
