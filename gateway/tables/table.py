"""What a table is to those who read it: its columns as they are declared, and its rows one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

EXTRA = ""
"""Key of a record under which a text row keeps what stands in no column; no column has that name."""


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
        """Read the rows from the first one on: column name to an int, a float, text, or None for an empty cell.

        The cells of a text table are text. ``only`` names the columns that are wanted, where leaving out the others
        saves work.
        """
