"""Reads tables that are text to cells; ``label_tables`` interprets the columns."""

from __future__ import annotations

import csv
import io
import warnings

import numpy as np

from training.data.dataset import TableFault


def rows(text: str, name: str) -> tuple[list[str], list[dict[str, str]]]:
    """Return a table's column names in lower case, and its rows, with every cell as text without blanks.

    Parameters
    ----------
    text : str
        VOTable, or lines of cells separated by ``|``, tabs or commas, the first line with the names.
    name : str
        Name of the table, for errors.

    Raises
    ------
    TableFault
        The text begins as a VOTable but is none.
    """
    if text.lstrip("\ufeff \n\r\t").startswith("<"):
        return _votable(text, name)
    lines = [line for line in text.lstrip("\ufeff").splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        return [], []
    separator = next((mark for mark in "|\t," if mark in lines[0]), ",")
    # a note may hold a quotation mark, which has no meaning where bars separate the cells
    content = io.StringIO("\n".join(lines))
    table = (
        csv.reader(content) if separator == "," else csv.reader(content, delimiter=separator, quoting=csv.QUOTE_NONE)
    )
    columns = [column.strip().lower() for column in next(table)]
    return columns, [dict(zip(columns, (cell.strip() for cell in row), strict=False)) for row in table]


def _votable(text: str, name: str) -> tuple[list[str], list[dict[str, str]]]:
    from astropy.io.votable import parse_single_table  # takes half a second, for VOTables only

    try:
        with warnings.catch_warnings():
            # VOTables of other programs seldom follow the standard exactly, but can be read
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
