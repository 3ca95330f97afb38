"""Turn the records of a table into questions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway import errors
from gateway.domain import Target
from gateway.tables.columns import recognise

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence


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
    """

    number: int
    key: str
    target: Target | None = None
    file: str | None = None
    problem: errors.InclinetError | None = None


def rows_of(records: Sequence[Mapping[str, Any]], files: Iterable[str] = ()) -> list[Row]:
    """Turn records into questions; a record that asks nothing answerable becomes a row with a problem.

    Parameters
    ----------
    records : sequence of mapping
        Column name to value.
    files : iterable of str
        Names of images sent along. Without records each is a row of its own.

    Raises
    ------
    errors.BadTable
        No column is recognised.
    """
    available = list(files)
    if not records:
        return [Row(number, name, file=name) for number, name in enumerate(available)]
    columns, sent = recognise(name for record in records for name in record), frozenset(available)
    return [question(number, record, columns, sent) for number, record in enumerate(records)]


def question(
    number: int,
    record: Mapping[str, Any],
    columns: Mapping[str, str | None],
    files: Container[str] | None = None,
) -> Row:
    """Turn one record into a question.

    Parameters
    ----------
    number : int
        Position in the table, from 0.
    record : mapping
        Column name to value.
    columns : mapping
        What :func:`recognise` returned for the table.
    files : container of str, optional
        Names of the images sent along; any name will do unless given.
    """
    cells = {kind: _text(record.get(name)) if name else "" for kind, name in columns.items()}
    asked = (
        f"PGC {cells['pgc']}"
        if cells["pgc"]
        else cells["name"] or f"{cells['ra']} {cells['dec']}".strip() or cells["file"]
    )
    key = cells["key"] or asked or f"row {number + 1}"
    try:
        if cells["file"]:
            return Row(number, key, file=_sent_along(cells["file"], files))
        return Row(number, key, target=_target(cells))
    except errors.BadTarget as problem:
        return Row(number, key, problem=problem)


def _sent_along(name: str, files: Container[str] | None) -> str:
    if files is not None and name not in files:
        raise errors.BadTarget(f"No image named {name} was sent along.")
    return name


def _target(cells: Mapping[str, str]) -> Target:
    fov, angle = _number(cells["fov"], "field of view"), _number(cells["pa"], "position angle")
    if cells["pgc"]:
        number = _number(cells["pgc"], "PGC number")
        if number is None or number != int(number):
            raise errors.BadTarget(f"The PGC number {cells['pgc']} is not a whole number.")
        return Target(pgc=int(number), fov_arcmin=fov, position_angle_deg=angle)
    if cells["name"]:
        return Target(name=cells["name"], fov_arcmin=fov, position_angle_deg=angle)
    if cells["ra"]:
        return Target(ra=cells["ra"], dec=cells["dec"], fov_arcmin=fov, position_angle_deg=angle)
    raise errors.BadTarget("The row has no PGC number, name, position or image.")


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    return str(value).strip()


def _number(text: str, what: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise errors.BadTarget(f"The {what} {text[:40]!r} is not a number.")
    return value
