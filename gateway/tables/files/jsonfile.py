"""Tables as JSON: a list of objects, an object of lists, or an object a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gateway.core import errors
from gateway.tables.table import Field
from gateway.tables.untrusted import check_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from gateway.tables.data import Data

_MOST_KEYS = 32
"""Most values that a record usually has, to estimate the number of rows before they are read."""
_KINDS = "a list of objects, an object of lists of one length, or an object a line"


class JsonFile:
    """A table as JSON; integers of any size stay exact.

    Parameters
    ----------
    data : Data
    most : int, optional
        Most rows that are accepted.

    Raises
    ------
    errors.BadTable, errors.TableTooLarge
    """

    def __init__(self, data: Data, *, most: int | None = None) -> None:
        content = data.read()
        # one comma per value: a text full of commas becomes gigabytes of objects
        check_rows(content.count(b",") // _MOST_KEYS, most)
        self._records = _records(content)
        check_rows(len(self._records), most)
        names = dict.fromkeys(name for record in self._records for name in record)
        self.fields = [Field(name) for name in names if name]
        self.notes: list[str] = []

    def records(self, only: Collection[str] | None = None) -> Iterator[Mapping[str, Any]]:
        """Yield the records."""
        del only  # the records are in memory
        return ({name: _scalar(value) for name, value in record.items() if name} for record in self._records)


def _records(content: bytes) -> list[dict[str, Any]]:
    try:
        said = json.loads(content, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        lined = _by_lines(content)
        if lined is None:
            raise errors.BadTable("The body is not valid JSON.") from error
        return lined
    if isinstance(said, list):
        if all(isinstance(record, dict) for record in said):
            return said
    elif isinstance(said, dict) and said:
        columns = {name: _column(value) for name, value in said.items()}
        lengths = {len(column) if column is not None else -1 for column in columns.values()}
        if lengths != {-1} and len(lengths) == 1 and -1 not in lengths:
            return [
                dict(zip(columns, cells, strict=True))
                for cells in zip(*(column or [] for column in columns.values()), strict=True)
            ]
    raise errors.BadTable(f"The body is not a JSON list of objects; what is read is {_KINDS}.")


def _column(value: Any) -> list[Any] | None:
    """Return a column: a list, or an object keyed by row number, as pandas writes it."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and all(key.isdecimal() for key in value):
        return list(value.values())
    return None


def _by_lines(content: bytes) -> list[dict[str, Any]] | None:
    records = []
    for line in content.splitlines():
        if not line.strip():
            continue
        try:
            record = json.loads(line, object_pairs_hook=_object)
        except (ValueError, RecursionError):
            return None
        if not isinstance(record, dict):
            return None
        records.append(record)
    return records or None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    known = dict(pairs)
    if len(known) < len(pairs):
        raise errors.BadTable("An object of the JSON has a key twice.")
    return known


def _scalar(value: Any) -> Any:
    return None if isinstance(value, (list, dict)) else value
