"""Real galaxies of known inclination among the standards, each with its uncertainty.

They are shown for comparison in step one, but not used to test people: their inclinations come from people or
networks, and a calibration on them would pass on those errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gateway.core import errors
from zoo.database.models import StandardRow
from zoo.standards.archive import LATTICE
from zoo.tables import INCLINATION, SPREAD, name_of, number, take_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from gateway.tables.cells.rows import Row
    from zoo.tables import TakenTable

WITHDRAWN = "withdrawn"
"""Role of a real standard that is no longer shown."""


def add_real_standards(
    session: Session, content: bytes, filename: str, *, most: int, has_file: Callable[[str], bool]
) -> TakenTable:
    """Add the galaxies of a table to the standards; a known one gets the inclination of the table.

    Parameters
    ----------
    session : Session
        Writing transaction.
    content : bytes
        A table of PGC numbers or names of files, with columns ``inclination_deg`` and ``stdev_deg``.
    filename : str
    most : int
        Parameter of :func:`zoo.tables.take_rows`, which also defines the errors.
    has_file : callable
        Returns whether a picture of this name exists.
    """
    known = {row.name: row for row in session.scalars(select(StandardRow))}

    def take(row: Row, cells: Mapping[str, Any]) -> bool:
        name, pgc = name_of(row), row.target.pgc if row.target is not None else None
        inclination, spread = number(cells, INCLINATION), number(cells, SPREAD)
        if row.file is not None and not has_file(row.file):
            raise errors.BadTarget(f"There is no picture {row.file[:80]} in the zoo's folder of pictures.")
        if row.file is None and pgc is None:
            raise errors.BadTarget("A standard needs a PGC number or the name of a file.")
        if inclination is None or not spread:
            raise errors.BadTarget("A standard needs an inclination_deg of 0 to 90 and a stdev_deg above 0.")
        standard = known.get(name)
        if standard is not None and standard.error_deg == 0:
            raise errors.BadTarget(f"There is a simulated standard {name[:80]} already.")
        if standard is None:
            known[name] = added = StandardRow(name=name)
            session.add(added)
        values = {"role": LATTICE, "truth_deg": inclination, "error_deg": spread, "pgc": pgc, "file": row.file}
        for column, value in values.items():
            setattr(known[name], column, value)
        return standard is None

    return take_rows(content, filename, most=most, take=take)
