"""The archives of the pictures, and the choice of pictures."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.sky import SkySettings
from gateway.sky.http.retry_policy import RetryPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The archives of the pictures, and the limits of the requests to them.

    Attributes
    ----------
    cutout_urls, search_urls, frame_urls : tuple of str
        URLs of SkyServer's ``getjpeg`` and ``SqlSearch`` (``{release}`` stands for the data release), and of the
        Science Archive Server's ``frames``; mirrors, the preferred one first.
    release : int
        Data release of SkyServer. The imaging is the same from 13 on.
    contact : str
        Mail address or URL for the operators of the archives.
    calls_per_s : float
        Calls per second to SkyServer, which allows one.
    frames_at_once : int
        Frames fetched at the same time, 3 MB each.
    manners : RetryPolicy
        Policy of the retries; its ``contact`` is replaced by the one above.
    patience_s : float
        Time to wait for an archive that is down, before each of ``tries``, seconds.
    tries : int
        Attempts at an archive that is down.
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
    """The pictures to make of each galaxy.

    Attributes
    ----------
    cutouts : bool
        Whether to fetch the survey's own colour picture, as the gateway does.
    exposures : bool
        Whether to make a colour picture and one of each band from calibrated exposures.
    field_in_d25 : float
        Side of the field of view in diameters of the 25 mag isophote.
    side : int
        Side of the pictures made of exposures, pixels.
    runs : int
        Most observations of the same sky that are averaged.
    keep_frames : bool
        Whether to keep the frames after a galaxy's pictures are made.
    """

    cutouts: bool = True
    exposures: bool = True
    field_in_d25: float = 1.5
    side: int = 256
    runs: int = 4
    keep_frames: bool = False
