"""The outcome of a batch, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from batch.outputs.results import Tally


@dataclass(slots=True)
class Summary:
    """Counts of the outcomes of a batch.

    Attributes
    ----------
    tally : Tally
        Counts of all rows that have a result.
    rows : int
        Number of rows in the input.
    failed_partitions : int
        Partitions without any result.
    measured : int
        Rows measured in this run.
    seconds : float
        Duration of this run, seconds.
    """

    tally: Tally
    rows: int
    failed_partitions: int
    measured: int
    seconds: float

    @property
    def unanswered(self) -> int:
        """Number of rows without an answer for reasons that may pass."""
        return self.tally.unanswered

    @property
    def reasons(self) -> Mapping[str, tuple[int, str, str]]:
        """Kinds of problems, the most frequent first; see :class:`batch.outputs.results.Tally`."""
        return dict(sorted(self.tally.problems.items(), key=lambda one: -one[1][0]))

    def as_json(self, out: str) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return {
            "out": out,
            "rows": self.rows,
            "written": self.tally.rows - self.unanswered,
            "answered": self.tally.answered,
            "problems": {kind: count for kind, (count, *_) in self.reasons.items()},
            "unanswered": self.unanswered,
            "failed_partitions": self.failed_partitions,
            "seconds": round(self.seconds, 3),
            "rows_per_s": round(self.measured / self.seconds, 3) if self.seconds else None,
        }
