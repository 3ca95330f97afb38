"""Checks on uploaded tables: they must not unpack without limit, nor make their reader fetch other files."""

from __future__ import annotations

import itertools
import math
import re
import textwrap
from functools import cache
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from gateway.core import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HEADER_LINES = 1000
"""More lines than the header of any usual table has."""
_MOST_YAML, _MOST_UNFOLDED = 1 << 18, 1 << 22
"""Size limits of the YAML of a header, characters: as written, which takes a second, and with its aliases unfolded."""
_HUGE_POWER = re.compile(r"(?:\*\*|\^|10\s*[+-])[\s(+-]*\d{4,}")
_SHOWN = 40
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


@cache
def guard_units() -> None:
    """Make astropy refuse units such as ``10**999999999 deg``, of which it would compute all digits, for hours.

    A unit can come from any format, and most are read within astropy: so its parsers are guarded. They raise the same
    error as for any other text that is no unit.
    """
    from astropy.units import format as formats

    def guarded(parse: Callable[[type, str], Any]) -> Callable[[type, str], Any]:
        def parsed(cls: type, text: str) -> Any:
            if _HUGE_POWER.search(text):
                raise ValueError(f"{text[:_SHOWN]!r} has a power that is too large for any unit")
            return parse(cls, text)

        return parsed

    for one in (formats.CDS, formats.FITS, formats.Generic, formats.OGIP, formats.VOUnit):
        one.parse = classmethod(guarded(vars(one)["parse"].__func__))


def check_ecsv(text: str, most: int | None) -> None:
    """Check an ECSV before astropy reads it.

    Raises
    ------
    errors.TableTooLarge
        The table has more rows than ``most``.
    errors.BadTable
        :func:`check_yaml` refuses its header.
    """
    check_rows(text.count("\n") - _HEADER_LINES, most)
    lines = (line.strip() for line in text.splitlines())
    header = itertools.takewhile(lambda line: line.startswith("#"), filter(None, lines))
    check_yaml("\n".join(line[1:] for line in header))


def check_yaml(text: str) -> None:
    """Check the YAML of a table's header before astropy reads it.

    Aliases of lists of aliases unfold to gigabytes where astropy writes them out as text.

    Raises
    ------
    errors.BadTable
        The text is damaged or too long, as it is or with its aliases unfolded.
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


def check_votable(data: bytes, most: int | None) -> None:
    """Check a VOTable before astropy reads it.

    Astropy opens the address of a ``<STREAM href="…">`` (VOTable 1.5, section 5.4), be it ``file:///etc/passwd`` or one
    of the gateway's own network, and allocates the cells that ``nrows``, ``arraysize``, ``width`` and ``precision``
    declare. The document is parsed by the same parser as astropy's and not searched as text: an attribute can come from
    a DTD, an element from an entity, and both in another encoding. The reader reports documents that are no XML.

    Raises
    ------
    errors.TableTooLarge
        The table has more rows than ``most``.
    errors.BadTable
        The data are elsewhere, or the table declares huge cells.
    """
    parser = expat.ParserCreate()
    rows = row_bytes = 0

    def start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal rows, row_bytes
        element = name.rpartition(":")[2].upper()
        named = {key.rpartition(":")[2].lower(): value for key, value in attributes.items()}
        if element == "STREAM" and "href" in named:
            raise errors.BadTable(_ELSEWHERE)
        if any(len(_digits(named.get(key, ""))) > _LONGEST_FORMAT for key in ("width", "precision")):
            raise errors.BadTable("The VOTable declares a width or precision that no number has.")
        if element == "TABLE":
            rows, row_bytes = _count(named.get("nrows", ""), 0), 0
        elif element == "TR":
            rows += 1
        elif element == "FIELD":
            sides = (_count(side, 1) for side in named.get("arraysize", "").split("x"))
            row_bytes += math.prod(sides) * _ITEM_BYTES.get(named.get("datatype", ""), 1)
        else:
            return
        check_rows(rows - _HEADER_LINES, most)
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


def _count(text: str, otherwise: int) -> int:
    return int(_digits(text)[:_LONGEST_COUNT] or otherwise)


def _digits(text: str) -> str:
    return "".join(filter(str.isdecimal, text)).lstrip("0")
