"""What a stranger's table may not do: unfold without end, or have its reader fetch what lies elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat

from gateway.core import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROW_MARKS = {"votable": b"<TR", "ascii.ecsv": b"\n"}
"""What every row has in these formats."""
_HEADER_LINES = 1000
"""More than the header of any table that asks for inclinations."""
_ELSEWHERE = "The VOTable names data or entities that lie elsewhere; send it with its data inside."


def check_rows(count: int, most: int | None) -> None:
    """Raise :class:`~gateway.core.errors.TableTooLarge` for more rows than ``most``."""
    if most is not None and count > most:
        raise errors.TableTooLarge(f"The batch has more than the {most:,} rows taken at once.", max_rows=most)


def look(data: bytes, file_format: str, most: int | None) -> None:
    """Look at a table before astropy reads it.

    Parameters
    ----------
    data : bytes
    file_format : str
        As astropy calls it.
    most : int, optional
        Rows that are taken.

    Raises
    ------
    errors.TableTooLarge
        It has more rows.
    errors.BadTable
        It is a VOTable whose data lie elsewhere.
    """
    if file_format in _ROW_MARKS:
        check_rows(data.count(_ROW_MARKS[file_format]) - _HEADER_LINES, most)
    if file_format == "votable":
        _refuse_references(data)


def _refuse_references(data: bytes) -> None:
    """Refuse ``<STREAM href="…">`` (VOTable 1.5, section 5.4), whose address astropy would open.

    ``file:///etc/passwd``, or an address of the gateway's own network, as readily as an archive's. The document is read
    by the parser that astropy uses and not searched as text: an attribute can come from a DTD, an element from an
    entity, and both in another encoding. What is no XML is left to the reader to tell.
    """
    parser = expat.ParserCreate()

    def start(name: str, attributes: Mapping[str, str]) -> None:
        named = {key.rpartition(":")[2].lower() for key in attributes}
        if name.rpartition(":")[2].upper() == "STREAM" and "href" in named:
            raise errors.BadTable(_ELSEWHERE)

    def declared(*_: object) -> None:
        raise errors.BadTable(_ELSEWHERE)

    parser.StartElementHandler = start
    # old VOTables name a DTD, which nobody loads; entities and defaults of attributes have no place in a table
    parser.EntityDeclHandler = declared
    parser.AttlistDeclHandler = declared
    try:
        parser.Parse(data, True)  # noqa: FBT003 - the C function takes it by place only
    except expat.ExpatError:
        return
