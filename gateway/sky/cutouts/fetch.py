"""Fetches the survey's picture around a galaxy, from two services with one interface.

SkyServer ``ImgCutout`` (SDSS): ``…/dr<N>/SkyServerWS/ImgCutout/getjpeg?ra=&dec=&scale=&width=&height=``, in degrees,
arcsec a pixel and pixels; width and height are limited to 64..2048, the scale to 0.015..2400
(http://skyserver.sdss3.org/dr10/en/tools/chart/chartinfo.aspx, and the service's source). Outside the footprint it
sends a black picture, a JPEG with the text "Requested (ra, dec) is outside the SDSS footprint" drawn into it, with
status 404, older releases with status 200. Pictures are north up, east left.

CDS ``hips2fits`` (https://alasky.cds.unistra.fr/hips-image-services/hips2fits): ``hips`` the identifier of a survey,
``fov`` in degrees, ``width`` x ``height`` at most 50 megapixels, ``projection=TAN``, ``format=jpg``; likewise north up,
east left. Where the survey has nothing, pixels are black or white.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from gateway.core import errors
from gateway.core.field_of_view import field_arcmin, side_pixels
from gateway.core.models import Cutout
from gateway.sky.cutouts import frame, surveys
from gateway.sky.cutouts.surveys import SKYSERVER, SURVEYS, Survey
from gateway.sky.http.service import NonsenseError, Reply, refuse_html

if TYPE_CHECKING:
    from gateway.core.models import Deadline, Galaxy
    from gateway.sky.http.client import HttpClient
    from gateway.sky.http.service import Service

_SKYSERVER_SIDE = 2048
_OUTSIDE_TEXT = b"outside the SDSS footprint"
_NOT_FOUND = 404
_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True)
class _PictureRequest:
    """Request for one picture: ``side`` pixels in the result, ``wide`` in the picture that is fetched and cropped."""

    ra_deg: float
    dec_deg: float
    fov_arcmin: float
    position_angle_deg: float | None
    side: int
    wide: int
    survey: Survey
    label: str

    @property
    def wide_fov_arcmin(self) -> float:
        return self.fov_arcmin * self.wide / self.side


class Cutouts:
    """Fetches cutouts.

    Parameters
    ----------
    client : HttpClient
    skyserver : Service
        Service of SkyServer; its URLs end in ``getjpeg``.
    hips2fits : Service
        Service of hips2fits.
    data_release : int
        Data release that ``skyserver`` serves.
    default_survey : str
        Key of the survey that is used when none is named.
    """

    def __init__(
        self,
        client: HttpClient,
        skyserver: Service,
        hips2fits: Service,
        *,
        data_release: int,
        default_survey: str = SKYSERVER,
    ) -> None:
        self._client = client
        self._skyserver = skyserver
        self._hips2fits = hips2fits
        self._release = data_release
        self._default = default_survey
        # Two threads hold at most two decoded pictures, whatever the number of requests.
        self._pixels = ThreadPoolExecutor(2, "sky-pixels")

    async def fetch(
        self,
        galaxy: Galaxy,
        *,
        fov_arcmin: float | None = None,
        position_angle_deg: float | None = None,
        survey: str | None = None,
        deadline: Deadline,
    ) -> Cutout:
        """Return the picture around ``galaxy``.

        Parameters
        ----------
        galaxy : Galaxy
        fov_arcmin : float, optional
            Side of the square field; 1.5 x D25 of the galaxy unless given.
        position_angle_deg : float, optional
            Position angle of the major axis, degrees east of north; the galaxy's unless given. If it is known, the
            picture is turned so that the major axis lies along the rows; otherwise north is up.
        survey : str, optional
            A key of :data:`gateway.sky.cutouts.surveys.SURVEYS`.
        deadline : Deadline

        Returns
        -------
        Cutout
            Its ``position_angle_deg`` is the angle by which the picture was turned, None when it was not.

        Raises
        ------
        gateway.core.errors.BadTarget
            422: a number is out of range, the survey is unknown, or neither a size nor a field of view is known.
        gateway.core.errors.OutsideFootprint
            422; ``surveys`` are the keys of surveys that probably cover the position.
        gateway.core.errors.UnusableCutout
            422: the picture is black, blank, saturated or cut by a mosaic edge.
        gateway.core.errors.UpstreamError, gateway.core.errors.DeadlineExceeded
        """
        asked = self._request(galaxy, fov_arcmin, position_angle_deg, survey)
        if surveys.surely_outside(asked.survey, asked.dec_deg):
            raise _outside(asked)
        of_skyserver = asked.survey.key == SKYSERVER
        data = await self._client.get(
            self._skyserver if of_skyserver else self._hips2fits,
            _skyserver_query(asked) if of_skyserver else _hips2fits_query(asked),
            partial(_picture, asked),
            deadline=deadline,
            variant=f"{asked.position_angle_deg}",
            executor=self._pixels,
        )
        return Cutout(data, asked.label, asked.fov_arcmin, asked.position_angle_deg)

    def close(self) -> None:
        """End the threads."""
        self._pixels.shutdown(cancel_futures=True)

    def _request(self, galaxy: Galaxy, fov: float | None, angle: float | None, key: str | None) -> _PictureRequest:
        survey = SURVEYS.get((key or self._default).strip().lower())
        if survey is None:
            raise errors.BadTarget(f"There is no survey {key!r} here.", surveys=list(SURVEYS))
        fov = field_arcmin(galaxy, fov)
        angle = galaxy.position_angle_deg if angle is None else angle
        if angle is not None and not math.isfinite(angle):
            raise errors.BadTarget("The position angle is no number.")
        side = side_pixels(fov, survey.pixel_arcsec)
        angle = None if angle is None else angle % 180
        wide = side if angle is None else math.ceil(side * frame.bounding(angle)) + 2
        label = f"{survey.label} DR{self._release}" if survey.key == SKYSERVER else survey.label
        return _PictureRequest(
            galaxy.ra_deg, galaxy.dec_deg, fov, angle, side, min(wide, _SKYSERVER_SIDE), survey, label
        )


def outside_sdss(reply: Reply) -> bool:
    """Return whether SkyServer's reply means that a position is outside the footprint.

    Status and body tell it. A 404 with a web page means something else: a wrong address, or a release that is no longer
    served. The reason phrase is not used, because HTTP/2 and some proxies have none.
    """
    said = reply.content.startswith(_JPEG) or _OUTSIDE_TEXT in reply.content[:4096]
    return reply.status == _NOT_FOUND and said


def _skyserver_query(asked: _PictureRequest) -> str:
    scale = asked.wide_fov_arcmin * 60 / asked.wide
    return "?" + urlencode(
        {"ra": f"{asked.ra_deg:.6f}", "dec": f"{asked.dec_deg:.6f}", "scale": f"{scale:.5f}"}
        | {"width": asked.wide, "height": asked.wide, "opt": ""}
    )


def _hips2fits_query(asked: _PictureRequest) -> str:
    return "?" + urlencode(
        {"hips": asked.survey.hips, "width": asked.wide, "height": asked.wide, "projection": "TAN", "coordsys": "icrs"}
        | {"fov": f"{asked.wide_fov_arcmin / 60:.7f}", "ra": f"{asked.ra_deg:.6f}", "dec": f"{asked.dec_deg:.6f}"}
        | {"format": "jpg"}
    )


def _picture(asked: _PictureRequest, reply: Reply) -> bytes:
    if reply.status == _NOT_FOUND or _OUTSIDE_TEXT in reply.content[:4096]:
        raise _outside(asked)
    refuse_html(reply)
    try:
        image = frame.decode(reply.content)
    except frame.NoImageError as error:
        raise NonsenseError(str(error)) from None
    if image.size != (asked.wide, asked.wide):
        raise NonsenseError(f"with an image of {image.width} x {image.height} pixels instead of {asked.wide} squared")
    if asked.position_angle_deg is not None:
        image = frame.turned(image, asked.position_angle_deg, asked.side)
    fault = frame.fault(image)
    if fault is frame.Fault.OUTSIDE:
        raise _outside(asked)
    if fault is not None:
        others = surveys.covering(asked.ra_deg, asked.dec_deg, but=asked.survey.key)
        raise errors.UnusableCutout(f"The image of {asked.label} there {fault.value}.", surveys=others)
    return reply.content if asked.position_angle_deg is None else frame.encode(image)


def _outside(asked: _PictureRequest) -> errors.OutsideFootprint:
    others = surveys.covering(asked.ra_deg, asked.dec_deg, but=asked.survey.key)
    return errors.OutsideFootprint(
        f"{asked.label} has no image at ra {asked.ra_deg:.5f}, dec {asked.dec_deg:+.5f} deg. "
        f"Likely to cover it: {', '.join(others)} (survey=).",
        survey=asked.survey.key,
        surveys=others,
    )
