"""The interface of a table: its columns as they are declared, and its rows one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

EXTRA = ""
"""Key for the surplus cells of a row of text; no column has that name."""

ROWS_AT_ONCE = 1000
"""Rows of a binary table that are held as Python objects at a time."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column as the table declares it.

    Attributes
    ----------
    name : str
    kind : str
        Type: ``int``, ``float`` or ``str``; ``str`` where it is not known.
    unit : str, optional
        Unit as it is written in the table.
    ucd : str, optional
        Unified Content Descriptor (IVOA), version 1 or 1+.
    description : str
        Description in the table.
    frame : str
        Celestial system that the table declares, in lower case, such as ``eq_fk4`` or ``icrs``; mostly empty.
    """

    name: str
    kind: str = "str"
    unit: str | None = None
    ucd: str | None = None
    description: str = ""
    frame: str = ""


class Table(Protocol):
    """A table that can be read any number of times."""

    @property
    def fields(self) -> Sequence[Field]:
        """Columns with one value per row; columns of arrays are left out."""

    @property
    def notes(self) -> Sequence[str]:
        """Sentences for people about how the table was read."""

    def records(self, only: Collection[str] | None = None) -> Iterator[Mapping[str, Any]]:
        """Yield the rows from the first one on: column name to an int, a float, text, True, False or None (empty cell).

        The cells of a text table are text. ``only`` names the wanted columns, where leaving out the others saves work.
        """


def short(value: float | None) -> float | None:
    """Return a single-precision number with the digits that it was written with: 0.1, not 0.10000000149011612."""
    return value if value is None else float(str(np.float32(value)))


def plain(value: Any) -> Any:
    """Return a cell as an int, a float, text, a truth value, or None where it is empty."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, float):
        return None if value != value else value  # noqa: PLR0124 - not a number is an empty cell
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    return int(value) if isinstance(value, int) else str(value)
