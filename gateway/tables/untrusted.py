"""Checks on uploaded tables: they must not unpack without limit, nor make their reader fetch other files."""

from __future__ import annotations

import itertools
import math
import re
import textwrap
from typing import TYPE_CHECKING
from xml.parsers import expat

from gateway.core import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROW_MARKS = {"votable": b"<TR", "ascii.ecsv": b"\n"}
"""Bytes that every row has in these formats."""
_SHOWN = 40
_HEADER_LINES = 1000
"""More lines than the header of any usual table has."""
_MOST_YAML, _MOST_UNFOLDED = 1 << 18, 1 << 22
"""Size limits of the YAML of a header, characters: as written, which takes a second, and with its aliases unfolded."""
_HUGE = re.compile(r"(?:\*\*|\^|10\s*[+-])[\s(+-]*\d{4,}")
_LONGEST_FORMAT, _LONGEST_COUNT = 3, 18
"""Most digits of a width or precision; digits of a count that are read."""
_MOST_DECLARED = 1 << 27
"""Bytes that an uploaded VOTable may declare for its cells."""
_ITEM_BYTES = {"short": 2, "unicodeChar": 4, "int": 4, "float": 4, "long": 8, "double": 8, "floatComplex": 8}
_ITEM_BYTES["doubleComplex"] = 16
_ELSEWHERE = "The VOTable names data or entities that lie elsewhere; send it with its data inside."


def check_rows(count: int, most: int | None) -> None:
    """Raise :class:`~gateway.core.errors.TableTooLarge` for more rows than ``most``."""
    if most is not None and count > most:
        raise errors.TableTooLarge(f"The batch has more than the {most:,} rows taken at once.", max_rows=most)


def check_table(data: bytes, file_format: str, most: int | None) -> None:
    """Check a table before astropy reads it.

    Parameters
    ----------
    data : bytes
        Content of the table.
    file_format : str
        Astropy's name of the format.
    most : int, optional
        Most rows that are accepted.

    Raises
    ------
    errors.TableTooLarge
        The table has more rows.
    errors.BadTable
        The table is a VOTable whose data are in another file or that declares huge cells, or an ECSV whose header
        :func:`check_yaml` refuses.
    """
    if file_format in _ROW_MARKS:
        check_rows(data.count(_ROW_MARKS[file_format]) - _HEADER_LINES, most)
    if file_format == "votable":
        _check_votable(data, most)
    if file_format == "ascii.ecsv":
        lines = (line.strip() for line in data.decode("utf-8", "replace").splitlines())
        header = itertools.takewhile(lambda line: line.startswith("#"), filter(None, lines))
        check_yaml("\n".join(line[1:] for line in header))


def check_unit(text: str) -> None:
    """Refuse a unit such as ``10**999999999 deg``: astropy would compute all digits of the number, for hours.

    Raises
    ------
    errors.BadTable
        A power has more than three digits.
    """
    if _HUGE.search(text):
        raise errors.BadTable(f"The unit {text[:_SHOWN]!r} has a power that is too large for any unit.")


def check_yaml(text: str) -> None:
    """Check the YAML of a table's header before astropy reads it.

    Aliases of lists of aliases unfold to gigabytes where astropy writes them out as text.

    Raises
    ------
    errors.BadTable
        The text is damaged or too long, as it is or with its aliases unfolded, or has a unit that
        :func:`check_unit` refuses.
    """
    if len(text) > _MOST_YAML:
        raise errors.BadTable(f"The header of the table has more than {_MOST_YAML:,} characters.")
    import yaml  # astropy's own parser

    sizes: dict[int, float] = {}

    def unfolded(node: yaml.Node) -> float:
        if id(node) not in sizes:
            sizes[id(node)] = math.inf  # for a node within itself
            if isinstance(node, yaml.ScalarNode):
                within: float = len(node.value)
            else:
                is_mapping = isinstance(node, yaml.MappingNode)
                for key, value in node.value if is_mapping else ():
                    if key.value == "unit" and isinstance(value, yaml.ScalarNode):
                        check_unit(value.value)
                within = sum(map(unfolded, itertools.chain.from_iterable(node.value) if is_mapping else node.value))
            sizes[id(node)] = 1 + within
        return sizes[id(node)]

    try:
        root = yaml.compose(textwrap.dedent(text), yaml.SafeLoader)
        size = 0.0 if root is None else unfolded(root)
    except (yaml.YAMLError, RecursionError):
        raise errors.BadTable("The table is damaged: its header can't be read as YAML.") from None
    if size > _MOST_UNFOLDED:
        raise errors.BadTable("The header of the table refers to itself so often that it has no end in sight.")


def _check_votable(data: bytes, most: int | None) -> None:
    """Refuse ``<STREAM href="…">`` (VOTable 1.5, section 5.4), whose address astropy would open, and huge cells.

    Astropy opens ``file:///etc/passwd``, or an address of the gateway's own network, as readily as an archive's, and
    allocates what ``nrows``, ``arraysize``, ``width`` and ``precision`` declare. The document is parsed by the same
    parser as astropy's and not searched as text: an attribute can come from a DTD, an element from an entity, and both
    in another encoding. The reader reports documents that are no XML.
    """
    parser = expat.ParserCreate()
    row_bytes, rows = 0, data.count(_ROW_MARKS["votable"])

    def start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal row_bytes, rows
        element = name.rpartition(":")[2].upper()
        named = {key.rpartition(":")[2].lower(): value for key, value in attributes.items()}
        if element == "STREAM" and "href" in named:
            raise errors.BadTable(_ELSEWHERE)
        check_unit(named.get("unit", ""))
        if any(len(_digits(named.get(key, ""))) > _LONGEST_FORMAT for key in ("width", "precision")):
            raise errors.BadTable("The VOTable declares a width or precision that no number has.")
        if element == "TABLE":
            rows = max(rows, int(_digits(named.get("nrows", ""))[:_LONGEST_COUNT] or 0))
            check_rows(rows - _HEADER_LINES, most)
        elif element == "FIELD":
            sides = [int(_digits(side)[:_LONGEST_COUNT] or 1) for side in named.get("arraysize", "").split("x")]
            row_bytes += math.prod(sides) * _ITEM_BYTES.get(named.get("datatype", ""), 1)
            if most is not None and max(rows, 1) * row_bytes > _MOST_DECLARED:
                raise errors.BadTable("The VOTable declares cells that would take more memory than any table here.")

    def declared(*_: object) -> None:
        raise errors.BadTable(_ELSEWHERE)

    parser.StartElementHandler = start
    # old VOTables name a DTD, which is never loaded; entities and default attributes have no place in a table
    parser.EntityDeclHandler = declared
    parser.AttlistDeclHandler = declared
    try:
        parser.Parse(data, True)  # noqa: FBT003 - the C function takes it by position only
    except expat.ExpatError:
        return


def _digits(text: str) -> str:
    return "".join(filter(str.isdecimal, text)).lstrip("0")
