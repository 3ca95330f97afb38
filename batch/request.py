"""The request of a person who starts a batch."""

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
class BatchRequest:
    """The request for a batch, the same for every engine.

    Attributes
    ----------
    what : tuple of str
        Path or URL of a table, a folder, a pattern, an image or model inputs; or several images.
    out : str
        Path or URL of the result: a table, or a folder of Parquet files.
    images : str, optional
        Folder of the images that the table names.
    choice : mapping
        Column by role, where a person chose it.
    partition_rows : int, optional
        Rows of a partition; unless given, the number of an earlier run or the engine's own.
    survey : str, optional
        Survey whose images are measured.
    r : float, optional
        Axis ratio of an edge-on disc, for the inclination by axis ratio.
    frame : FrameChoice, optional
        Part of the images that is measured.
    keep_columns : bool
        Whether to copy the table's own columns to the result.
    hats : bool
        Whether to write the result as a HATS catalogue.
    retry_failed : bool
        Whether to ask again about rows that failed in an earlier run.
    quiet : bool
        Whether to show no progress.
    imaging : str, optional
        Path or URL of images of the sky, from which the table's galaxies are cut (:mod:`batch.imaging`).
    bands : tuple of str
        Bands of these images for a picture; the service chooses unless given.
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
        """The person's choice of columns, in words."""
        said = " ".join(f"{role}={name}" for role, name in sorted(self.choice.items()))
        return {"columns": said} if said else {}

    @property
    def edge_on_r(self) -> float:
        """Axis ratio of an edge-on disc that is used."""
        return INTRINSIC_AXIS_RATIO if self.r is None else self.r

    @property
    def settings(self) -> dict[str, Any]:
        """All settings that answers depend on, by the words that a refusal uses."""
        images = storage.absolute(self.images) if self.images is not None else None
        return {"survey": self.survey, "r": self.r, "frame": self.frame, "images": images, **self.columns_said}

    @property
    def is_table(self) -> bool:
        """Whether the result is one table."""
        return output.is_table(self.out)

    @property
    def folder(self) -> str:
        """Folder of the partitions: the result itself, or a folder beside it with its name."""
        out = storage.absolute(self.out).rstrip("/")
        if self.hats:
            return f"{out}.parts"
        return f"{out.removesuffix(Path(out).suffix)}.parts" if self.is_table else out
