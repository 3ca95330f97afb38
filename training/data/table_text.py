"""Reads tables that are text, cell by cell: what the columns mean is another matter (``label_tables``)."""

from __future__ import annotations

import csv
import io
import warnings

import numpy as np

from training.data.dataset import TableFault


def rows(text: str, name: str) -> tuple[list[str], list[dict[str, str]]]:
    """Return the names of a table's columns in small letters, and its rows, every cell as text without blanks.

    Parameters
    ----------
    text : str
        A VOTable, or lines of cells that are apart by ``|``, tabs or commas, the first the names.
    name : str
        For error sentences.

    Raises
    ------
    TableFault
        It is no VOTable, though it begins as one.
    """
    if text.lstrip("\ufeff \n\r\t").startswith("<"):
        return _votable(text, name)
    lines = [line for line in text.lstrip("\ufeff").splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        return [], []
    separator = next((mark for mark in "|\t," if mark in lines[0]), ",")
    # a note may hold a quotation mark, which means nothing where cells are apart by a bar
    content = io.StringIO("\n".join(lines))
    table = (
        csv.reader(content) if separator == "," else csv.reader(content, delimiter=separator, quoting=csv.QUOTE_NONE)
    )
    columns = [column.strip().lower() for column in next(table)]
    return columns, [dict(zip(columns, (cell.strip() for cell in row), strict=False)) for row in table]


def _votable(text: str, name: str) -> tuple[list[str], list[dict[str, str]]]:
    from astropy.io.votable import parse_single_table  # half a second that only a VOTable is worth

    try:
        with warnings.catch_warnings():
            # what other programs write is seldom to the letter, and is read all the same
            warnings.simplefilter("ignore")
            table = parse_single_table(io.BytesIO(text.encode()), verify="ignore").to_table(use_names_over_ids=True)
    except (ValueError, IndexError, TypeError, OSError) as error:
        raise TableFault(f"{name} is no VOTable: {error}") from None
    columns = [str(column).strip().lower() for column in table.colnames]
    masked = np.ma.core.MaskedConstant
    return columns, [
        {key: "" if isinstance(cell, masked) else str(cell).strip() for key, cell in zip(columns, row, strict=True)}
        for row in table
    ]
