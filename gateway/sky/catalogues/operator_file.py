"""Reads the operator's own catalogue file, with HyperLEDA's columns: CSV, Parquet or VOTable.

The case of column names does not matter. These spellings are understood, other columns are ignored:

================  ==============================================================
PGC number        ``pgc``, or a ``name`` such as "PGC 2557"
name              ``objname``, ``name``
position          ``ra``, ``raj2000``, ``ra2000`` (deg) or ``al2000`` (hours);
                  ``dec``, ``dej2000``, ``dec2000``, ``de2000`` (deg)
diameter          ``diameter`` (arcmin) or ``logd25`` (log of 0.1 arcmin)
axes              ``minordiameter`` (arcmin) or ``logr25`` (log of major/minor)
position angle    ``anglepa``, ``pa`` (deg, east of north; exactly 0 is unknown)
kind of object    ``objtype``, ``otype``: objects other than one galaxy are left out
================  ==============================================================

HyperLEDA: Makarov et al. 2014, A&A 570, A13; its marks for "unknown" in VizieR VII/237 (9.99, 999) are understood.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np

from gateway.sky.catalogues import designations, object_types
from gateway.sky.catalogues.catalogue import Catalogue, Columns, name_index

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Table = Mapping[str, Sequence[object] | NDArray[np.generic]]

_LOG_UNKNOWN = 9.0
_TURN_DEG, _POLE_DEG = 360.0, 90.0


class CatalogueFileError(Exception):
    """The file can't be used as a catalogue; the message says why."""


def load(path: Path) -> Catalogue:
    """Read a catalogue file; its suffix decides the format.

    Parameters
    ----------
    path : Path
        Path with the suffix ``.csv``; ``.parquet``; ``.vot``, ``.votable`` or ``.xml``.

    Raises
    ------
    CatalogueFileError
        The file can't be read, is of another format, or lacks positions or PGC numbers.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise CatalogueFileError(f"{path.name} is neither CSV nor Parquet nor VOTable.")
    try:
        table = {name.strip().lower(): values for name, values in reader(path).items()}
        return _catalogue(path, table)
    except CatalogueFileError:
        raise
    # Each format's library has its own errors, and all mean the same to the operator.
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
        from pyarrow import parquet  # takes 30 MB, for this format only
    except ImportError:
        said = f"{path.name} is Parquet, and inclinet was installed without that reader: use CSV or VOTable."
        raise CatalogueFileError(said) from None
    table = parquet.read_table(path)
    return {name: table.column(name).to_pylist() for name in table.column_names}


def _read_votable(path: Path) -> Table:
    from astropy.io.votable import parse_single_table  # takes 20 MB, for this format only

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
    def cells(*names: str) -> Sequence[object] | NDArray[np.generic] | None:
        return next((table[name] for name in names if name in table), None)

    degrees, dec = cells("ra", "raj2000", "ra2000"), cells("dec", "dej2000", "dec2000", "de2000")
    ra = cells("al2000") if degrees is None else degrees
    if ra is None or dec is None:
        raise CatalogueFileError(f"{path.name} has no columns of positions.")
    ra_deg, dec_deg = _numbers(ra) * (15 if degrees is None else 1), _numbers(dec)
    size = len(ra_deg)

    def numbers(name: str, *others: str) -> NDArray[np.float64]:
        found = cells(name, *others)
        return np.full(size, np.nan) if found is None else _numbers(found)

    major = _positive(numbers("diameter")) if "diameter" in table else 10 ** _logarithm(numbers("logd25")) / 10
    if "minordiameter" in table:
        ratio = _positive(numbers("minordiameter")) / major
    else:
        ratio = 10 ** -_logarithm(numbers("logr25"))
    angle = numbers("anglepa", "pa")
    angle[~((angle > 0) & (angle <= _TURN_DEG))] = np.nan
    angle[angle > _TURN_DEG / 2] -= _TURN_DEG / 2
    pgc, kinds = _pgc(path, table), cells("objtype", "otype")
    # A galaxy without a position can't be shown, whatever else is known of it.
    usable = (ra_deg >= 0) & (ra_deg <= _TURN_DEG) & (np.abs(dec_deg) <= _POLE_DEG)
    if kinds is not None:
        usable &= np.array([object_types.of_hyperleda(str(one or "")) in {"G", ""} for one in kinds], np.bool_)
    columns = Columns(
        ra_deg=ra_deg[usable],
        dec_deg=dec_deg[usable],
        d25_arcmin=major[usable].astype(np.float32),
        axis_ratio=np.clip(ratio, 0, 1)[usable].astype(np.float32),
        position_angle_deg=angle[usable].astype(np.float32),
        pgc=pgc[usable],
    )
    labels = cells("objname", "name")
    kept = [] if labels is None else [str(label) for label, good in zip(labels, usable, strict=True) if good]
    own = {row: label for row, label in enumerate(kept) if label and not label.upper().startswith("PGC")}
    named = {row: designations.displayed(label) for row, label in own.items()}
    names = name_index((label, row) for row, label in named.items())
    return Catalogue("HyperLEDA", columns, names=names, named=named.get)


def _pgc(path: Path, table: Table) -> NDArray[np.int64]:
    if "pgc" in table:
        return np.nan_to_num(_numbers(table["pgc"])).astype(np.int64)
    if "name" in table:
        digits = (str(name)[3:].strip() if str(name)[:3].upper() == "PGC" else "" for name in table["name"])
        return np.array([int(d) if d.isdigit() else 0 for d in digits], np.int64)
    raise CatalogueFileError(f"{path.name} has no column of PGC numbers.")


def _positive(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(values > 0, values, np.nan)


def _logarithm(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(values < _LOG_UNKNOWN, values, np.nan)


def _numbers(values: Sequence[object] | NDArray[np.generic]) -> NDArray[np.float64]:
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        texts = ("" if value is None else str(value).strip() for value in values)
        return np.array([float(text) if text and text != "--" else np.nan for text in texts], dtype=np.float64)
