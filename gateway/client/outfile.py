"""The table of results: its columns, how it is written whole or not at all, and how it is read back."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any

from gateway.client import writers
from gateway.client.journal import Result
from gateway.client.source import clean
from gateway.client.tablefile import open_table
from gateway.core import errors
from gateway.tables import formats, results
from gateway.tables.results import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from gateway.client.journal import Lines
    from gateway.client.ledger import Ledger
    from gateway.client.source import Source

ASKED = Column("asked", "str", "What was asked: target or image, and how", ucd="meta.note")
COLUMNS = (results.KEY, ASKED, *(column for column in results.BATCH_COLUMNS if column is not results.KEY))
_REHEARSED = 1000
_NEEDED = {column.name for column in (results.KEY, ASKED, *results.PROBLEM_COLUMNS)} | {"inclination_deg", "release"}


def carried_along(source: Source) -> dict[str, Column]:
    """Return the columns of the source by the name they have there, renamed where a column of ours has the name."""
    taken = {column.name.lower() for column in COLUMNS}
    carried = {}
    for column in source.columns():
        name = clean(column.name) or "column"
        while name.lower() in taken:
            name = f"in_{name}"
        taken.add(name.lower())
        carried[column.name] = Column(name, column.kind, clean(column.description), column.unit or None, column.ucd)
    return carried


def rehearse(path: Path, source: Source, *, keep_columns: bool) -> None:
    """Write the first rows to nowhere, so that a format that can't hold the columns is found before anything is asked.

    Raises
    ------
    errors.BadTable
        The format can't hold them.
    """
    carried = carried_along(source) if keep_columns else {}
    columns = (*COLUMNS, *carried.values())
    first = list(itertools.islice(source.cells(), _REHEARSED)) if keep_columns else []
    empty = (None,) * len(COLUMNS)

    def rows() -> Iterator[Sequence[Any]]:
        return ((*empty, *map(_cell, map(cells.get, carried))) for cells in first)

    file_format = writers.format_of(path.suffix)
    assert file_format is not None  # noqa: S101 - checked before
    try:
        writers.rehearse(file_format, columns, rows)
    except (ValueError, TypeError, OverflowError) as error:
        said = str(error).partition("\n")[0][:200].removesuffix(".")
        raise errors.BadTable(
            f"{path} can't hold the columns of {source.name} ({said}); choose another format."
        ) from error


def _cell(value: Any) -> Any:
    return clean(value) or None if isinstance(value, str) else value


def write(path: Path, ledger: Ledger, source: Source, *, keep_columns: bool, about: Mapping[str, str]) -> None:
    """Write the results of all rows, in the order of the source.

    The file appears whole or not at all, and one that was there before stays until then.

    Parameters
    ----------
    path : Path
    ledger : Ledger
        Of the source, with no row open.
    source : Source
    keep_columns : bool
        Whether the source's own columns are carried along.
    about : mapping
        What is said of the table as a whole.
    """
    carried = carried_along(source) if keep_columns else {}
    columns = (*COLUMNS, *carried.values())

    def rows() -> Iterator[Sequence[Any]]:
        own = source.cells() if keep_columns else iter(dict, None)
        for result, cells in zip(ledger.results(), own, strict=False):
            extra = (cells.get(name) for name in carried)
            yield (
                *(result.row.get(column.name) for column in COLUMNS),
                *map(_cell, extra),
            )

    file_format = writers.format_of(path.suffix)
    assert file_format is not None  # noqa: S101 - checked before anything was asked
    being_written = path.with_name(f".{path.name}.writing")
    try:
        with being_written.open("wb") as file:
            writers.write(file, file_format, columns, rows, about)
            file.flush()
            os.fsync(file.fileno())
        being_written.replace(path)
    finally:
        being_written.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def is_as_written(path: Path) -> bool:
    """Tell whether a result table has our columns and nothing else, and the format that its suffix promises."""
    with path.open("rb") as file:
        content = formats.format_of(file.read(formats.HEAD_BYTES)).removeprefix("ascii.")
    names = list(open_table(path, comments=False).names)
    return content == writers.format_of(path.suffix) and names == [column.name for column in COLUMNS]


def read(path: Path, ledger: Ledger, lines: Lines) -> None:
    """Copy the results of a table of an earlier run to ``lines``.

    Parameters
    ----------
    path : Path
        As :func:`write` left it, or sorted, cut or filtered since.
    ledger : Ledger
        Tells twins apart.
    lines : Lines

    Raises
    ------
    errors.BadTable
        It is no such table, or damaged.
    """
    table = open_table(path, comments=False)
    if not set(table.names) >= _NEEDED:
        raise errors.BadTable(f"{path} is there already and is no result of inclinet batch. Choose another name.")
    at = path.stat().st_mtime
    kinds = {column.name: _READ[column.kind] for column in COLUMNS}

    twin_of = ledger.counter()
    for number, record in enumerate(table.records(kinds), 1):
        row: dict[str, Any] = {"key": "", "asked": ""}
        for name, kind in kinds.items():
            value = record.get(name)
            if value is None or value == "":
                continue
            try:
                row[name] = kind(value)
            except ValueError:
                raise errors.BadTable(f"In row {number} of {path} {name} can't be {value!r}.") from None
        lines.add(Result(row, twin_of(row["key"], row["asked"]), at))


def _whole(value: str | float) -> int:
    """Read a whole number, also where a program has written it with a decimal point."""
    return value if isinstance(value, int) else int(float(value))


_READ: dict[str, Callable[[Any], Any]] = {"str": str, "float": float, "int": _whole}
