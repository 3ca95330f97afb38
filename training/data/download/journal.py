"""What was fetched and what could not be, a line each in ``download.csv``: an interrupted download goes on from it."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from pathlib import Path

What = Literal["cutout", "coadd"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line.

    Attributes
    ----------
    pgc : int
    what : str
        ``cutout`` (the survey's colour picture) or ``coadd`` (pictures made of calibrated exposures).
    files : str
        Names, apart by blanks.
    source : str
        Survey and data release.
    fov_arcmin, position_angle_deg : str
        Of the pictures; the angle is empty where north is up.
    exposures, coverage : str
        How many were averaged, and what part of the field they cover.
    problem : str
        Why there is no picture, a sentence; empty where there is.
    final : str
        ``yes`` where asking again would give the same answer.
    """

    pgc: int
    what: str
    files: str = ""
    source: str = ""
    fov_arcmin: str = ""
    position_angle_deg: str = ""
    exposures: str = ""
    coverage: str = ""
    problem: str = ""
    final: str = ""


_COLUMNS = [column.name for column in fields(Entry)]


class Journal:
    """Appends lines; whole ones only count, so a kill in the middle of one costs that line.

    Parameters
    ----------
    path : Path
        Made when the first line is written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        text = path.read_text("utf-8") if path.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            path.write_text(whole, "utf-8")
        self._last: dict[tuple[int, str], Entry] = {}
        for row in csv.DictReader(io.StringIO(whole)):
            if row.get("pgc", "").isdigit() and row.get("what") in get_args(What):
                entry = Entry(int(row["pgc"]), **{name: row.get(name) or "" for name in _COLUMNS[1:]})
                self._last[entry.pgc, entry.what] = entry

    def last(self, pgc: int, what: What) -> Entry | None:
        """Return what was written last of a galaxy."""
        return self._last.get((pgc, what))

    def entries(self) -> tuple[Entry, ...]:
        """Return the last line of every galaxy."""
        return tuple(self._last.values())

    def write(self, entry: Entry) -> None:
        """Append a line, and see that it is on disk."""
        line = io.StringIO()
        table = csv.writer(line, lineterminator="\n")
        if not self._path.exists() or not self._path.stat().st_size:
            table.writerow(_COLUMNS)
        table.writerow(asdict(entry).values())
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line.getvalue())
        self._last[entry.pgc, entry.what] = entry
