"""The JSON schemas of the zoo's API."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gateway.api.schemas.base import Schema

Number = Annotated[
    float | None, BeforeValidator(lambda value: None if isinstance(value, float) and math.isnan(value) else value)
]
"""Number that becomes null where it is NaN, which JSON lacks."""

NOT_SURE = "not_sure"
"""The only flag that keeps the measurement."""

FlagName = Literal["face_on", "poor_image", "ambiguous", "disturbed", "several_galaxies", "not_a_spiral", "not_sure"]


class Sent(BaseModel):
    """What a client sends: nothing that is not understood passes unnoticed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AnswerIn(Sent):
    """A galaxy measured, or rejected."""

    kind: Literal["answer"] = "answer"
    uuid: UUID = Field(description="Made by the client, once for each answer.")
    lease: str = Field(max_length=64, description="Of the galaxy, as it was given.")
    inclination_deg: float | None = Field(default=None, ge=0, le=90, allow_inf_nan=False)
    flags: tuple[FlagName, ...] = Field(default=(), max_length=7)
    seconds: float | None = Field(default=None, ge=0, le=86_400, allow_inf_nan=False)

    @model_validator(mode="after")
    def _says_something(self) -> AnswerIn:
        rejected = any(flag != NOT_SURE for flag in self.flags)
        if rejected == (self.inclination_deg is not None):
            raise ValueError("An answer has either an inclination, or a flag that stands instead of one")
        return self


class UndoIn(Sent):
    """An answer taken back."""

    kind: Literal["undo"]
    of: UUID = Field(description="The answer's UUID.")


class SkipIn(Sent):
    """A galaxy that the person does not want to judge."""

    kind: Literal["skip"]
    lease: str = Field(max_length=64)


class AnswersIn(Sent):
    """A browser's queue, in the order in which it was said."""

    said: tuple[Annotated[AnswerIn | UndoIn | SkipIn, Field(discriminator="kind")], ...] = Field(max_length=500)


class OutcomeOut(Schema):
    """What became of one of them."""

    status: Literal["taken", "known", "refused"]
    reason: str = ""


class TokenOut(Schema):
    """A new person without a name."""

    token: str = Field(description="Stands for the person from now on; it is shown this once.")


class GalaxyOut(Schema):
    """A galaxy to measure. Nothing tells whether it is a target or a standard."""

    lease: str
    picture: str = Field(description="Address of the picture, below that of the API.")
    practice: bool
    truth_deg: Number = Field(description="Of a practice galaxy, to be shown after the answer.")


class StandardOut(Schema):
    """A standard of the lattice."""

    id: int
    name: str = Field(description="Of a real galaxy; empty for a simulated one.")
    truth_deg: float
    stdev_deg: float = Field(description="Uncertainty of the inclination; 0 of a simulated one, where it is exact.")
    picture: str
    shown: bool = Field(description="False of a real one that a moderator withdrew.")


class ProjectIn(Sent):
    """A new project."""

    slug: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$", description="In addresses.")
    title: str = Field(min_length=1, max_length=120)
    description: str = Field(default="", max_length=2000)
    lowest_deg: float = Field(default=0.0, ge=0, le=80)
    highest_deg: float = Field(default=90.0, ge=10, le=90)
    survey: str | None = Field(default=None, max_length=40, description="Of the sky's pictures, such as sdss.")


class ProjectOut(Schema):
    """A project and how far it has come."""

    slug: str
    title: str
    description: str
    lowest_deg: float
    highest_deg: float
    targets: int
    done: int = Field(description="Settled by people, or closed by a moderator.")
    measurements: int
    people: int


class TargetsOut(Schema):
    """What became of the rows of a table."""

    taken: int
    known: int
    left_out: int
    reasons: tuple[str, ...]


class PersonOut(Schema):
    """What is known of a person."""

    person: int
    name: str
    moderator: bool
    counted: bool = Field(description="Whether the measurements make labels.")
    practice_left: int
    standards_left: int
    measured: int
    quarantined: bool
    bias_deg: Number
    slope: Number
    scatter: Number = Field(description="In units of the usual scatter.")


class AgreementBin(Schema):
    """Agreement within a range of inclinations."""

    from_deg: float
    to_deg: float
    rms_deg: Number
    bias_deg: Number
    galaxies: float


class AgreementOut(Schema):
    """How two sides differ."""

    rms_deg: Number
    bias_deg: Number
    noise_deg: Number
    galaxies: float
    bins: tuple[AgreementBin, ...]


class ResultsOut(Schema):
    """How far people agree, and with whom."""

    label_noise_deg: Number = Field(description="Noise of a label of one group of three: rms of two groups / sqrt 2.")
    one_to_one: AgreementOut
    groups: AgreementOut
    retests: AgreementOut
    networks: AgreementOut


class LabelOut(Schema):
    """A galaxy that a moderator should look at."""

    target: int
    name: str
    why: str
    people: int
    inclination_deg: Number
    error_deg: Number
    network_deg: Number
    closed: str


class ModeratedPerson(Schema):
    """A person, as moderators see people."""

    person: int
    name: str
    measured: int
    standards: int
    failed: int
    bias_deg: Number
    scatter: Number
    counted: bool
    quarantined: bool
    reason: str


class OutlierOut(Schema):
    """A measurement far from the label of its galaxy, which it is part of."""

    target: int
    name: str = Field(description="Of the galaxy.")
    person: int
    person_name: str
    inclination_deg: float = Field(description="What the person said.")
    label_deg: float
    residual_deg: float = Field(description="What was said, less what was expected of this person at the label.")
    scales: float = Field(description="The residual in units of the expected scatter.")


class ModerationOut(Schema):
    """What waits for a moderator."""

    galaxies: tuple[LabelOut, ...]
    outliers: tuple[OutlierOut, ...] = Field(description="The farthest first.")
    people: tuple[ModeratedPerson, ...]


class QuarantineIn(Sent):
    """A moderator's decision on a person."""

    quarantined: bool
    reason: str = Field(default="", max_length=400)


class ShownIn(Sent):
    """A moderator's decision on a real standard."""

    shown: bool


class ClosedIn(Sent):
    """A moderator's decision on a galaxy: asked no more (``done``, ``excluded``), or asked again (empty)."""

    closed: Literal["", "done", "excluded"]


def agreement_of(found: Any) -> dict[str, Any]:
    """Return an agreement as values of :class:`AgreementOut`, by name."""
    names = ("from_deg", "to_deg", "rms_deg", "bias_deg", "galaxies")
    return {
        "rms_deg": found.rms_deg,
        "bias_deg": found.bias_deg,
        "noise_deg": found.noise_deg,
        "galaxies": found.galaxies,
        "bins": [dict(zip(names, one, strict=True)) for one in found.bins],
    }
