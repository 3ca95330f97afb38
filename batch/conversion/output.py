"""The output: which ones are refused, and what writes the result when all partitions are there."""

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
    """Writes the result, given what begins to go through its rows, and what is said of them as a whole."""


def is_table(out: str) -> bool:
    """Tell whether an output is one table, by its name."""
    return convert.format_of(Path(out).suffix) is not None


def check(out: str, what: Iterable[str], *, hats: bool) -> None:
    """Refuse an output that can't be.

    Parameters
    ----------
    out : str
        Path or URL.
    what : iterable of str
        What is asked.
    hats : bool
        Whether it is to be a HATS catalogue.

    Raises
    ------
    BatchError
    """
    suffix = Path(out).suffix
    if any(storage.full(one).rstrip("/") == storage.full(out).rstrip("/") for one in what):
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
    """Return what writes the result, and see that it can hold that; None where the partitions are the result.

    Parameters
    ----------
    out : str
        Path or URL.
    folder : str
        Of the partitions.
    found : Source
        What is asked; a HATS catalogue where the result is to be one.
    choice : mapping
        Which column is which, where a person says it.
    keep_columns : bool
        Carry the columns of what is asked along.
    hats : bool
        Whether it is to be a HATS catalogue.

    Raises
    ------
    BatchError
    """
    if hats and found.hats is not None:
        with library():
            from batch.hats import result  # two seconds and 100 MB that no other batch needs
        result.check(out)
        made = result.HatsResult(found.hats, found.files, choice=choice, all_columns=keep_columns)
        return partial(made.write, out, folder)
    if not is_table(out):
        return None
    own = OwnColumns(found) if keep_columns else None
    convert.rehearse(out, own)
    return partial(convert.convert, out, own)
