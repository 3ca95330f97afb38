"""Exceptions of a question: errors that a gateway reports, and errors on the way to it.

The tree, with the problem types (``urn:inclinet:problem:<slug>``, RFC 9457) that each stands for::

    InclinetError
      TargetRefused       bad-target, not-a-galaxy, unusable-cutout
        TargetUnknown     unknown-target
        TargetOutside     outside-footprint
      ImageRefused        bad-image, image-too-large, unsupported-image
        SkyImagesRefused  no-wcs, wcs-not-celestial, wcs-unusable, outside-images, bands-apart, bands-unknown,
                          bands-duplicate, units-differ
      TableRefused        bad-table, table-too-large
      RequestRefused      bad-request, http-4xx
      KeyRefused          unauthorized
      GatewayBusy         too-many-requests, busy, slow-client
      UpstreamFailed      upstream-broken, upstream-unavailable, quorum-lost, deadline-exceeded
      GatewayFailed       internal, serving-refused, http-5xx
      NoAnswer            no-answer
        Unreachable       unreachable
        NotAGateway       not-a-gateway
      SampError           samp
      ServiceMissing      service-missing
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PREFIX = "urn:inclinet:problem:"
_SERVER_ERRORS = 500


class InclinetError(Exception):
    """A question has no answer; the message tells why.

    Parameters
    ----------
    detail : str
        One sentence for a person.
    slug : str, optional
        End of the problem's type, which never changes; the first slug of the class unless given.
    status : int, optional
        HTTP status; None where the error is not a gateway's.
    retry_after : float, optional
        Seconds after which a new attempt may succeed.
    extra : mapping, optional
        Further members of the problem, such as ``suggestions`` of an unknown target.
    """

    slugs: ClassVar[tuple[str, ...]] = ("problem",)

    def __init__(
        self,
        detail: str,
        *,
        slug: str = "",
        status: int | None = None,
        retry_after: float | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.slug = slug or self.slugs[0]
        self.status = status
        self.retry_after = retry_after
        self.extra = dict(extra or {})

    @property
    def problem(self) -> dict[str, Any]:
        """The problem as JSON (RFC 9457)."""
        said = {"type": _PREFIX + self.slug, "status": self.status, "detail": self.detail}
        return self.extra | {name: value for name, value in said.items() if value is not None}


class TargetRefused(InclinetError):
    """The question can't be answered as it was asked."""

    slugs: ClassVar[tuple[str, ...]] = ("bad-target", "not-a-galaxy", "unusable-cutout")


class TargetUnknown(TargetRefused):
    """No single galaxy of that name or number is known; ``extra["suggestions"]`` may name the nearest."""

    slugs = ("unknown-target",)


class TargetOutside(TargetRefused):
    """The survey has no image there; ``extra["surveys"]`` names surveys that do."""

    slugs = ("outside-footprint",)


class ImageRefused(InclinetError):
    """The image can't be used."""

    slugs: ClassVar[tuple[str, ...]] = ("bad-image", "image-too-large", "unsupported-image")


class SkyImagesRefused(ImageRefused):
    """The galaxy can't be cut from the images by its place on the sky."""

    slugs = (
        *("no-wcs", "wcs-not-celestial", "wcs-unusable", "outside-images"),
        *("bands-apart", "bands-unknown", "bands-duplicate", "units-differ"),
    )


class TableRefused(InclinetError):
    """The table can't be read, or has too many rows for one question."""

    slugs = ("bad-table", "table-too-large")


class RequestRefused(InclinetError):
    """The gateway does not understand the request."""

    slugs = ("bad-request",)


class KeyRefused(InclinetError):
    """The gateway answers holders of a key only."""

    slugs = ("unauthorized",)


class GatewayBusy(InclinetError):
    """The gateway has no time for the question now, even after the repeats that the timeout allowed."""

    slugs = ("too-many-requests", "busy", "slow-client")


class UpstreamFailed(InclinetError):
    """A catalogue, a survey's archive or the networks behind the gateway failed, or did not answer in time."""

    slugs = ("upstream-broken", "upstream-unavailable", "quorum-lost", "deadline-exceeded")


class GatewayFailed(InclinetError):
    """The gateway failed by its own fault."""

    slugs = ("internal", "serving-refused")


class NoAnswer(InclinetError):
    """No complete answer arrived: the connection was lost, or the time limit passed."""

    slugs: ClassVar[tuple[str, ...]] = ("no-answer",)


class Unreachable(NoAnswer):
    """No server answers at the address of the gateway."""

    slugs = ("unreachable",)


class NotAGateway(NoAnswer):
    """The address can't be one of a gateway, or another service answers there."""

    slugs = ("not-a-gateway",)


class SampError(InclinetError):
    """There is no SAMP hub, or no program at the hub that accepts the data."""

    slugs = ("samp",)


class ServiceMissing(InclinetError):
    """The service for :meth:`inclinet.Inclinet.local` is not installed on this machine, or did not start."""

    slugs = ("service-missing",)


def _kinds(root: type[InclinetError] = InclinetError) -> Iterator[type[InclinetError]]:
    yield root
    for kind in root.__subclasses__():
        yield from _kinds(kind)


def slug_of(problem: Mapping[str, Any], status: int) -> str:
    """Return the slug of a problem, ``http-<status>`` where it is not one of inclinet's."""
    kind = str(problem.get("type", ""))
    return kind.removeprefix(_PREFIX) if kind.startswith(_PREFIX) else f"http-{status}"


def from_problem(problem: Mapping[str, Any], retry_after: float | None = None) -> InclinetError:
    """Return the exception for a problem as the gateway writes it (RFC 9457)."""
    members = dict(problem)
    status = int(members.pop("status"))
    slug = slug_of(members, status)
    detail = str(members.pop("detail", "") or members.get("title") or f"The gateway answered {status}.")
    kind = next((kind for kind in _kinds() if slug in kind.slugs), None)
    if kind is None:
        kind = GatewayFailed if status >= _SERVER_ERRORS else RequestRefused
    members.pop("type", None)
    return kind(detail, slug=slug, status=status, retry_after=retry_after, extra=members)
