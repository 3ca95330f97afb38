"""Query parameters of the endpoints that answer with an inclination, and the answer in the requested format."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from fastapi import Request, Response
from pydantic import BaseModel, Field

from gateway.api.schemas import InclinationAnswer
from gateway.core import errors
from gateway.core.models import FrameChoice, Framing, Target
from gateway.images import ellipse
from gateway.sky import SURVEYS
from gateway.tables import results

if TYPE_CHECKING:
    from gateway.measure.one import MeasuredGalaxy


PGC: dict[str, Any] = {
    "ge": 1,
    "le": 10_000_000,
    "description": "Principal Galaxies Catalogue number.",
    "examples": [2557],
}
NAME: dict[str, Any] = {
    "min_length": 1,
    "max_length": 100,
    "description": "Catalogue designation or common name, in any usual spelling.",
    "examples": ["NGC 7331"],
}
RA: dict[str, Any] = {
    "max_length": 64,
    "description": "Right ascension: decimal degrees, hours as 00:42:44.3, or a J designation with both coordinates.",
    "examples": ["10.6847"],
}
DEC: dict[str, Any] = {
    "max_length": 64,
    "description": "Declination: decimal degrees, or sexagesimal as +41:16:09.",
    "examples": ["41.2688"],
}
FOV: dict[str, Any] = {"gt": 0, "allow_inf_nan": False, "description": "Side of the field, arcmin.", "examples": [4.0]}
PA: dict[str, Any] = {
    "ge": -360,
    "le": 360,
    "allow_inf_nan": False,
    "description": "Position angle of the major axis, deg east of north; the catalogue's unless given.",
    "examples": [35.0],
}
"""Fields of a target that a query may hold."""


class Include(StrEnum):
    """Pictures that an answer can carry."""

    MODEL_INPUT = "model_input"
    CUTOUT = "cutout"


class AnswerQuery(BaseModel):
    """Query parameters of every answer."""

    r: float = Field(
        default=ellipse.INTRINSIC_AXIS_RATIO,
        ge=0,
        lt=1,
        description="Intrinsic axis ratio of an edge-on disc, for the ellipticity inclination.",
        examples=[0.3],
    )
    include: list[Include] = Field(
        default=[],
        description="Pictures to carry along as data URLs, in JSON only; may be repeated.",
        examples=[["model_input"]],
    )
    format: results.Format | None = Field(
        default=None,
        description="How to write the answer; else the `Accept` header decides.",
        examples=["json"],
    )


_FRAME = Field(
    default=FrameChoice.AUTO,
    description="`auto`: where the galaxy is small or off centre, a frame around it; `whole`: the whole image. "
    "Survey images are framed already.",
    examples=["auto"],
)


class ImageQuery(AnswerQuery):
    """Query parameters of an answer about an image."""

    frame: FrameChoice = _FRAME
    x: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="Where the galaxy is: pixels from the left of the upright image. Needs `y`.",
        examples=[1020.0],
    )
    y: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="Pixels from the top. Needs `x`.", examples=[740.0]
    )
    side: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="Side of the square around that place, pixels; from the galaxy's size unless given.",
        examples=[400.0],
    )

    def framing(self) -> Framing:
        """Return the requested framing; raises :class:`~gateway.core.errors.BadRequest` where it contradicts itself."""
        if (self.x is None) != (self.y is None):
            raise errors.BadRequest("A place in the image needs both x and y.")
        if self.side is not None and self.x is None:
            raise errors.BadRequest("The side of a frame needs its place too: x and y.")
        if self.frame is FrameChoice.WHOLE and self.x is not None:
            raise errors.BadRequest("Either frame=whole or a place by x and y, not both.")
        return Framing(self.frame, self.x, self.y, self.side)


class FileQuery(ImageQuery):
    """Query parameters of an answer about an uploaded image, or about a galaxy in uploaded images of the sky."""

    pgc: int | None = Field(default=None, **PGC)
    name: str | None = Field(default=None, **NAME)
    ra: str | None = Field(default=None, **RA)
    dec: str | None = Field(default=None, **DEC)
    fov: float | None = Field(default=None, **FOV)
    pa: float | None = Field(default=None, **PA)
    bands: str | None = Field(
        default=None,
        max_length=200,
        description="Bands of the files in their order, or of the images or planes of a single file, separated by "
        "commas; from the headers unless given.",
        examples=["g,r,i"],
    )

    def target(self) -> Target | None:
        """Return the galaxy to measure; None for the uploaded image as it is.

        Raises
        ------
        errors.BadRequest
            The parameters contradict each other.
        """
        if self.pgc is None and self.name is None and self.ra is None:
            if any(one is not None for one in (self.dec, self.fov, self.pa, self.bands)):
                raise errors.BadRequest(
                    "A field, a position angle or bands need the galaxy too: ra and dec, name or pgc."
                )
            return None
        if self.x is not None or self.frame is FrameChoice.WHOLE:
            raise errors.BadRequest("Either a galaxy on the sky, or a place or frame in the image, not both.")
        return Target(self.pgc, self.name, self.ra, self.dec, self.fov, self.pa)

    def band_names(self) -> list[str]:
        """Return the bands as a list."""
        return [band.strip() for band in self.bands.split(",")] if self.bands else []


class SurveyQuery(AnswerQuery):
    """Query parameters of answers from survey images."""

    survey: str | None = Field(
        default=None,
        max_length=32,
        description=f"Survey to take the image from: {', '.join(SURVEYS)}; else the server's default.",
        examples=["sdss"],
    )


class BatchQuery(SurveyQuery):
    """Query parameters of the answers of a batch."""

    frame: FrameChoice = _FRAME

    def framing(self) -> Framing:
        """Return the framing for every image of the batch."""
        return Framing(self.frame)


class TargetQuery(SurveyQuery):
    """Query parameters of an answer about a galaxy on the sky."""

    fov: float | None = Field(default=None, **FOV)
    pa: float | None = Field(default=None, **PA)


TABLE_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer, as asked: JSON, or a table of one row.",
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/x-votable+xml": {"schema": {"type": "string"}},
        },
    },
}


def write_answer(request: Request, answer: MeasuredGalaxy, query: AnswerQuery) -> Response:
    """Write an answer in the requested format."""
    body = InclinationAnswer.of(answer, frozenset(query.include))
    file_format = results.choose(query.format, request.headers.get("accept", ""))
    if file_format is results.Format.JSON:
        return Response(body.model_dump_json(), media_type=results.MEDIA_TYPES[file_format])
    columns = (*results.GALAXY_COLUMNS, *results.INCLINATION_COLUMNS)
    table = results.table([body.row()], columns, file_format)
    return Response(table, media_type=results.MEDIA_TYPES[file_format])
