"""Answers as an astropy table; importing this takes a second, which a question alone is not to cost."""

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
"""A page about each value, which stands in it by the name of the column (VOTable 1.4, section 3.5)."""


class AnswerTable(QTable):  # type: ignore[misc]  # astropy has no types
    """A :class:`~astropy.table.QTable` of answers, which can be sent to TOPCAT, Aladin and their like."""

    def broadcast(self) -> list[str]:
        """Send the table to the programs at the SAMP hub, such as TOPCAT and Aladin.

        Returns
        -------
        list of str
            Names of the programs that took it.

        Raises
        ------
        inclinet.errors.SampError
        """
        return samp.broadcast(self)


def table_of(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[ResultColumn], meta: Mapping[str, Any]
) -> AnswerTable:
    """Make a table of flat rows, with units, descriptions and UCDs; what a number's cell lacks is masked.

    Parameters
    ----------
    rows : sequence of mapping
        Values by the names of columns; a text that is missing is empty.
    columns : sequence of ResultColumn
    meta : mapping
        Of the table; the moment is added.
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
