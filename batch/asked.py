"""What a person asks of a batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batch import storage
from batch.conversion import output
from gateway.images.ellipse import INTRINSIC_AXIS_RATIO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.core.models import FrameChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person asks for, whichever engine answers.

    Attributes
    ----------
    what : tuple of str
        A path or URL of a table, a folder, a pattern, an image or model inputs; or several images.
    out : str
        Path or URL of the result: a table, or a folder of Parquet files.
    images : str, optional
        Folder of the images that the table names.
    choice : mapping
        Which column is which, where a person says it.
    partition_rows : int, optional
        As an earlier run had it, or as the engine has it, unless given.
    survey : str, optional
        Whose images are measured.
    r : float, optional
        Axis ratio of an edge-on disc, for the comparison.
    frame : FrameChoice, optional
        What of images is measured.
    keep_columns : bool
        Carry the table's own columns along.
    hats : bool
        Write the result as a HATS catalogue.
    retry_failed : bool
        Ask again what failed in an earlier run.
    quiet : bool
        Show no progress.
    imaging : str, optional
        Path or URL of images of the sky, from which the table's galaxies are cut (:mod:`batch.imaging`).
    bands : tuple of str
        Of these images, that a picture is made of; the service chooses unless given.
    """

    what: tuple[str, ...]
    out: str
    images: str | None = None
    choice: Mapping[str, str] = field(default_factory=dict)
    partition_rows: int | None = None
    survey: str | None = None
    r: float | None = None
    frame: FrameChoice | None = None
    keep_columns: bool = False
    hats: bool = False
    retry_failed: bool = False
    quiet: bool = False
    imaging: str | None = None
    bands: tuple[str, ...] = ()

    @property
    def columns_said(self) -> dict[str, str]:
        """What a person said of the columns, in words."""
        said = " ".join(f"{role}={name}" for role, name in sorted(self.choice.items()))
        return {"columns": said} if said else {}

    @property
    def edge_on_r(self) -> float:
        """The axis ratio that is used."""
        return INTRINSIC_AXIS_RATIO if self.r is None else self.r

    @property
    def settings(self) -> dict[str, Any]:
        """How everything is asked, by the words that a refusal uses."""
        images = storage.full(self.images) if self.images is not None else None
        return {"survey": self.survey, "r": self.r, "frame": self.frame, "images": images, **self.columns_said}

    @property
    def is_table(self) -> bool:
        """Whether the result is one table."""
        return output.is_table(self.out)

    @property
    def folder(self) -> str:
        """The folder of the partitions: the result itself, or one beside it with its name."""
        out = storage.full(self.out).rstrip("/")
        if self.hats:
            return f"{out}.parts"
        return f"{out.removesuffix(Path(out).suffix)}.parts" if self.is_table else out
