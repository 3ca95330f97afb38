"""From what people said of each galaxy to one label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.statistics.calibration import PeopleCalibration
    from zoo.statistics.measurements import Measurements


@dataclass(frozen=True, slots=True)
class GalaxyLabel:
    """What people say of a galaxy, all together.

    Attributes
    ----------
    galaxy : int
    inclination_deg : float
        The label: median of what at least three people said, corrected by their calibration; NaN for fewer, and where
        it is rejected.
    mean_deg, error_deg : float
        Huber mean of the corrected values and its standard error, from the first person on; NaN where nobody measured.
    scatter_deg : float
        Standard deviation of the corrected values; NaN for fewer than two.
    people : int
        How many counted people judged it.
    measured : int
        How many of them measured it.
    reject : str
        ``face_on`` or ``unsuitable`` where at least half of at least three people rejected it; empty otherwise.
    measure, face_on, unsuitable : float
        Probabilities of the three, by Dawid and Skene; they sum to 1.
    """

    galaxy: int
    inclination_deg: float
    mean_deg: float
    error_deg: float
    scatter_deg: float
    people: int
    measured: int
    reject: str
    measure: float
    face_on: float
    unsuitable: float


def labels(measurements: Measurements, calibration: PeopleCalibration) -> list[GalaxyLabel]:
    """Return the labels of all targets that counted people judged, in order of their numbers."""
    raise NotImplementedError
