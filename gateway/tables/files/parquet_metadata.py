"""Reads the columns' metadata in a Parquet file as astronomers' programs write it: units, UCDs, systems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from gateway.tables import untrusted

if TYPE_CHECKING:
    from collections.abc import Mapping

_ASTROPY = b"table_meta_yaml"
_VOTABLE = b"IVOA.VOTable-Parquet.content"


@dataclass(frozen=True, slots=True)
class Declared:
    """Metadata of a column; ``None`` or ``""`` where missing."""

    unit: str | None = None
    ucd: str | None = None
    description: str = ""
    frame: str = ""


def declared(metadata: Mapping[bytes, bytes] | None) -> dict[str, Declared]:
    """Return the columns' metadata in a schema, by name.

    astropy writes the header of an ECSV; TOPCAT and STILTS write that of a VOTable (VOParquet 1.0, an IVOA note).
    Metadata that can't be read are ignored.
    """
    said = metadata or {}
    return _of_astropy(said.get(_ASTROPY, b"")) | _of_votable(said.get(_VOTABLE, b""))


def _of_astropy(header: bytes) -> dict[str, Declared]:
    # the objects of astropy after the columns are not needed
    columns, _, _ = header.decode("utf-8", "replace").partition("\nmeta:")
    if not columns:
        return {}
    from astropy.io.misc.yaml import load  # takes 0.3 s, for such tables only

    untrusted.guard_units()
    try:
        untrusted.check_yaml(columns)
        found = load(columns)
    # the check's, PyYAML's own error, and any error of astropy's constructors
    except Exception:  # noqa: BLE001 - see above
        return {}
    listed: Any = found.get("datatype") if isinstance(found, dict) else None
    return {
        one["name"]: Declared(_text(one, "unit"), None, _text(one, "description") or "")
        for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict) and isinstance(one.get("name"), str)
    }


def _text(column: Mapping[str, Any], key: str) -> str | None:
    value = column.get(key)
    return value if isinstance(value, str) else None


def _of_votable(header: bytes) -> dict[str, Declared]:
    columns: list[Mapping[str, str]] = []
    systems: dict[str, str] = {}
    parser = expat.ParserCreate()

    def start(element: str, attributes: Mapping[str, str]) -> None:
        kind = element.rpartition(":")[2].upper()
        if kind == "FIELD" and "name" in attributes:
            columns.append(attributes)
        elif kind == "COOSYS":
            systems[attributes.get("ID", "")] = attributes.get("system", "").lower()

    parser.StartElementHandler = start
    try:
        parser.Parse(header, True)  # noqa: FBT003 - the C function takes it by position only
    except expat.ExpatError:
        return {}
    return {
        one["name"]: Declared(one.get("unit"), one.get("ucd"), "", systems.get(one.get("ref", ""), ""))
        for one in columns
    }
