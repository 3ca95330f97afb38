"""Turn the records of a table into questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway import errors
from gateway.domain import Target
from gateway.tables import values
from gateway.tables.columns import recognise
from gateway.tables.table import EXTRA, Field
from gateway.tables.words import DEC, FILE, FOV, KEY, NAME, PA, PGC, RA

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from gateway.tables.columns import Reading, Use

_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Row:
    """One question of a table.

    Attributes
    ----------
    number : int
        Position in the table, from 0.
    key : str
        The row's own: its key column, else what it asks about.
    target : Target, optional
    file : str, optional
        Name of an image sent along, instead of a target.
    problem : errors.InclinetError, optional
        Why the row asks nothing that can be answered; then there is neither target nor file.
    warnings : tuple of str
        What of the row was left out, in sentences.
    """

    number: int
    key: str
    target: Target | None = None
    file: str | None = None
    problem: errors.InclinetError | None = None
    warnings: tuple[str, ...] = ()


def rows_of(
    records: Iterable[Mapping[str, Any]],
    reading: Reading | None,
    files: Sequence[str] = (),
) -> list[Row]:
    """Turn records into questions; a record that asks nothing answerable becomes a row with a problem.

    Parameters
    ----------
    records : iterable of mapping
        Column name to value.
    reading : Reading, optional
        What the columns are; None where there is no table.
    files : sequence of str
        Names of images sent along. Without a table each is a row of its own.
    """
    if reading is None:
        return [Row(number, name, file=name) for number, name in enumerate(files)]
    sent = frozenset(files)
    return [question(number, record, reading, sent) for number, record in enumerate(records)]


def reading_of(records: Iterable[Mapping[str, Any]], choice: Mapping[str, str] | None = None) -> Reading:
    """Recognise the columns of records that come without a table: all keys that any of them has."""
    return recognise([Field(name) for name in dict.fromkeys(name for record in records for name in record)], choice)


def question(
    number: int,
    record: Mapping[str, Any],
    reading: Reading,
    files: Container[str] | None = None,
    *,
    lasting: bool = False,
) -> Row:
    """Turn one record into a question.

    What is believed, in this order: an image that is there, a PGC number, a position, a name. What can't be read is
    passed over with a warning where something else says what is meant, and is the row's problem where nothing does.

    Parameters
    ----------
    number : int
        Position in the table, from 0.
    record : mapping
        Column name to value.
    reading : Reading
        What :func:`gateway.tables.columns.recognise` said of the table.
    files : container of str, optional
        Names of the images that are there; any name will do unless given.
    lasting : bool
        Whether an image that is missing now is asked for all the same where the row says nothing else: it may come.
    """
    uses = reading.uses
    said = {role: _cell(record, uses[role]) if role in uses else "" for role in (KEY, PGC, NAME, FILE)}
    if record.get(EXTRA):
        extra = ", ".join(map(str, record[EXTRA]))[:_SHOWN] if isinstance(record[EXTRA], list) else str(record[EXTRA])
        problem = errors.BadTarget(f"The row has more cells than the table has columns: {extra} stands in none.")
        return Row(number, said[KEY] or said[NAME] or f"row {number + 1}", problem=problem)
    key = said[KEY]
    if said[FILE] and (files is None or said[FILE] in files):
        return Row(number, key or said[FILE], file=said[FILE])
    passed_over: list[errors.BadTarget] = []
    pgc = position = None
    if said[PGC]:
        try:
            pgc = values.pgc(said[PGC])
        except errors.BadTarget as problem:
            passed_over.append(problem)
    if RA in uses:
        try:
            position = _position(record, uses)
        except errors.BadTarget as problem:
            passed_over.append(problem)
    name = _name(record, reading, said[NAME])
    shown = f"PGC {pgc}" if pgc else said[NAME] or name or (" ".join(position).strip() if position else said[FILE])
    key = key or shown or f"row {number + 1}"
    if pgc is None and position is None and name is None:
        if passed_over:
            return Row(number, key, problem=passed_over[0])
        if said[FILE]:
            if lasting:
                return Row(number, key, file=said[FILE])
            problem = errors.BadTarget(f"No image named {said[FILE][:_SHOWN]} was sent along.")
            return Row(number, key, problem=problem)
        told = f" ({said[NAME][:_SHOWN]!r} is no name)" if said[NAME] else ""
        problem = errors.BadTarget(f"The row has no PGC number, name, position or image{told}.")
        return Row(number, key, problem=problem)
    warnings = [f"{problem.detail} It was passed over." for problem in passed_over]
    if said[FILE]:
        warnings.append(f"The image {said[FILE][:_SHOWN]} did not come along, and was passed over.")
    try:
        fov = _measured(record, uses, FOV, warnings)
        angle = _measured(record, uses, PA, warnings)
    except errors.BadTarget as problem:
        return Row(number, key, problem=problem)
    ra, dec = position or (None, None)
    target = Target(pgc, name, ra, dec or None, fov, angle)
    return Row(number, key, target, warnings=tuple(warnings))


def _cell(record: Mapping[str, Any], use: Use) -> str:
    return values.text_of(record.get(use.columns[0]))


def _position(record: Mapping[str, Any], uses: Mapping[str, Use]) -> tuple[str, str] | None:
    ra, dec = uses[RA], uses.get(DEC)
    first = tuple(values.text_of(record.get(name)) for name in ra.columns)
    if dec is None:
        return values.position(first, (), ra.conversion, ra.conversion)
    # a sign alone looks like a dash that stands for nothing
    second = tuple(_part(record.get(name)) for name in dec.columns)
    return values.position(first, second, ra.conversion, dec.conversion)


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


def _measured(record: Mapping[str, Any], uses: Mapping[str, Use], role: str, warnings: list[str]) -> float | None:
    use = uses.get(role)
    text = _cell(record, use) if use else ""
    if not text or use is None:
        return None
    read = values.field_of_view if role == FOV else values.position_angle
    value, warning = read(text, use.conversion)
    if warning:
        warnings.append(warning)
    return value
