"""The project's terms as frozen values: galaxy, cutout, reading, deadline. Independent of any protocol."""

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
    """The object that the user asked about: a PGC number, a position or a name, in this order of precedence.

    Where several are given, the lower ones are compared with the galaxy that was found.

    Attributes
    ----------
    pgc : int, optional
        Principal Galaxies Catalogue number.
    name : str, optional
        Name in any usual spelling.
    ra, dec : str, optional
        Coordinates as written: decimal degrees, sexagesimal, or a ``J`` designation in ``ra`` alone.
    fov_arcmin : float, optional
        Side of the field of view, arcmin; from the galaxy's size unless given.
    position_angle_deg : float, optional
        Position angle of the major axis, degrees east of north; the galaxy's unless given.
    """

    pgc: int | None = None
    name: str | None = None
    ra: str | None = None
    dec: str | None = None
    fov_arcmin: float | None = None
    position_angle_deg: float | None = None

    @property
    def asked(self) -> str:
        """A short description of the target for a log."""
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
        Minor over major axis, 0..1, as seen on the sky.
    position_angle_deg : float, optional
        Position angle of the major axis, degrees east of north, 0..180.
    source : str
        Catalogue or service that gave the position.
    size_source : str, optional
        Source of ``d25_arcmin``, such as ``HyperLEDA``.
    warnings : tuple of str
        Doubts about these values, in plain words.
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
        """Return this galaxy with its missing values filled from ``other``, the same galaxy; nothing is overridden."""
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
        Encoded image (JPEG as a rule).
    survey : str
        Name of the survey, such as ``SDSS DR12``.
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
    """The answer of one flavor for one model input."""

    name: str
    version: int
    inclination_deg: float


@dataclass(frozen=True, slots=True)
class RejectorPrediction:
    """The answer of one rejector for one model input: likelihoods, 0..1; ``rejection`` is the sum of the other two."""

    name: str
    version: int
    rejection: float
    face_on: float
    unsuitable: float


@dataclass(frozen=True, slots=True)
class EnsemblePrediction:
    """The answers of all networks for one model input.

    Attributes
    ----------
    flavors : tuple of FlavorPrediction
        Answers in the order of the manifest; flavors that did not answer are absent.
    rejectors : tuple of RejectorPrediction
        Answers in the order of the manifest; rejectors that did not answer are absent.
    missing : tuple of str
        Models of the release that did not answer.
    unreleased : tuple of str
        Models that answered with another version than the release's, such as ``vgg6_m0 version 2``.
    """

    flavors: tuple[FlavorPrediction, ...]
    rejectors: tuple[RejectorPrediction, ...]
    missing: tuple[str, ...] = ()
    unreleased: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ellipse:
    """The isophote fitted to an image; lengths and positions in units of the image's width and height (0..1).

    ``angle_deg`` is the angle of the major axis, counter-clockwise from the +x axis of the picture, 0..180.
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
    """A frame around the galaxy, where the galaxy is small or off centre; else the whole picture."""
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Framing:
    """Which part of a picture is measured; the service chooses it unless a position is given.

    Attributes
    ----------
    choice : FrameChoice
        Rule for the frame where no position is given.
    x, y : float, optional
        Position of the galaxy, pixels of the upright original from its upper left corner. Both or neither.
    side : float, optional
        Side of the square around that position, pixels of the original; from the galaxy's size unless given.
    """

    choice: FrameChoice = FrameChoice.AUTO
    x: float | None = None
    y: float | None = None
    side: float | None = None


AUTO, WHOLE = Framing(), Framing(FrameChoice.WHOLE)


@dataclass(frozen=True, slots=True)
class Frame:
    """The measured square, pixels of the upright original: centre, from the upper left corner, and side.

    It may extend beyond the picture's edges. ``chosen_by`` is ``service``, ``caller``, or ``whole`` for the whole
    picture, whose longer side is then the side of the square.
    """

    x: float
    y: float
    side: float
    chosen_by: Literal["service", "caller", "whole"]


@dataclass(frozen=True, slots=True)
class ImageInput:
    """A prepared image: the networks' input, and the facts found while preparing it.

    Attributes
    ----------
    pixels : uint8 [128, 128, 3]
        Model input.
    width, height : int
        Size of the original, pixels.
    format : str
        File format, such as ``JPEG``.
    frame : Frame
        Part of the picture that the networks see.
    ellipse : Ellipse, optional
        Fitted isophote, in units of the whole picture, whatever the frame is; None when none could be fitted.
    stretch : str
        Conversion of the file's samples to 8 bits: ``none``, ``scaled to 8 bits`` or ``asinh``.
    part : str, optional
        Image that was read, in a file with several.
    warnings : tuple of str
        Assumptions that were made, in plain words.
    cutout : ImagingCutout, optional
        The cutout, where the image was cut from a user's images by a position on the sky.
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
    """The deadline of a request, shared by all of its steps. No step extends it.

    ``at`` is on the clock of :func:`time.monotonic`, seconds.
    """

    at: float
    budget_s: float = field(default=0.0)

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline ``seconds`` from now."""
        return cls(time.monotonic() + seconds, seconds)

    def remaining_s(self) -> float:
        """Return the seconds left; raises :class:`~gateway.core.errors.DeadlineExceeded` when none are."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise errors.DeadlineExceeded(f"The answer was not ready within {self.budget_s:g} s.")
        return left
