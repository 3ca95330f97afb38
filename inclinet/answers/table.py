"""Answers as an astropy table; the import takes a second, so that only tables need it."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.table import MaskedColumn, QTable
from astropy.units import Quantity
from astropy.utils.masked import Masked

from inclinet import samp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from inclinet.answers.columns import ResultColumn

HYPERLEDA = "http://atlas.obs-hp.fr/hyperleda/ledacat.cgi?o=pgc${pgc}"
"""Address of a page about each value, in which ``${pgc}`` stands for the value (VOTable 1.4, section 3.5)."""


class AnswerTable(QTable):  # type: ignore[misc]  # astropy has no types
    """A :class:`~astropy.table.QTable` of answers, which can be sent to TOPCAT, Aladin and similar programs."""

    def broadcast(self) -> list[str]:
        """Send the table to the programs at the SAMP hub, such as TOPCAT and Aladin.

        Returns
        -------
        list of str
            Names of the programs that received the table.

        Raises
        ------
        inclinet.errors.SampError
        """
        return samp.broadcast(self)


def table_of(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[ResultColumn], meta: Mapping[str, Any]
) -> AnswerTable:
    """Return a table of flat rows, with units, descriptions and UCDs; missing numbers are masked.

    Parameters
    ----------
    rows : sequence of mapping
        Values by column name; missing text is empty.
    columns : sequence of ResultColumn
    meta : mapping
        Metadata of the table; the time of creation is added.
    """
    table = AnswerTable(meta={**meta, "created": datetime.now(UTC).isoformat(timespec="seconds")})
    for column in columns:
        values = [one.get(column.name) for one in rows]
        missing = np.array([value is None for value in values], bool)
        if column.kind is str:
            made: Any = np.array(["" if value is None else value for value in values], str)
        else:
            empty = math.nan if column.kind is float else 0
            made = np.array([empty if value is None else value for value in values], column.kind)
            if column.unit:
                made = Quantity(made, column.unit)
            if missing.any():
                made = Masked(made, mask=missing) if column.unit else MaskedColumn(made, mask=missing)
        table[column.name] = made
        info = table[column.name].info
        info.description = column.description
        info.meta = {"ucd": column.ucd}
        if column.name == "pgc":
            info.meta["links"] = [{"href": HYPERLEDA, "content-role": "doc", "title": "HyperLEDA"}]
    return table
