"""Converts the records of a table to questions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.core import errors
from gateway.core.models import Target
from gateway.tables.cells import coordinates, values
from gateway.tables.header.size_columns import SIZES
from gateway.tables.header.words import DEC, FILE, FOV, KEY, NAME, PA, PGC, RA, words_of
from gateway.tables.table import EXTRA

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from gateway.tables.header.column_use import Reading, Use

_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Row:
    """The question in one row of a table.

    Attributes
    ----------
    number : int
        Position in the table, from 0.
    key : str
        Key of the row: the cell of its key column, else what the row asks about.
    target : Target, optional
    file : str, optional
        Name of an uploaded image, instead of a target.
    problem : errors.GatewayError, optional
        Error, if the row can't be answered; then there is neither target nor file.
    warnings : tuple of str
        Sentences about parts of the row that were left out.
    """

    number: int
    key: str
    target: Target | None = None
    file: str | None = None
    problem: errors.GatewayError | None = None
    warnings: tuple[str, ...] = ()


def rows_of(
    records: Iterable[Mapping[str, Any]],
    reading: Reading | None,
    files: Sequence[str] = (),
) -> list[Row]:
    """Convert records to questions; a record that can't be answered becomes a row with a problem.

    Parameters
    ----------
    records : iterable of mapping
        Column name to value.
    reading : Reading, optional
        Meaning of the columns; None where there is no table.
    files : sequence of str
        Names of uploaded images. Without a table each is a row of its own.
    """
    if reading is None:
        return [Row(number, name, file=name) for number, name in enumerate(files)]
    sent = frozenset(files)
    return [question(number, record, reading, sent) for number, record in enumerate(records)]


def question(
    number: int,
    record: Mapping[str, Any],
    reading: Reading,
    files: Container[str] | None = None,
    *,
    lasting: bool = False,
) -> Row:
    """Convert one record to a question.

    An available image has priority over a PGC number, that over a position, that over a name. A cell that can't be read
    is left out with a warning if another one names the galaxy, and is the row's problem otherwise.

    Parameters
    ----------
    number : int
        Position in the table, from 0.
    record : mapping
        Column name to value.
    reading : Reading
        Result of :func:`gateway.tables.header.columns.recognise` for the table.
    files : container of str, optional
        Names of the available images; any name counts as available unless given.
    lasting : bool
        Whether a row whose only target is a missing image still asks about that image, because it may come later.
    """
    uses = reading.uses
    said = {role: _cell(record, uses[role]) if role in uses else "" for role in (KEY, PGC, NAME, FILE)}
    if record.get(EXTRA):
        return Row(number, said[KEY] or said[NAME] or f"row {number + 1}", problem=_misfit(record[EXTRA]))
    if said[FILE] and (files is None or said[FILE] in files):
        return Row(number, said[KEY] or said[FILE], file=said[FILE])
    found = _evidence(record, reading, said[PGC], said[NAME])
    position = " ".join(found.position or ()).strip()
    shown = f"PGC {found.pgc}" if found.pgc else said[NAME] or found.name or position or said[FILE]
    key = said[KEY] or shown or f"row {number + 1}"
    if found.pgc is None and found.position is None and found.name is None:
        if said[FILE] and lasting and not found.passed_over:
            return Row(number, key, file=said[FILE])
        return Row(number, key, problem=found.passed_over[0] if found.passed_over else _nothing(said))
    warnings = [f"{problem.detail} It was passed over." for problem in found.passed_over]
    if said[FILE]:
        warnings.append(f"The image {said[FILE][:_SHOWN]} did not come along, and was passed over.")
    if found.position and coordinates.is_zero(found.position):
        warnings.append("The position 0, 0 often stands for a missing one.")
    try:
        fov = _field(record, uses, warnings)
        angle = _measured(record, uses, PA, warnings)
    except errors.BadTarget as problem:
        return Row(number, key, problem=problem)
    ra, dec = found.position or (None, None)
    target = Target(found.pgc, found.name, ra, dec or None, fov, angle)
    return Row(number, key, target, warnings=tuple(warnings))


@dataclass(slots=True)
class _Evidence:
    """The cells of a record that identify its galaxy."""

    pgc: int | None = None
    position: tuple[str, str] | None = None
    name: str | None = None
    passed_over: list[errors.BadTarget] = field(default_factory=list)


def _evidence(record: Mapping[str, Any], reading: Reading, pgc: str, name: str) -> _Evidence:
    found = _Evidence(name=_name(record, reading, name))
    if pgc:
        try:
            found.pgc = values.pgc(pgc)
        except errors.BadTarget as problem:
            found.passed_over.append(problem)
    if RA in reading.uses:
        try:
            found.position = _position(record, reading.uses)
        except errors.BadTarget as problem:
            found.passed_over.append(problem)
    return found


def _misfit(extra: Any) -> errors.BadTarget:
    shown = (", ".join(map(str, extra)) if isinstance(extra, list) else str(extra))[:_SHOWN]
    return errors.BadTarget(f"The row's cells do not fit the columns: {shown} is too much, or too little.")


def _nothing(said: Mapping[str, str]) -> errors.BadTarget:
    if said[FILE]:
        return errors.BadTarget(f"No image named {said[FILE][:_SHOWN]} was sent along.")
    told = f" ({said[NAME][:_SHOWN]!r} is no name)" if said[NAME] else ""
    return errors.BadTarget(f"The row has no PGC number, name, position or image{told}.")


def _cell(record: Mapping[str, Any], use: Use) -> str:
    return values.text_of(record.get(use.columns[0]))


def _position(record: Mapping[str, Any], uses: Mapping[str, Use]) -> tuple[str, str] | None:
    ra, dec = uses[RA], uses.get(DEC)
    first = tuple(values.text_of(record.get(name)) for name in ra.columns)
    if dec is None:
        return coordinates.position(first, (), ra.conversion, ra.conversion)
    # a sign alone looks like a dash that means "empty"
    second = tuple(_part(record.get(name)) for name in dec.columns)
    signed = words_of(dec.columns[0])[-1:] == ("sign",)
    return coordinates.position(first, second, ra.conversion, dec.conversion, signed=signed)


def _part(cell: Any) -> str:
    sign = cell.strip() if isinstance(cell, str) else ""
    return sign if sign in {"+", "-", "\N{MINUS SIGN}"} else values.text_of(cell)


def _name(record: Mapping[str, Any], reading: Reading, said: str) -> str | None:
    use = reading.uses.get(NAME)
    found = values.name(said, use.prefix) if said and use else None
    for other in reading.more_names:
        if found is not None:
            break
        text = _cell(record, other)
        found = values.name(text, other.prefix) if text else None
    return found


def _field(record: Mapping[str, Any], uses: Mapping[str, Use], warnings: list[str]) -> float | None:
    """Return the field of view in a record, or one made from the first of its sizes, arcmin."""
    found = (_measured(record, uses, role, warnings) for role in (FOV, *SIZES) if role in uses)
    return next((fov for fov in found if fov is not None), None)


def _measured(record: Mapping[str, Any], uses: Mapping[str, Use], role: str, warnings: list[str]) -> float | None:
    use = uses.get(role)
    text = _cell(record, use) if use else ""
    if not text or use is None:
        return None
    if role in SIZES:
        value, warning = values.field_of_size(text, role, use.conversion)
    else:
        value, warning = (values.field_of_view if role == FOV else values.position_angle)(text, use.conversion)
    if warning:
        warnings.append(warning)
    return value
