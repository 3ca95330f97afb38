"""All errors of the gateway that a user may see, each with a stable slug, a title and a status.

The tree::

    GatewayError
      TargetError            the question can't be answered as it was asked
        UnknownTarget        404  nothing of that name or number, or several objects
        NotAGalaxy           422  it exists, and is not a galaxy
        BadTarget            422  it can't be read (a number out of range, coordinates that don't parse…)
        OutsideFootprint     422  the survey has no image there
        UnusableCutout       422  the survey's image there is blank, black, saturated or cut by a mosaic edge
      ImageError             the image can't be used
        BadImage             422  unreadable, truncated, empty, all one colour…
        ImageTooLarge        413  too many bytes or pixels
        UnsupportedImage     415  not a format that is read
        WcsError                  a galaxy can't be cut from FITS images by its position on the sky
          NoWcs              422  they have no WCS
          WcsNotCelestial    422  their WCS has no celestial axes
          WcsUnusable        422  their WCS contradicts itself, or has no inverse
          OutsideImages      422  none of them shows the position
          BandsApart         422  one band shows the position, and another does not
          BandsUnknown       422  neither the files nor the request name their bands
          BandsDuplicate     422  two of them are the same band of the same sky
          UnitsDiffer        422  their pixels are in different units
      BadRequest             422  the request does not fit the API's description
      BadTable               422  the table can't be read
      TableTooLarge          413  too many rows or bytes
      Unauthorized           401  no key, or one that is not valid
      Overload               the gateway refuses work that it could not finish in time
        TooManyRequests      429
        Busy                 503
      SlowClient             408  the request did not arrive in time
      UpstreamError          a service behind the gateway failed
        UpstreamBroken       502  it answered something that can't be right
        UpstreamUnavailable  503  it is down, or refuses for now
      EnsembleError
        QuorumLost           503  fewer flavors answered than the quorum
        ServingRefused       500  TensorFlow Serving refused a request that we made
      DeadlineExceeded       504

``slug`` ends the ``type`` URI of the problem and never changes; the message is a sentence for a person.
"""

from __future__ import annotations

from typing import ClassVar


class GatewayError(Exception):
    """A failure that a user is told about.

    Parameters
    ----------
    detail : str
        A clear sentence about this occurrence, safe to show to anyone.
    retry_after_s : float, optional
        When it may be worth asking again, seconds; becomes ``Retry-After``.
    **extra
        Further members of the problem (RFC 9457, section 3.2), JSON values.
    """

    slug: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong here"
    status: ClassVar[int] = 500

    def __init__(self, detail: str, *, retry_after_s: float | None = None, **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.extra = extra


class TargetError(GatewayError):
    """The question can't be answered as it was asked."""

    status = 422


class UnknownTarget(TargetError):
    """No single galaxy of that name or number is known.

    ``suggestions`` may name the nearest; ``members`` the objects of a name that means several.
    """

    slug, title, status = "unknown-target", "Unknown target", 404


class NotAGalaxy(TargetError):
    """The object exists and is not a galaxy."""

    slug, title = "not-a-galaxy", "Not a galaxy"


class BadTarget(TargetError):
    """The question can't be read."""

    slug, title = "bad-target", "Target not understood"


class OutsideFootprint(TargetError):
    """The survey has no image there. ``surveys`` names those that do."""

    slug, title = "outside-footprint", "Outside the survey's footprint"


class UnusableCutout(TargetError):
    """The survey's image there is blank, black, saturated or cut by a mosaic edge."""

    slug, title = "unusable-cutout", "No usable image there"


class ImageError(GatewayError):
    """The image can't be used."""

    status = 422


class BadImage(ImageError):
    """The image is unreadable, truncated, empty or shows nothing."""

    slug, title = "bad-image", "Image can't be used"


class ImageTooLarge(ImageError):
    """The image has too many bytes or pixels."""

    slug, title, status = "image-too-large", "Image too large", 413


class UnsupportedImage(ImageError):
    """The file is of no format that is read."""

    slug, title, status = "unsupported-image", "Not an image format that is read", 415


class WcsError(ImageError):
    """A galaxy can't be cut from FITS images by its place on the sky."""


class NoWcs(WcsError):
    """A FITS image says nothing of where on the sky it lies (no WCS), and a position was given."""

    slug, title = "no-wcs", "Image without a WCS"


class WcsNotCelestial(WcsError):
    """The WCS of a FITS image has no pair of celestial axes."""

    slug, title = "wcs-not-celestial", "WCS without celestial axes"


class WcsUnusable(WcsError):
    """The WCS of a FITS image contradicts itself, or pixels can't be told from it."""

    slug, title = "wcs-unusable", "WCS can't be used"


class OutsideImages(WcsError):
    """None of the images shows the position, or too little of the field around it: ``shown`` is its part, 0..1."""

    slug, title = "outside-images", "Outside the images"


class BandsApart(WcsError):
    """The position lies in the images of one band and outside those of another."""

    slug, title = "bands-apart", "Bands don't overlap there"


class BandsUnknown(WcsError):
    """Neither the files nor ``bands`` tell which bands the images are."""

    slug, title = "bands-unknown", "Bands not known"


class BandsDuplicate(WcsError):
    """Two images are the same band of the same part of the sky."""

    slug, title = "bands-duplicate", "A band came twice"


class UnitsDiffer(WcsError):
    """The pixels of the images are in different units."""

    slug, title = "units-differ", "Units differ"


class BadRequest(GatewayError):
    """The request does not fit the API's description."""

    slug, title, status = "bad-request", "Request not understood", 422


class BadTable(GatewayError):
    """A table of targets can't be read."""

    slug, title, status = "bad-table", "Table can't be used", 422


class TableTooLarge(GatewayError):
    """A table of targets has too many rows or bytes."""

    slug, title, status = "table-too-large", "Table too large", 413


class Unauthorized(GatewayError):
    """No key came with the request, or one that is not let in.

    Parameters
    ----------
    detail : str
    wrong : bool
        A key came, and it is not let in.
    """

    slug, title, status = "unauthorized", "A key is needed", 401

    def __init__(self, detail: str, *, wrong: bool = False) -> None:
        super().__init__(detail)
        self.challenge = 'Bearer realm="inclinet"' + (', error="invalid_token"' if wrong else "")
        """``WWW-Authenticate`` of the answer (RFC 6750, section 3)."""


class Overload(GatewayError):
    """The gateway refuses work that it could not finish in time."""

    status = 503


class TooManyRequests(Overload):
    """One client asks more than its share."""

    slug, title, status = "too-many-requests", "Too many requests", 429


class Busy(Overload):
    """The bounded queue is full."""

    slug, title = "busy", "Busy"


class SlowClient(GatewayError):
    """The request did not arrive in time."""

    slug, title, status = "slow-client", "Request did not arrive in time", 408


class UpstreamError(GatewayError):
    """A service behind the gateway failed. ``service`` names it."""


class UpstreamBroken(UpstreamError):
    """The service answered something that can't be right."""

    slug, title, status = "upstream-broken", "A service answered nonsense", 502


class UpstreamUnavailable(UpstreamError):
    """The service is down, or refuses for now."""

    slug, title, status = "upstream-unavailable", "A service is down", 503


class EnsembleError(GatewayError):
    """The ensemble could not answer."""


class QuorumLost(EnsembleError):
    """Fewer flavors answered than the quorum."""

    slug, title, status = "quorum-lost", "Too few networks available", 503


class ServingRefused(EnsembleError):
    """TensorFlow Serving refused a request that the gateway made: a fault of ours."""

    slug, title, status = "serving-refused", "The networks refused the request", 500


class DeadlineExceeded(GatewayError):
    """The request's one deadline passed."""

    slug, title, status = "deadline-exceeded", "Took too long", 504
