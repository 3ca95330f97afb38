"""Recognise what the columns of a table mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway import errors

if TYPE_CHECKING:
    from collections.abc import Iterable

COLUMNS: dict[str, tuple[str, ...]] = {
    "key": ("key", "id", "row_id", "target_id"),
    "pgc": ("pgc", "pgc_number", "leda", "al1"),
    "name": ("name", "objname", "object", "galaxy", "target", "object_name", "main_id"),
    "ra": ("ra", "ra_deg", "raj2000", "_raj2000", "ra_j2000", "ra_icrs", "alpha", "al2000", "s_ra"),
    "dec": ("dec", "dec_deg", "dej2000", "_dej2000", "decj2000", "de_icrs", "dec_icrs", "delta", "de2000", "s_dec"),
    "fov": ("fov", "fov_arcmin", "field_of_view"),
    "pa": ("pa", "position_angle", "position_angle_deg", "anglepa"),
    "file": ("file", "filename", "file_name", "image", "path"),
}
"""What each kind of column is called, in the spellings of the usual catalogues; case does not matter."""


def recognise(names: Iterable[str]) -> dict[str, str | None]:
    """Tell which column is of which kind; raises :class:`~gateway.errors.BadTable` where none says what to ask.

    Parameters
    ----------
    names : iterable of str
        Of the table's columns.

    Returns
    -------
    dict
        From each kind of :data:`COLUMNS` to the column's name as the table spells it, or None.
    """
    spelt = {name.strip().lower(): name for name in names}
    columns = {
        kind: next((spelt[spelling] for spelling in spellings if spelling in spelt), None)
        for kind, spellings in COLUMNS.items()
    }
    if not any(columns[kind] for kind in ("pgc", "name", "ra", "file")):
        raise errors.BadTable(
            f"None of the columns ({', '.join(list(spelt.values())[:12])}) is recognised; "
            "pgc, name, ra with dec, or file is needed.",
        )
    return columns
