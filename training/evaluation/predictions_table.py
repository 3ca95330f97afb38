"""Predictions as a table: the output of ``evaluate``, and its input when they were made elsewhere.

A row is a picture. ``measured`` is people's inclination, degrees, empty without one. Every other column of numbers is a
model, a rejector if its name ends in ``_reject`` (likelihoods 0..1), or a rejector's part for a reason if the reason
follows (``_reject_face_on``, ``_reject_unsuitable``). These columns are known too, and all optional: ``file``, ``pgc``,
``reject`` (the reason of people's rejection), ``axis_ratio`` and ``ellipticity`` (inclinations from the catalogue and
from the picture's own ellipse, degrees), ``low68``, ``high68``, ``low95``, ``high95`` (the served intervals).
``median`` and ``mean`` are computed, not read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from training.data.dataset import RealGalaxy, TableFault, read_csv, reason_of
from training.evaluation.evaluate import REASONS, Intervals, Predictions
from training.files import write_csv

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

_BOUNDS = ("low68", "high68", "low95", "high95")
_COMPUTED = ("median", "mean")
_KNOWN = ("file", "pgc", "measured", "reject", "axis_ratio", "ellipticity", *_BOUNDS, *_COMPUTED)
_RIGHT_ANGLE_DEG = 90.0
_REJECTOR = "_reject"
_LIKELIHOODS = (_REJECTOR, *(f"{_REJECTOR}_{reason}" for reason in REASONS))


@dataclass(frozen=True, slots=True)
class PredictionsTable:
    """Predictions made elsewhere.

    Attributes
    ----------
    galaxies : tuple of RealGalaxy
        N galaxies.
    said : Predictions
        Predictions for them.
    ellipticity_deg : float64 ``[N]`` or None
    served : Intervals or None
    ignored : tuple of str
        Columns without numbers and without a known name.
    left_out : dict of str
        Reasons by line, for lines of the file that could not be used.
    """

    galaxies: tuple[RealGalaxy, ...]
    said: Predictions
    ellipticity_deg: NDArray[np.float64] | None
    served: Intervals | None
    ignored: tuple[str, ...]
    left_out: dict[str, str]

    def counted(self) -> dict[str, Any]:
        """Return the report's facts about the sample."""
        return {
            "measured": sum(g.measured for g in self.galaxies),
            "rejected": sum(g.reject != "" for g in self.galaxies),
            "ignored_columns": list(self.ignored),
            "left_out": self.left_out,
        }


def write(
    path: Path,
    galaxies: Sequence[RealGalaxy],
    said: Predictions,
    *,
    ellipticity_deg: NDArray[np.float64] | None = None,
    served: Intervals | None = None,
) -> None:
    """Write predictions with everything that :func:`read` needs for the same report."""
    columns: dict[str, Sequence[object]] = {
        "file": [g.path.name for g in galaxies],
        "pgc": ["" if g.pgc < 0 else g.pgc for g in galaxies],
        "measured": _written([g.inclination_deg for g in galaxies], 2),
        "reject": [g.reject for g in galaxies],
        "axis_ratio": _written([g.axis_ratio_deg for g in galaxies], 2),
    }
    if ellipticity_deg is not None:
        columns["ellipticity"] = _written(ellipticity_deg.tolist(), 3)
    if said.flavors:
        columns["median"] = _written(said.median.tolist(), 3)
    if served is not None:
        columns |= {name: _written(getattr(served, name).tolist(), 3) for name in _BOUNDS}
    columns |= {name: _written(values.tolist(), 3) for name, values in said.flavors.items()}
    columns |= {name: _written(values.tolist(), 5) for name, values in said.rejectors.items()}
    for reason, parts in said.reasons.items():
        columns |= {f"{name}_{reason}": _written(values.tolist(), 5) for name, values in parts.items()}
    write_csv(path, columns, zip(*columns.values(), strict=True))


def _written(values: Sequence[float], digits: int) -> list[str]:
    return ["" if math.isnan(value) else f"{value:.{digits}f}" for value in values]


def read(path: Path) -> PredictionsTable:
    """Read predictions that were made elsewhere.

    Raises
    ------
    OSError
        The file can't be read.
    TableFault
        The file is no table, or has no column ``measured``, no model, or no usable row.
    """
    columns, rows = read_csv(path)
    if len(set(columns)) < len(columns):
        raise TableFault(f"{path.name} has two columns of one name.")
    models = [name for name in columns if name not in _KNOWN and any(_number(row[name]) is not None for _, row in rows)]
    if "measured" not in columns:
        raise TableFault(f"{path.name} has no column measured; it has: {', '.join(columns) or 'nothing'}.")
    if not [name for name in models if not _is_likelihood(name)]:
        raise TableFault(f"{path.name} has no column of a model's predictions beside measured.")
    kept, left_out = [], {}
    for line, row in rows:
        trouble = _trouble(row, models)
        if trouble:
            left_out[f"line {line}"] = trouble
        else:
            kept.append(row)
    if not kept:
        raise TableFault(f"{path.name} has no row with numbers for {', '.join(models)}.")

    def numbers(name: str) -> NDArray[np.float64]:
        found = (_number(row.get(name, "")) for row in kept)
        return np.array([math.nan if value is None else value for value in found], np.float64)

    bounds = [numbers(name) for name in _BOUNDS if name in columns]
    whole = len(bounds) == len(_BOUNDS) and all(np.isfinite(bound).all() for bound in bounds)
    return PredictionsTable(
        tuple(_galaxy(row) for row in kept),
        Predictions(
            {name: numbers(name) for name in models if not _is_likelihood(name)},
            {name: numbers(name) for name in models if name.endswith(_REJECTOR)},
            _reasons(models, numbers),
        ),
        numbers("ellipticity") if "ellipticity" in columns else None,
        Intervals(*bounds) if whole else None,
        tuple(name for name in columns if name not in _KNOWN and name not in models),
        left_out,
    )


def _is_likelihood(name: str) -> bool:
    return name.endswith(_LIKELIHOODS)


def _reasons(
    models: Sequence[str], numbers: Callable[[str], NDArray[np.float64]]
) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Return the rejectors' parts by reason, if every rejector has them."""
    rejectors = [name for name in models if name.endswith(_REJECTOR)]
    return {
        reason: {name: numbers(f"{name}_{reason}") for name in rejectors}
        for reason in REASONS
        if rejectors and all(f"{name}_{reason}" in models for name in rejectors)
    }


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _trouble(row: dict[str, str], models: Sequence[str]) -> str:
    measured = row["measured"]
    if measured and measured.lower() != "nan":
        value = _number(measured)
        if value is None or not 0 <= value <= _RIGHT_ANGLE_DEG:
            return f"measured is {measured!r}, which is no inclination in degrees."
    for name in models:
        value = _number(row[name])
        if value is None:
            return f"{name} is {row[name]!r}, which is no number."
        if _is_likelihood(name) and not 0 <= value <= 1:
            return f"{name} is {row[name]}, which is no likelihood between 0 and 1."
    return ""


def _galaxy(row: dict[str, str]) -> RealGalaxy:
    def number(name: str) -> float:
        value = _number(row.get(name, ""))
        return math.nan if value is None else value

    pgc = _number(row.get("pgc", ""))
    return RealGalaxy(
        -1 if pgc is None else int(pgc),
        Path(row.get("file", "")),
        number("measured"),
        reason_of(row.get("reject", "")),
        axis_ratio_deg=number("axis_ratio"),
    )
