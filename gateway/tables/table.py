"""What a table is to those who read it: its columns as they are declared, and its rows one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

EXTRA = ""
"""Key of a record under which a text row keeps what stands in no column; no column has that name."""

ROWS_AT_ONCE = 1000
"""Rows of a binary table that are held as Python's own values at a time."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column as the table declares it.

    Attributes
    ----------
    name : str
    kind : str
        ``int``, ``float`` or ``str``; ``str`` where it is not known.
    unit : str, optional
        As it is written in the table.
    ucd : str, optional
        Unified Content Descriptor (IVOA), of version 1 or 1+.
    description : str
    frame : str
        Celestial system that the table declares of it, in lower case, such as ``eq_fk4`` or ``icrs``; mostly none.
    """

    name: str
    kind: str = "str"
    unit: str | None = None
    ucd: str | None = None
    description: str = ""
    frame: str = ""


class Table(Protocol):
    """A table that can be read as often as needed."""

    @property
    def fields(self) -> Sequence[Field]:
        """Its columns of one value a row; columns of arrays are left out."""

    @property
    def notes(self) -> Sequence[str]:
        """What a person should know of how it was read, in sentences."""

    def records(self, only: Collection[str] | None = None) -> Iterator[Mapping[str, Any]]:
        """Read the rows from the first one on: column name to an int, a float, text, True or False, or None.

        The cells of a text table are text. ``only`` names the columns that are wanted, where leaving out the others
        saves work.
        """


def short(value: float | None) -> float | None:
    """Give a single-precision number the digits that it was written with: 0.1, not 0.10000000149011612."""
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
