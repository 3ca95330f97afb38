"""The archive of standards: one ZIP file with pictures and a table of their inclinations."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from gateway.core.files import written_whole
from zoo.database.models import StandardRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

SHIPPED = Path(__file__).with_name("shipped.zip")
TABLE = "standards.csv"
LATTICE, PRACTICE, HIDDEN = ROLES = ("lattice", "practice", "hidden")


class StandardsUnusable(Exception):
    """The archive of standards can't be used; the message tells why."""


@dataclass(frozen=True, slots=True)
class Standard:
    """One galaxy of known inclination.

    Attributes
    ----------
    name : str
        Name of its picture in the archive.
    role : str
        ``lattice``: shown for comparison; ``practice`` and ``hidden``: given to people to measure.
    truth_deg : float
        True inclination.
    """

    name: str
    role: str
    truth_deg: float


class StandardsArchive:
    """The standards of an archive, all in memory.

    Parameters
    ----------
    path : Path
        The archive.

    Raises
    ------
    StandardsUnusable
    """

    def __init__(self, path: Path = SHIPPED) -> None:
        try:
            with zipfile.ZipFile(path) as file:
                table = io.StringIO(file.read(TABLE).decode())
                self.standards = tuple(
                    Standard(row["name"], row["role"], float(row["truth_deg"])) for row in csv.DictReader(table)
                )
                self._pictures = {one.name: file.read(one.name) for one in self.standards}
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise StandardsUnusable(f"The standards {path} can't be read: {error}.") from None
        if not self.standards or any(one.role not in ROLES for one in self.standards):
            raise StandardsUnusable(f"{path} is no archive that `python -m zoo standards` wrote.")

    def picture(self, name: str) -> bytes:
        """Return the picture of a standard, a WebP file; raises KeyError for a name that is not in the archive."""
        return self._pictures[name]

    def enter(self, session: Session) -> None:
        """Add the standards that are new to the database; known ones stay unchanged."""
        known = set(session.scalars(select(StandardRow.name)))
        session.add_all(
            StandardRow(name=one.name, role=one.role, truth_deg=one.truth_deg, error_deg=0.0, pgc=None, file=None)
            for one in self.standards
            if one.name not in known
        )


def write_archive(path: Path, pictures: Iterable[tuple[Standard, bytes]]) -> None:
    """Write standards and their pictures; equal content gives equal bytes."""
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(("name", "role", "truth_deg"))
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as partial, zipfile.ZipFile(partial, "w") as file:
        for one, picture in pictures:
            rows.writerow((one.name, one.role, f"{one.truth_deg:.4f}"))
            file.writestr(zipfile.ZipInfo(one.name), picture)
        file.writestr(zipfile.ZipInfo(TABLE), table.getvalue())
