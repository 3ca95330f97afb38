"""The words of the project as values: galaxy, cutout, reading, deadline. Plain, frozen, knowing no protocol."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from gateway.core import errors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gateway.core.field_of_view import ImagingCutout


@dataclass(frozen=True, slots=True)
class Target:
    """What the user asked about: a PGC number, a position or a name, which are believed in this order.

    Where there are several, those that are believed less are compared with what was found.

    Attributes
    ----------
    pgc : int, optional
    name : str, optional
        In any usual spelling.
    ra, dec : str, optional
        As written: decimal degrees, sexagesimal, or a ``J`` designation in ``ra`` alone.
    fov_arcmin : float, optional
        Side of the field to look at; from the galaxy's size unless given.
    position_angle_deg : float, optional
        Of the major axis, east of north; the galaxy's unless given.
    """

    pgc: int | None = None
    name: str | None = None
    ra: str | None = None
    dec: str | None = None
    fov_arcmin: float | None = None
    position_angle_deg: float | None = None

    @property
    def asked(self) -> str:
        """What was asked about, in a few words for a log."""
        if self.pgc is not None:
            return f"PGC {self.pgc}"
        return f"{self.ra} {self.dec or ''}".strip() if self.ra else self.name or ""


@dataclass(frozen=True, slots=True)
class Galaxy:
    """A resolved target.

    Attributes
    ----------
    ra_deg, dec_deg : float
        Position, degrees, J2000 (ICRS).
    name : str, optional
        The name that the resolver prefers, such as ``NGC 7331``.
    pgc : int, optional
        Principal Galaxies Catalogue number.
    d25_arcmin : float, optional
        Major diameter of the 25 mag/arcsec^2 isophote, arcmin.
    axis_ratio : float, optional
        Minor over major axis, 0..1.
    position_angle_deg : float, optional
        Of the major axis, degrees east of north, 0..180.
    source : str
        Which catalogue or service said so.
    size_source : str, optional
        Where ``d25_arcmin`` is from, such as ``HyperLEDA``.
    warnings : tuple of str
        What to be wary of, in plain words.
    """

    ra_deg: float
    dec_deg: float
    name: str | None = None
    pgc: int | None = None
    d25_arcmin: float | None = None
    axis_ratio: float | None = None
    position_angle_deg: float | None = None
    source: str = ""
    size_source: str | None = None
    warnings: tuple[str, ...] = ()

    def completed(self, other: Galaxy) -> Galaxy:
        """Return this galaxy with what only ``other``, a description of the same one, knows; nothing is overridden."""
        sized = self if self.d25_arcmin is not None else other
        return replace(
            self,
            name=self.name or other.name,
            pgc=self.pgc or other.pgc,
            d25_arcmin=sized.d25_arcmin,
            size_source=sized.size_source,
            axis_ratio=other.axis_ratio if self.axis_ratio is None else self.axis_ratio,
            position_angle_deg=other.position_angle_deg if self.position_angle_deg is None else self.position_angle_deg,
            warnings=tuple(dict.fromkeys((*self.warnings, *other.warnings))),
        )


@dataclass(frozen=True, slots=True)
class Cutout:
    """The survey image around a galaxy, encoded as the survey sent it.

    Attributes
    ----------
    data : bytes
        The encoded image (JPEG as a rule).
    survey : str
        Such as ``SDSS DR12``.
    fov_arcmin : float
        Side of the square field, arcmin.
    position_angle_deg : float, optional
        Known position angle of the galaxy: the picture may be turned so that the major axis lies along the rows.
    """

    data: bytes
    survey: str
    fov_arcmin: float
    position_angle_deg: float | None = None


@dataclass(frozen=True, slots=True)
class FlavorPrediction:
    """What one flavor said of one model input."""

    name: str
    version: int
    inclination_deg: float


@dataclass(frozen=True, slots=True)
class RejectorPrediction:
    """What one rejector said of one model input: likelihoods, 0..1; ``rejection`` is the sum of the other two."""

    name: str
    version: int
    rejection: float
    face_on: float
    unsuitable: float


@dataclass(frozen=True, slots=True)
class EnsemblePrediction:
    """What all networks said of one model input.

    Attributes
    ----------
    flavors : tuple of FlavorPrediction
        In the order of the manifest; those that did not answer are absent.
    rejectors : tuple of RejectorPrediction
        As well.
    missing : tuple of str
        Models of the release that did not answer.
    unreleased : tuple of str
        Models that answered in another version than the release's, such as ``vgg6_m0 version 2``.
    """

    flavors: tuple[FlavorPrediction, ...]
    rejectors: tuple[RejectorPrediction, ...]
    missing: tuple[str, ...] = ()
    unreleased: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ellipse:
    """The isophote fitted to an image; lengths and positions in units of the image's width and height (0..1).

    ``angle_deg`` is that of the major axis, counter-clockwise from the +x axis of the picture, 0..180.
    """

    x: float
    y: float
    semi_major: float
    semi_minor: float
    angle_deg: float

    @property
    def axis_ratio(self) -> float:
        """Minor over major axis, 0..1."""
        return self.semi_minor / self.semi_major


class FrameChoice(StrEnum):
    """Which part of a picture is to be measured, where no place in it is named."""

    AUTO = "auto"
    """A frame around the galaxy, where it is small or off centre."""
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Framing:
    """Which part of a picture is to be measured; what the service finds, unless said otherwise.

    Attributes
    ----------
    choice : FrameChoice
        Where no place is named.
    x, y : float, optional
        Where the galaxy is: pixels of the upright original, from its upper left corner. Both or none.
    side : float, optional
        Of the square around that place, pixels of the original; from the galaxy's size unless given.
    """

    choice: FrameChoice = FrameChoice.AUTO
    x: float | None = None
    y: float | None = None
    side: float | None = None


AUTO, WHOLE = Framing(), Framing(FrameChoice.WHOLE)


@dataclass(frozen=True, slots=True)
class Frame:
    """The square that was measured, pixels of the upright original: its centre, from the upper left corner, and side.

    It may run over the picture's edges. ``chosen_by`` is ``service``, ``caller``, or ``whole`` for the whole picture,
    whose longer side is then the square's.
    """

    x: float
    y: float
    side: float
    chosen_by: Literal["service", "caller", "whole"]


@dataclass(frozen=True, slots=True)
class ImageInput:
    """An image made ready: what the networks see, and what was found on the way.

    Attributes
    ----------
    pixels : uint8 [128, 128, 3]
    width, height : int
        Of the original, pixels.
    format : str
        Such as ``JPEG``.
    frame : Frame
        What of it the networks see.
    ellipse : Ellipse, optional
        Absent when no isophote could be fitted. In units of the whole picture, whatever the frame is.
    stretch : str
        How the file's samples became 8 bits: ``none``, ``scaled to 8 bits`` or ``asinh``.
    part : str, optional
        Which of several images in the file was read.
    warnings : tuple of str
        What had to be guessed, in plain words.
    cutout : ImagingCutout, optional
        Where it was cut from a user's images by a position on the sky.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    format: str
    frame: Frame
    ellipse: Ellipse | None = None
    stretch: str = "none"
    part: str | None = None
    warnings: tuple[str, ...] = ()
    cutout: ImagingCutout | None = None


@dataclass(frozen=True, slots=True)
class Deadline:
    """The one deadline of a request, spent by every step and extended by none.

    ``at`` is on the clock of :func:`time.monotonic`, seconds.
    """

    at: float
    budget_s: float = field(default=0.0)

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline ``seconds`` from now."""
        return cls(time.monotonic() + seconds, seconds)

    def remaining_s(self) -> float:
        """Seconds left; raises :class:`~gateway.core.errors.DeadlineExceeded` when none are."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise errors.DeadlineExceeded(f"The answer was not ready within {self.budget_s:g} s.")
        return left
