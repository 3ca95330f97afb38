"""Reads tables with astropy: FITS, VOTable, ECSV, IPAC, CDS, LaTeX and other layouts of text."""

from __future__ import annotations

import io
import itertools
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import ascii as texts
from astropy.io import fits, votable
from astropy.table import Column, MaskedColumn, Table
from astropy.units import Quantity

from gateway.core import errors
from gateway.tables import untrusted
from gateway.tables.files import formats
from gateway.tables.files.text import encoding_of
from gateway.tables.header.columns import recognise
from gateway.tables.table import ROWS_AT_ONCE, Field, plain, short

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from gateway.tables.data import Data

_SINGLE_BYTES = 4
_INT64_MOST = 2**63 - 1
_KINDS = {"f": "float", "i": "int", "u": "int", "b": "int"}
_OTHER_TYPES = {"integer": "int", "smallint": "short", "bigint": "long", "real": "float"}
"""Types of databases, which some archives write into VOTables instead of the standard's types."""
_SHOWN = 300
_YAML = "--BEGIN-ASTROPY-SERIALIZED-COLUMNS--", "--END-ASTROPY-SERIALIZED-COLUMNS--"
_CARD = 70
_B1950 = 1950.0


class AstropyFile:
    """A table stored by columns: FITS columns stay on disk, others are in memory.

    Parameters
    ----------
    data : Data
    file_format : str
        Result of :func:`gateway.tables.files.formats.format_of`.
    most : int, optional
        Most rows that are accepted.

    Raises
    ------
    errors.BadTable, errors.TableTooLarge
    """

    def __init__(self, data: Data, file_format: str, *, most: int | None = None) -> None:
        self.notes: list[str] = []
        untrusted.guard_units()
        with warnings.catch_warnings():
            # our own errors cover astropy's warnings, as far as they matter for a query
            warnings.simplefilter("ignore")
            if file_format == formats.FITS:
                self._table = self._fits(data, most)
            elif file_format == formats.VOTABLE:
                self._table = self._votable(data, most)
            else:
                self._table = self._text(data, file_format, most)
            untrusted.check_rows(len(self._table), most)
            self._columns = _flat(self._table, self.notes)
        self.fields = [_field(name, column) for name, column in self._columns.items()]

    def records(self, only: Collection[str] | None = None) -> Iterator[Mapping[str, Any]]:
        """Read the rows."""
        names = [name for name in self._columns if only is None or name in only]
        for start in range(0, len(self._table), ROWS_AT_ONCE):
            columns = [_values(self._columns[name][start : start + ROWS_AT_ONCE]) for name in names]
            if not columns:
                yield from itertools.repeat({}, min(ROWS_AT_ONCE, len(self._table) - start))
            for values in zip(*columns, strict=True):
                yield dict(zip(names, values, strict=True))

    def _text(self, data: Data, file_format: str, most: int | None) -> Any:
        text = data.read().decode(encoding_of(data), "replace")
        if file_format == formats.ECSV:
            untrusted.check_ecsv(text, most)
        # the format was recognised by its content, so astropy must not guess
        return texts.read(text.splitlines(), format=file_format.removeprefix("ascii."), guess=False)

    def _fits(self, data: Data, most: int | None) -> Any:
        source: Any = io.BytesIO(data.content) if isinstance(data.content, bytes) else data.content
        with fits.open(source, memmap=not isinstance(data.content, bytes)) as opened:
            return self._of_hdus(opened, most)

    def _of_hdus(self, opened: Any, most: int | None) -> Any:
        tables = [hdu for hdu in opened if isinstance(hdu, (fits.BinTableHDU, fits.TableHDU)) and not _is_image(hdu)]
        if not tables:
            raise errors.BadTable(
                "The FITS file holds an image and no table. To measure the image, send it in the field file."
                if any(getattr(hdu, "shape", ()) or hdu.header.get("NAXIS", 0) for hdu in opened)
                else "The FITS file holds no table."
            )
        index = _chosen([_declared(hdu) for hdu in tables])
        hdu = tables[index]
        if len(tables) > 1:
            self.notes.append(f"Of {len(tables)} tables, {hdu.name or f'number {index + 1}'} is read.")
        untrusted.check_rows(hdu.header["NAXIS2"], most)
        untrusted.check_yaml(_yaml_of(hdu.header))
        table = Table.read(hdu)
        frame = str(hdu.header.get("RADESYS", hdu.header.get("RADECSYS", ""))).strip().lower()
        if not frame and hdu.header.get("EQUINOX") == _B1950:
            frame = "fk4"  # the standard's default (FITS 4.0, section 8.3)
        for name in table.colnames:
            table[name].info.meta = {**(table[name].info.meta or {}), "frame": frame}
        if len(table) == 1 and table.colnames:
            lengths = {table[name].shape[1:] for name in table.colnames}
            if len(lengths) == 1 and len(shape := lengths.pop()) == 1 and shape[0] > 1:
                untrusted.check_rows(shape[0], most)
                self.notes.append("The table's one row holds whole columns, as STILTS writes them (colfits).")
                unfolded = Table({name: table[name][0] for name in table.colnames}, copy=False)
                for name in table.colnames:
                    unfolded[name].unit = table[name].unit
                return unfolded
        return table

    def _votable(self, data: Data, most: int | None) -> Any:
        content = data.read()
        # a server may print an empty line first; text of two bytes a character begins with its mark
        content = content if content[:1] in {b"\xff", b"\xfe"} else content.lstrip()
        untrusted.check_votable(content, most)
        document = votable.parse(io.BytesIO(content), verify="ignore", datatype_mapping=_OTHER_TYPES)
        for info in _infos(document):
            said = info.name.lower() if info.name else ""
            if (said == "query_status" and str(info.value).upper() == "ERROR") or said == "error":
                told = " ".join(str(info.content or (info.value if said == "error" else "")).split())[:_SHOWN]
                raise errors.BadTable(
                    f"The archive answered with an error instead of a table: {told or 'it does not say which'}"
                    + ("" if told.endswith((".", "!")) else ".")
                )
            if said == "query_status" and str(info.value).upper() == "OVERFLOW":
                note = "The archive cut the table off at its limit of rows (OVERFLOW): there are more than it holds."
                if note not in self.notes:
                    self.notes.append(note)
        tables = list(document.iter_tables())
        with_fields = [table for table in tables if table.fields]
        if not with_fields:
            raise errors.BadTable("The VOTable holds no table.")
        index = _chosen([[Field(one.name or one.ID, ucd=one.ucd) for one in table.fields] for table in with_fields])
        chosen = with_fields[index]
        if len(tables) > 1:
            named = chosen.name or chosen.ID or f"number {tables.index(chosen) + 1}"
            self.notes.append(f"Of {len(tables)} tables, {named} is read.")
        made = chosen.to_table(use_names_over_ids=True)
        systems = {one.ID: str(one.system or "").lower() for one in document.iter_coosys()}
        names = [one.name or one.ID for one in chosen.fields]
        for name, one in zip(made.colnames, chosen.fields, strict=True):
            # a unit such as "h:m:s" is outside of the standard, but names the notation
            made[name].info.meta = {**(made[name].info.meta or {}), "ucd": one.ucd, "as written": str(one.unit or "")}
            made[name].info.meta["frame"] = systems.get(one.ref or "", "")
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            self.notes.append(f"The table has more than one column {', '.join(sorted(twice)[:3])}.")
        return made


def _infos(document: Any) -> Iterator[Any]:
    yield from document.infos
    for resource in document.resources:
        yield from resource.infos
        yield from (one for one in resource.params if (one.name or "").lower() == "error")
        for table in resource.tables:
            yield from table.infos


def _is_image(hdu: Any) -> bool:
    """Return whether a binary table holds a compressed image."""
    return bool(hdu.header.get("ZIMAGE", False))


def _declared(hdu: Any) -> list[Field]:
    header = hdu.header
    return [
        Field(str(header.get(f"TTYPE{n}", f"col{n}")), unit=header.get(f"TUNIT{n}"), ucd=header.get(f"TUCD{n}"))
        for n in range(1, int(header["TFIELDS"]) + 1)
    ]


def _chosen(tables: Sequence[Sequence[Field]]) -> int:
    """Return the index of the first table that names galaxies; 0 where none does."""
    for index, fields in enumerate(tables):
        try:
            recognise(fields)
        except errors.BadTable:
            continue
        return index
    return 0


def _flat(table: Any, notes: list[str]) -> dict[str, Any]:
    """Return the columns with one value per row by name; for coordinates, right ascension and declination."""
    columns: dict[str, Any] = {}
    arrays = []
    for name in table.colnames:
        column = table[name]
        if hasattr(column, "icrs"):
            celestial = column.icrs
            for part, angle in (("ra", celestial.ra), ("dec", celestial.dec)):
                columns[f"{name}.{part}"] = _degrees(angle)
        elif not hasattr(column, "dtype"):
            continue  # such as times
        elif (one := _one_value(column)) is None:
            arrays.append(name)
        else:
            columns[name] = one
    if arrays:
        notes.append(f"Left out, as a row holds several values there: {', '.join(arrays[:5])}.")
    return columns


def _yaml_of(header: Any) -> str:
    """Return the YAML that astropy writes into COMMENT cards; a card of 71 characters continues in the next one."""
    cards = [str(card) for card in header.get("COMMENT", ())]
    begin, end = (cards.index(mark) if mark in cards else 0 for mark in _YAML)
    joined = (card[:_CARD] + ("" if len(card) == _CARD + 1 else "\n") for card in cards[begin + 1 : end])
    return "".join(joined)


def _one_value(column: Any) -> Any:
    """Return a column with one value per row, or None."""
    if isinstance(column, Quantity):
        values, mask = column.value, getattr(column, "mask", None)
        column = Column(values, unit=column.unit)
        if mask is not None:
            column = MaskedColumn(values.unmasked, mask=mask, unit=column.unit)
    if column.dtype.kind == "O" and any(isinstance(cell, np.ndarray) for cell in column):
        # columns of variable length (FITS 4.0, section 7.3.5): texts, or numbers of which a row has several
        cells = [np.asarray(cell) for cell in column]
        if not all(cell.dtype.kind in "SU" for cell in cells):
            return None
        # a chararray cuts blanks off each of its characters
        return Column(["".join(cell.view(np.ndarray).ravel().tolist()) for cell in cells], meta=column.info.meta)
    shape = column.shape[1:]
    if shape == (1,):
        return column[:, 0]
    return None if shape else column


def _degrees(angle: Any) -> Any:
    return Column(angle.deg, unit="deg")


def _field(name: str, column: Any) -> Field:
    meta = getattr(column.info, "meta", None) or {}
    unit = meta.get("as written") or (None if column.unit is None else str(column.unit))
    kind = _KINDS.get(column.dtype.kind, "str")
    if (
        column.dtype.kind == "u"
        and column.dtype.itemsize > _SINGLE_BYTES
        and len(column)
        and column.max() > _INT64_MOST
    ):
        kind = "str"  # no format of a result holds it as a number
    ucd = meta.get("ucd") or meta.get("UCD")
    description, frame = str(column.info.description or ""), meta.get("frame", "")
    return Field(name, kind, unit, str(ucd) if ucd else None, description, frame)


def _values(column: Any) -> list[Any]:
    single = column.dtype.kind == "f" and column.dtype.itemsize == _SINGLE_BYTES
    values = column.tolist()
    return [plain(short(value) if single else value) for value in values]
