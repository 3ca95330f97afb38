"""A catalogue file of the operator's own, with HyperLEDA's columns: CSV, Parquet or VOTable.

Column names are read without regard to case. Any of these spellings is understood, others are passed over:

================  ==============================================================
PGC number        ``pgc``, or a ``name`` such as "PGC 2557"
name              ``objname``, ``name``
position          ``ra``, ``raj2000``, ``ra2000`` (deg) or ``al2000`` (hours);
                  ``dec``, ``dej2000``, ``dec2000``, ``de2000`` (deg)
diameter          ``diameter`` (arcmin) or ``logd25`` (log of 0.1 arcmin)
axes              ``minordiameter`` (arcmin) or ``logr25`` (log of major/minor)
position angle    ``anglepa``, ``pa`` (deg, east of north; exactly 0 is unknown)
kind of object    ``objtype``, ``otype``: what is not one galaxy is left out
================  ==============================================================

HyperLEDA: Makarov et al. 2014, A&A 570, A13; its marks for "unknown" in VizieR VII/237 (9.99, 999) are understood.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np

from gateway.sky.catalogues import designations, object_types
from gateway.sky.catalogues.catalogue import Catalogue, Columns, filed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Table = Mapping[str, Sequence[object] | NDArray[np.generic]]

_LOG_UNKNOWN = 9.0
_TURN_DEG, _POLE_DEG = 360.0, 90.0
_HOURS = {"al2000"}
_RA = ("ra", "raj2000", "ra2000", "al2000")
_DEC = ("dec", "dej2000", "dec2000", "de2000")


class CatalogueFileError(Exception):
    """The file can't be used as a catalogue; the message says why."""


def load(path: Path) -> Catalogue:
    """Read a catalogue file, telling its format by its ending.

    Parameters
    ----------
    path : Path
        ``.csv``; ``.parquet``; ``.vot``, ``.votable`` or ``.xml``.

    Raises
    ------
    CatalogueFileError
        It can't be read, is of another format, or lacks positions or PGC numbers.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise CatalogueFileError(f"{path.name} is neither CSV nor Parquet nor VOTable.")
    try:
        table = {name.strip().lower(): values for name, values in reader(path).items()}
        return _catalogue(path, table)
    except CatalogueFileError:
        raise
    # Each format's library has its own errors, and any of them means the same to the operator.
    except Exception as error:
        raise CatalogueFileError(f"{path.name} can't be read: {error}") from error


def _read_csv(path: Path) -> Table:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(line for line in file if not line.startswith("#"))
        head = next(rows, [])
        columns = list(zip(*(row for row in rows if len(row) == len(head)), strict=True))
    return dict(zip(head, columns or [()] * len(head), strict=True))


def _read_parquet(path: Path) -> Table:
    try:
        from pyarrow import parquet  # noqa: PLC0415 - 30 MB that only this format needs
    except ImportError:
        said = f"{path.name} is Parquet, and inclinet was installed without that reader: use CSV or VOTable."
        raise CatalogueFileError(said) from None
    table = parquet.read_table(path)
    return {name: table.column(name).to_pylist() for name in table.column_names}


def _read_votable(path: Path) -> Table:
    from astropy.io.votable import parse_single_table  # noqa: PLC0415 - 20 MB that only this format needs

    table = parse_single_table(path).to_table()
    return {name: table[name].tolist() for name in table.colnames}


_READERS: dict[str, Callable[[Path], Table]] = {
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".vot": _read_votable,
    ".votable": _read_votable,
    ".xml": _read_votable,
}


def _catalogue(path: Path, table: Table) -> Catalogue:
    ra_name = next((name for name in _RA if name in table), None)
    dec_name = next((name for name in _DEC if name in table), None)
    if ra_name is None or dec_name is None:
        raise CatalogueFileError(f"{path.name} has no columns of positions.")
    ra, dec = _numbers(table[ra_name]), _numbers(table[dec_name])
    if ra_name in _HOURS:
        ra *= 15
    major = _diameter(table, len(ra))
    columns = Columns(
        ra_deg=ra,
        dec_deg=dec,
        d25_arcmin=major.astype(np.float32),
        axis_ratio=_axis_ratio(table, major).astype(np.float32),
        position_angle_deg=_angle(_first(table, ("anglepa", "pa"), len(ra))).astype(np.float32),
        pgc=_pgc(path, table),
    )
    # A galaxy without a position can't be shown, whatever else is known of it.
    usable = (ra >= 0) & (ra <= _TURN_DEG) & (np.abs(dec) <= _POLE_DEG) & _single(table, len(ra))
    columns = Columns(*(getattr(columns, name)[usable] for name in Columns.__dataclass_fields__))
    labels = [str(label) for label, good in zip(_labels(table, len(ra)), usable, strict=True) if good]
    named = {
        row: designations.displayed(label)
        for row, label in enumerate(labels)
        if label and not label.upper().startswith("PGC")
    }
    names = filed((label, row) for row, label in named.items())
    return Catalogue("HyperLEDA", columns, names=names, named=named.get)


def _labels(table: Table, size: int) -> Sequence[object] | NDArray[np.generic]:
    for name in ("objname", "name"):
        if name in table:
            return table[name]
    return [""] * size


def _pgc(path: Path, table: Table) -> NDArray[np.int64]:
    if "pgc" in table:
        return np.nan_to_num(_numbers(table["pgc"])).astype(np.int64)
    if "name" in table:
        digits = (str(name)[3:].strip() if str(name)[:3].upper() == "PGC" else "" for name in table["name"])
        return np.array([int(d) if d.isdigit() else 0 for d in digits], np.int64)
    raise CatalogueFileError(f"{path.name} has no column of PGC numbers.")


def _diameter(table: Table, size: int) -> NDArray[np.float64]:
    if "diameter" in table:
        return _positive(_numbers(table["diameter"]))
    return np.asarray(10 ** _below(_first(table, ("logd25",), size), _LOG_UNKNOWN) / 10)


def _axis_ratio(table: Table, major: NDArray[np.float64]) -> NDArray[np.float64]:
    if "minordiameter" in table:
        ratio = _positive(_numbers(table["minordiameter"])) / major
    else:
        ratio = 10 ** -_below(_first(table, ("logr25",), len(major)), _LOG_UNKNOWN)
    return np.asarray(np.clip(ratio, 0, 1))


def _angle(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return position angles within 0 to 180 deg; marks for "unknown" and HyperLEDA's 0 are NaN."""
    known = (angle > 0) & (angle <= _TURN_DEG)
    return np.where(known, np.where(angle > _TURN_DEG / 2, angle - _TURN_DEG / 2, angle), np.nan)


def _single(table: Table, size: int) -> NDArray[np.bool_]:
    """Return which rows are single galaxies, or of a kind that the file does not say."""
    kinds = next((table[name] for name in ("objtype", "otype") if name in table), None)
    if kinds is None:
        return np.ones(size, np.bool_)
    return np.array([object_types.of_hyperleda(str(one or "")) in {"G", ""} for one in kinds], np.bool_)


def _first(table: Table, names: Sequence[str], size: int) -> NDArray[np.float64]:
    found = next((table[name] for name in names if name in table), None)
    return np.full(size, np.nan) if found is None else _numbers(found)


def _numbers(values: Sequence[object] | NDArray[np.generic]) -> NDArray[np.float64]:
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        return np.array([_number(value) for value in values], dtype=np.float64)


def _number(value: object) -> float:
    text = "" if value is None else str(value).strip()
    return float(text) if text and text != "--" else np.nan


def _below(values: NDArray[np.float64], limit: float) -> NDArray[np.float64]:
    return np.asarray(np.where(values < limit, values, np.nan))


def _positive(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.where(values > 0, values, np.nan))
