"""Answers as tables: CSV and VOTable, one row per galaxy, with units and UCDs."""

from __future__ import annotations

import csv
import functools
import io
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.core import errors


class Format(StrEnum):
    """How an answer is written."""

    JSON = "json"
    CSV = "csv"
    VOTABLE = "votable"


MEDIA_TYPES = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv; charset=utf-8; header=present",
    Format.VOTABLE: "application/x-votable+xml",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result table; ``kind`` is ``float``, ``int`` or ``str``.

    ``link`` is the address of a page about each value, in which ``${name}`` stands for the value (VOTable 1.4,
    section 3.5).
    """

    name: str
    kind: str
    description: str
    unit: str | None = None
    ucd: str | None = None
    link: str | None = None


HYPERLEDA = "http://atlas.obs-hp.fr/hyperleda/ledacat.cgi?o=pgc${pgc}"
GALAXY_COLUMNS = (
    Column("name", "str", "Name that the resolver prefers", ucd="meta.id;meta.main"),
    Column("pgc", "int", "Principal Galaxies Catalogue number", ucd="meta.id", link=HYPERLEDA),
    Column("ra_deg", "float", "Right ascension, J2000", "deg", "pos.eq.ra;meta.main"),
    Column("dec_deg", "float", "Declination, J2000", "deg", "pos.eq.dec;meta.main"),
    Column("d25_arcmin", "float", "Major diameter at 25 mag/arcsec^2", "arcmin", "phys.angSize.smajAxis"),
    Column("axis_ratio", "float", "Minor over major axis", None, "phys.angSize;arith.ratio"),
    Column("position_angle_deg", "float", "Position angle of the major axis, east of north", "deg", "pos.posAng"),
    Column("galaxy_source", "str", "Catalogue or service that resolved the target", ucd="meta.ref"),
    Column("size_source", "str", "Catalogue or service that the diameter is from", ucd="meta.ref"),
)

WARNINGS = Column("warnings", "str", "Warnings in plain words", ucd="meta.note")

INCLINATION_COLUMNS = (
    Column("image_source", "str", "Survey, upload, or imaging", ucd="meta.id;instr"),
    Column(
        "inclination_deg", "float", "Inclination: median of the ensemble", "deg", "src.orbital.inclination;meta.main"
    ),
    Column("mean_deg", "float", "Mean of the ensemble", "deg", "src.orbital.inclination;stat.mean"),
    Column("stdev_deg", "float", "Standard deviation of the ensemble", "deg", "stat.stdev;src.orbital.inclination"),
    Column("interval68_low_deg", "float", "Lower end of the 68 % interval", "deg", "stat.error;stat.min"),
    Column("interval68_high_deg", "float", "Upper end of the 68 % interval", "deg", "stat.error;stat.max"),
    Column("interval95_low_deg", "float", "Lower end of the 95 % interval", "deg", "stat.error;stat.min"),
    Column("interval95_high_deg", "float", "Upper end of the 95 % interval", "deg", "stat.error;stat.max"),
    Column(
        "below95_deg",
        "float",
        "Upper bound for 95 %, where that interval reaches face-on",
        "deg",
        "src.orbital.inclination;stat.max",
    ),
    Column("n_flavors", "int", "Networks that answered", ucd="meta.number"),
    Column("rejection", "float", "Likelihood that a person would reject the image", None, "stat.probability"),
    Column("rejection_face_on", "float", "Its part for being too face-on, below 45 deg", None, "stat.probability"),
    Column(
        "rejection_unsuitable",
        "float",
        "Its part for being disturbed, crowded, poor or not a spiral",
        None,
        "stat.probability",
    ),
    Column("ellipticity_axis_ratio", "float", "Axis ratio of the fitted isophote", None, "phys.angSize;arith.ratio"),
    Column(
        "ellipticity_inclination_deg", "float", "Inclination from that axis ratio", "deg", "src.orbital.inclination"
    ),
    Column("release", "str", "Model release", ucd="meta.version"),
    WARNINGS,
)
RESOLUTION_COLUMNS = (*GALAXY_COLUMNS, WARNINGS)
"""The columns of a galaxy that was resolved but not measured."""

KEY = Column("key", "str", "The row's own key", ucd="meta.id")
PROBLEM_COLUMNS = (
    Column("problem_type", "str", "Kind of the problem, if there is no answer", ucd="meta.code.error"),
    Column("problem", "str", "Why there is no answer", ucd="meta.note"),
)
BATCH_COLUMNS = (KEY, *GALAXY_COLUMNS, *INCLINATION_COLUMNS, *PROBLEM_COLUMNS)
"""The columns of a table of many results, the same in every output."""

Row = dict[str, Any]


def problem_row(problem: errors.GatewayError) -> Row:
    """Return a problem in the columns of a result table."""
    return {"problem_type": problem.slug, "problem": problem.detail}


def choose(asked: Format | None, accept: str) -> Format:
    """Return the format that the query requests, else the first that the ``Accept`` header names, else JSON."""
    if asked is not None:
        return asked
    for part in accept.lower().split(","):
        media = part.split(";")[0].strip()
        if media in {"text/csv", "application/csv"}:
            return Format.CSV
        if media in {"application/x-votable+xml", "text/xml", "application/xml"}:
            return Format.VOTABLE
        if media in {"application/json", "text/html", "*/*", "application/*"}:
            return Format.JSON
    return Format.JSON


def table(rows: Iterable[Row], columns: tuple[Column, ...], file_format: Format) -> bytes:
    """Return rows as CSV or VOTable, the columns in order; None becomes an empty cell."""
    lines = (line(row, columns, file_format) for row in rows)
    return b"".join((head(columns, file_format), *lines, tail(file_format)))


def head(columns: tuple[Column, ...], file_format: Format) -> bytes:
    """Return everything before the first row: the names of the columns, and their metadata in a VOTable.

    The first VOTable imports astropy, which takes half a second.
    """
    if file_format is Format.CSV:
        return _csv(column.name for column in columns)
    return _votable_head(columns)


def line(row: Row, columns: tuple[Column, ...], file_format: Format) -> bytes:
    """Return one row as bytes."""
    values = (row.get(column.name) for column in columns)
    return _csv(values) if file_format is Format.CSV else votable_row(values)


def votable_row(values: Iterable[Any]) -> bytes:
    """Return the cells of a VOTable row; None and empty text become empty cells."""
    cells = "".join("<TD/>" if value in {None, ""} else f"<TD>{_xml(value)}</TD>" for value in values)
    return f"     <TR>{cells}</TR>\n".encode()


def tail(file_format: Format, *, error: str = "") -> bytes:
    """Return everything after the last row.

    Parameters
    ----------
    file_format : Format
    error : str
        Why rows are missing: a VOTable says so in an ``INFO`` after the table (DALI 1.1, section 4.4.1). CSV has no
        place for it.
    """
    if file_format is Format.CSV:
        return b""
    info = f'  <INFO name="QUERY_STATUS" value="ERROR">{_xml(error)}</INFO>\n' if error else ""
    return f"    </TABLEDATA>\n   </DATA>\n  </TABLE>\n{info} </RESOURCE>\n</VOTABLE>\n".encode()


def _csv(cells: Iterable[Any]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 forbids, escaped or not (section 2.2)."""


def _xml(value: Any) -> str:
    # a carriage return would be read back as a new line
    return escape(_NOT_XML.sub("\ufffd", str(value)), {"\r": "&#13;"})


@functools.cache
def _votable_head(columns: tuple[Column, ...]) -> bytes:
    from astropy.io.votable import writeto  # takes 0.5 s and 40 MB, for VOTables only
    from astropy.io.votable.tree import Info

    document = votable(columns)
    document.resources[0].infos.append(Info(name="QUERY_STATUS", value="OK"))
    written = io.BytesIO()
    writeto(document, written)
    # without rows, astropy ends the table after its fields
    return written.getvalue().partition(b"  </TABLE>")[0] + b"   <DATA>\n    <TABLEDATA>\n"


def votable(columns: Sequence[Column]) -> Any:
    """Return an ``astropy.io.votable.tree.VOTableFile`` of one table with these columns as FIELDs and no row."""
    from astropy.io.votable.tree import Field, Link, Resource, TableElement, VOTableFile

    document = VOTableFile()
    resource = Resource(type="results", name="inclinet")
    document.resources.append(resource)
    element = TableElement(document, name="inclinations")
    resource.tables.append(element)
    kinds = {"float": "double", "int": "long", "str": "unicodeChar"}
    for number, column in enumerate(columns, 1):
        field = Field(
            document,
            # not every column name is a valid ID in XML
            ID=column.name if column.name.isidentifier() and column.name.isascii() else f"column.{number}",
            name=column.name,
            datatype=kinds[column.kind],
            arraysize="*" if column.kind == "str" else None,
            unit=column.unit,
            ucd=column.ucd,
        )
        field.description = column.description
        if column.link:
            field.links.append(Link(href=column.link, content_role="doc", title="HyperLEDA"))
        element.fields.append(field)
    return document
