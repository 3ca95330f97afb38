"""Files that are written whole or not at all."""

from __future__ import annotations

import csv
import json
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` to write to, and rename it in the end.

    A reader never sees half a file, and what was there stays when writing fails.
    """
    partial = path.with_name(path.name + ".partial")
    yield partial
    partial.replace(path)


def write_csv(path: Path, columns: Iterable[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table."""
    with written_whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(columns)
        table.writerows(rows)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON; numbers that are not finite become null, for the standard knows no NaN."""
    with written_whole(path) as partial:
        partial.write_text(json.dumps(_finite(content), indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
