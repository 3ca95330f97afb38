"""Real galaxies with human labels: reads the tables, splits by galaxy, makes bags and uniform rates.

The split depends only on the galaxy's number, so that no picture of a test galaxy, in any form or table, reaches a
training bag. Pictures that are set aside for another reason are given by ``exclude``.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from gateway.core.manifest import INPUT_SHAPE
from gateway.images.decode import decode
from gateway.images.model_input import model_input

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

Split = Literal["train", "validation", "test"]

FACE_ON_BELOW_DEG = 45.0
"""Inclination below which people rejected a galaxy by their judgement, degrees."""

TEST_SHARE = 0.10
VALIDATION_SHARE = 0.10
BAG_SHARE = 0.67
_BIN_DEG = 5.0
_RIGHT_ANGLE_DEG = 90.0
_KEPT = frozenset({"", "0", "0.0", "no", "false", "none", "nan"})
_REJECTED = frozenset({"1", "1.0", "yes", "true"})
REASON_UNKNOWN = "rejected"
"""Reason for tables that say that a picture was rejected, but not why."""


class TableFault(ValueError):
    """A table of galaxies can't be used; the message tells where and why."""


@dataclass(frozen=True, slots=True)
class RealGalaxy:
    """One row of a table of human measurements.

    Attributes
    ----------
    pgc : int
        PGC number; :func:`number_of` its name where the table has a name (``galaxy``) instead; -1 where it has neither.
    path : Path
        Its picture.
    inclination_deg : float
        Human label; NaN where people have not measured it.
    reject : str
        ``face_on``, ``unsuitable``, another reason, or empty.
    stage : float
        Hubble stage, NaN where unknown; a stage below 0 is not a spiral.
    axis_ratio_deg : float
        Inclination from the catalogue's axis ratio, NaN where unknown.
    expert : float
        An expert's eye estimate of the inclination, 0..1 (EFIGI attribute; Baillard et al. 2011), NaN where unknown.
    """

    pgc: int
    path: Path
    inclination_deg: float
    reject: str
    stage: float = float("nan")
    axis_ratio_deg: float = float("nan")
    expert: float = float("nan")

    @property
    def measured(self) -> bool:
        """Whether people measured it and did not reject it."""
        return not self.reject and not np.isnan(self.inclination_deg)

    @property
    def judgement(self) -> str | None:
        """Reason of people's rejection; empty where they accepted it, None where nobody judged it."""
        if self.measured:
            return "face_on" if self.inclination_deg < FACE_ON_BELOW_DEG else ""
        return self.reject or None


def read_table(path: Path, images_folder: Path | None = None) -> tuple[RealGalaxy, ...]:
    """Read a table with the columns ``file`` and ``inclination``; ``pgc``, ``reject``, ``ttype`` and more are optional.

    ``file`` is relative to the table's folder unless another is given. ``reject`` holds a reason, or yes or no.
    ``galaxy`` is the name of a galaxy without a PGC number.

    Raises
    ------
    OSError
        The table can't be read.
    TableFault
        The table is no text, lacks a column, or has text in the place of a number.
    """
    columns, rows = read_csv(path)
    missing = [name for name in ("file", "inclination") if name not in columns]
    if missing:
        has = ", ".join(columns) or "nothing"
        raise TableFault(f"{path.name} has no column {' and no column '.join(missing)}; it has: {has}.")
    folder = images_folder or path.parent
    return tuple(_row(row, folder, f"{path.name}, line {line}") for line, row in rows)


def read_csv(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return the names of a table's columns, and its rows by line number, with stripped cells.

    Raises
    ------
    OSError
        The table can't be read.
    TableFault
        The file is no table.
    """
    try:
        # utf-8-sig: a file from a spreadsheet may begin with a byte order mark
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file, restval="")
            columns = [name.strip() for name in table.fieldnames or ()]
            table.fieldnames = columns
            return columns, [(table.line_num, {k: str(v).strip() for k, v in row.items() if k}) for row in table]
    except UnicodeDecodeError:
        raise TableFault(f"{path.name} is no text in UTF-8.") from None
    except csv.Error as error:
        raise TableFault(f"{path.name} is no table in CSV: {error}.") from None


def _row(row: dict[str, str], folder: Path, where: str) -> RealGalaxy:
    def number(column: str) -> float:
        text = row.get(column, "")
        try:
            value = float(text) if text else float("nan")
        except ValueError:
            value = float("inf")
        if np.isinf(value):
            raise TableFault(f"{where}: {column} is {text!r}, which is no number.")
        return value

    name = row["file"]
    if not name:
        raise TableFault(f"{where}: file is empty.")
    inclination = number("inclination")
    if not (np.isnan(inclination) or 0 <= inclination <= _RIGHT_ANGLE_DEG):
        raise TableFault(f"{where}: inclination is {inclination:g}; it lies between 0 and 90 degrees, or is empty.")
    pgc = number("pgc")
    return RealGalaxy(
        int(pgc) if np.isfinite(pgc) else number_of(row["galaxy"]) if row.get("galaxy") else -1,
        folder / name,
        inclination,
        reason_of(row.get("reject", "")),
        number("ttype"),
        number("axis_ratio_inclination"),
        number("expert_inclination"),
    )


def reason_of(text: str) -> str:
    """Return the reason for a rejection in a table's cell: a reason, or yes or no; empty for an accepted picture."""
    reason = text.strip().lower()
    if reason in _KEPT:
        return ""
    return REASON_UNKNOWN if reason in _REJECTED else reason


def number_of(name: str) -> int:
    """Return the number of a galaxy without a PGC number: below -1, always the same for a name."""
    return -2 - int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big")


def split_of(pgc: int) -> Split:
    """Return the part of the sample to which a galaxy always belongs, decided by a hash of its number."""
    place = int.from_bytes(hashlib.sha256(f"inclinet:{pgc}".encode()).digest()[:6], "big") / 2**48
    if place < TEST_SHARE:
        return "test"
    return "validation" if place < TEST_SHARE + VALIDATION_SHARE else "train"


def select(galaxies: Sequence[RealGalaxy], split: Split, *, exclude: Collection[int] = ()) -> tuple[RealGalaxy, ...]:
    """Return the galaxies of one part, without those whose numbers are excluded."""
    return tuple(g for g in galaxies if split_of(g.pgc) == split and g.pgc not in exclude)


def images(galaxies: Sequence[RealGalaxy]) -> NDArray[np.uint8]:
    """Return the galaxies' model inputs, uint8 ``[N, 128, 128, 3]``."""
    found = np.empty((len(galaxies), *INPUT_SHAPE), np.uint8)
    for place, galaxy in enumerate(galaxies):
        found[place] = model_input(decode(galaxy.path.read_bytes()).rgb)
    return found


def bag(count: int, *, number: int, seed: int) -> NDArray[np.intp]:
    """Return the members of a bag: all for bag 0, a random 67 % for every other, in ascending order."""
    if number == 0:
        return np.arange(count)
    rng = np.random.default_rng(np.random.SeedSequence([seed, number]))
    return np.sort(rng.choice(count, round(BAG_SHARE * count), replace=False))


def uniform_rates(labels_deg: NDArray[np.float32], label_range_deg: tuple[float, float]) -> NDArray[np.float64]:
    """Return sampling probabilities by which every 5 deg of inclination appear equally often.

    A bin gets at most four times the average, so that the few galaxies of a sparse one are not memorised.
    """
    low, high = label_range_deg
    bins = np.clip(((labels_deg - low) / _BIN_DEG).astype(int), 0, int((high - low) / _BIN_DEG) - 1)
    counts = np.bincount(bins)[bins]
    rates = np.minimum(1 / counts, 4 * len(set(bins.tolist())) / len(bins))
    return np.asarray(rates / rates.sum(), np.float64)
