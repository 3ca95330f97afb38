"""What every worker is told: what to ask, of whom, and how. Plain values that travel to workers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.core.models import FrameChoice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.core.manifest import Manifest
    from gateway.sky import SkySettings
    from survey.ledger import Identity
    from survey.source import Form

TOPIC = "inclinet-survey"
"""Of the events by which workers tell the client how far they are."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long passing trouble is waited for.

    A round asks every row of a partition that is still without a final answer. Rounds go on as long as each brings
    some answers; after ``fruitless`` rounds running that brought none, the partition is given up for this run.

    Attributes
    ----------
    fruitless : int
    first_pause_s, longest_pause_s : float
        Before the next round: the first one, doubled for each further one, or what the trouble itself asked for.
    row_s : float
        For one row in one round; waiting for its turn at a service is the better part of it.
    """

    fruitless: int = 4
    first_pause_s: float = 5.0
    longest_pause_s: float = 120.0
    row_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Job:
    """A survey as its workers see it.

    Attributes
    ----------
    identity : Identity
    manifest : Manifest
        The release, by value: workers need no model repository.
    serving : tuple of str
        ``host:port`` of each TensorFlow Serving.
    form : Form
        Of the question.
    base : str
        Folder that relative names of images are looked for in.
    out : str
        Folder of the result.
    header : str
        What :func:`survey.table.header` returned.
    sky : SkySettings
        The public services, or one's own.
    rates_per_s : mapping
        Name of a service to the calls a second that all workers together make.
    survey : str, optional
        Whose images are measured.
    r : float
        Axis ratio of an edge-on disc, for the ellipticity inclination.
    concurrency : int
        Rows of a partition under way at a time.
    largest_batch, batches_in_flight : int
        Model inputs that share a Predict call; batches that one worker has out at a time.
    max_pixels, max_bytes : int
        Of an image.
    accept_unanswered : bool
        Write rows that stayed without an answer for passing reasons, with their problem.
    patience : Patience
    choice : mapping
        Which column of the catalogue is which, where a person says it.
    frame : FrameChoice
        What of images is measured; model inputs always are as a whole.
    """

    identity: Identity
    manifest: Manifest
    serving: tuple[str, ...]
    form: Form
    base: str
    out: str
    header: str
    sky: SkySettings
    rates_per_s: Mapping[str, float]
    survey: str | None
    r: float
    concurrency: int
    largest_batch: int
    batches_in_flight: int
    max_pixels: int
    max_bytes: int
    accept_unanswered: bool
    patience: Patience
    choice: Mapping[str, str] = field(default_factory=dict)
    frame: FrameChoice = FrameChoice.AUTO

    @property
    def name(self) -> str:
        """Of the survey among others on the same cluster."""
        return f"inclinet-survey-{self.identity.digest}"
