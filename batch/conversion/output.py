"""The output of a batch: which outputs are refused, and what writes the result when all partitions are done."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from batch import storage
from batch.conversion import convert
from batch.conversion.own_columns import OwnColumns
from batch.errors import BatchError
from batch.hats.catalogue import library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from batch.inputs.source import Source
    from gateway.tables.results import Row

    Write = Callable[[Callable[[], Iterable[Row]], Mapping[str, str]], None]
    """Writes the result, given a function that returns an iterator over its rows, and facts about the result."""


def is_table(out: str) -> bool:
    """Return whether an output is one table, by its name."""
    return convert.format_of(Path(out).suffix) is not None


def check(out: str, what: Iterable[str], *, hats: bool) -> None:
    """Raise an error for an output that is impossible.

    Parameters
    ----------
    out : str
        Path or URL.
    what : iterable of str
        Paths or URLs of the input.
    hats : bool
        Whether the result is a HATS catalogue.

    Raises
    ------
    BatchError
    """
    suffix = Path(out).suffix
    if any(storage.absolute(one).rstrip("/") == storage.absolute(out).rstrip("/") for one in what):
        raise BatchError(f"{out} is what is asked; the results need a name of their own.")
    if hats and is_table(out):
        raise BatchError(f"A HATS catalogue is a folder, and {out} has the name of a table.")
    fs, path = storage.locate(out)
    if storage.is_local(fs):
        is_folder = fs.isdir(path)
        if not Path(path).parent.is_dir():
            raise BatchError(f"There is no folder {Path(out).parent}.")
        if is_table(out) and is_folder:
            raise BatchError(f"{out} is a folder.")
        if not is_table(out) and not is_folder and (suffix or Path(path).exists()) and not (hats and suffix):
            raise BatchError(f"The name of {out} has to end in one of {convert.suffixes()}, or be that of a folder.")


def writer(
    out: str, folder: str, found: Source, *, choice: Mapping[str, str], keep_columns: bool, hats: bool
) -> Write | None:
    """Return the function that writes the result, after a check of the format; None if the partitions are the result.

    Parameters
    ----------
    out : str
        Path or URL.
    folder : str
        Folder of the partitions.
    found : Source
        Input; a HATS catalogue where the result is to be one.
    choice : mapping
        Column by role, where a person chose it.
    keep_columns : bool
        Whether to copy the input's columns to the result.
    hats : bool
        Whether the result is a HATS catalogue.

    Raises
    ------
    BatchError
    """
    if hats and found.hats is not None:
        with library():
            from batch.hats import result  # takes two seconds and 100 MB, for HATS only
        result.check(out)
        made = result.HatsResult(found.hats, found.files, choice=choice, all_columns=keep_columns)
        return partial(made.write, out, folder)
    if not is_table(out):
        return None
    own = OwnColumns(found) if keep_columns else None
    convert.rehearse(out, own)
    return partial(convert.convert, out, own)
