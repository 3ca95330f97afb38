"""The rows that a project hands on: its labels, and every measurement behind them. ``training labels`` reads both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.tables.results import Column
    from zoo.statistics.calibration import PeopleCalibration
    from zoo.statistics.labels import GalaxyLabel
    from zoo.statistics.measurements import Measurements


@dataclass(frozen=True, slots=True)
class ExportedGalaxy:
    """What a table tells of a galaxy beside what people said; NaN where unknown, 0 for no PGC number."""

    name: str
    file: str
    pgc: int = 0
    ra_deg: float = math.nan
    dec_deg: float = math.nan
    d25_arcmin: float = math.nan
    axis_ratio: float = math.nan
    position_angle_deg: float = math.nan
    hubble_stage: float = math.nan


LABEL_COLUMNS: tuple[Column, ...] = ()
MEASUREMENT_COLUMNS: tuple[Column, ...] = ()


def label_rows(
    labels: Sequence[GalaxyLabel], galaxies: Mapping[int, ExportedGalaxy], *, least_deg: float
) -> list[dict[str, object]]:
    """Return a row a label, by the names of ``LABEL_COLUMNS``; ``least_deg`` is the least that the standards show."""
    raise NotImplementedError


def measurement_rows(
    measurements: Measurements,
    calibration: PeopleCalibration,
    galaxies: Mapping[int, ExportedGalaxy],
    people: Mapping[int, str],
    *,
    least_deg: float,
) -> list[dict[str, object]]:
    """Return a row a measurement, by the names of ``MEASUREMENT_COLUMNS``; ``people`` are names without meaning."""
    raise NotImplementedError
