"""The database's content as arrays and values, for statistics and selection.

Galaxies of both kinds share one numbering: targets have their own numbers, standards theirs below zero.
"""

from __future__ import annotations

import math
import os
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog
from sqlalchemy import func, select

from training.data.dataset import number_of, split_of
from zoo.database.engine import Database
from zoo.database.models import FlagRow, MeasurementRow, PersonRow, ProjectRow, StandardRow, TargetRow
from zoo.standards.archive import HIDDEN, PRACTICE
from zoo.statistics import Flag, GalaxyLabel, Measurements, PeopleCalibration, calibrate, labels
from zoo.statistics.selection import Candidates, Stage, stage, wanted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

log = structlog.get_logger(__name__)

STALE_S = 60.0
"""Age up to which statistics may be used for the choice of galaxies, seconds; results are always current."""

_SECONDS = 25.0
"""Assumed duration of a measurement, seconds; equal for all galaxies, it does not affect the choice."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a project at one time.

    Attributes
    ----------
    version : tuple
        Changes with every new or withdrawn measurement, and every decision of a moderator.
    last_measurement : int
        Number of the newest measurement in the snapshot.
    measurements : Measurements
        Measurements of the project's targets, and of all hidden standards.
    calibration : PeopleCalibration
        Calibration of the people.
    counted : frozenset of int
        People whose measurements count for labels.
    labels : dict of GalaxyLabel
        Labels by number of the target.
    candidates : Candidates
        Open targets, and hidden standards within the project's range.
    test : frozenset of int
        Targets of the test sample, whatever their state.
    places : dict of int
        Index in ``candidates`` by the galaxy's number.
    made_at : float
        Time of the snapshot on the monotonic clock, seconds.
    """

    version: tuple[Any, ...]
    last_measurement: int
    measurements: Measurements
    calibration: PeopleCalibration
    counted: frozenset[int]
    labels: dict[int, GalaxyLabel]
    candidates: Candidates
    test: frozenset[int]
    places: dict[int, int]
    made_at: float


class Snapshots:
    """The latest snapshot of each project.

    Snapshots for the choice of galaxies are made in a separate process of lower priority, because in a large project
    they take seconds, which must not delay answers.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._made: dict[int, Snapshot] = {}
        self._making = threading.Lock()
        self._process: ProcessPoolExecutor | None = None
        self._refreshing: set[int] = set()
        self._outdated = 0

    def recent(self, project_id: int) -> Snapshot:
        """Return a snapshot that may be a minute old, and start to make a new one where it is older."""
        known = self._made.get(project_id)
        if known is None:
            return self.now(project_id)
        if time.monotonic() - known.made_at > STALE_S and project_id not in self._refreshing:
            self._refreshing.add(project_id)
            self._process = self._process or ProcessPoolExecutor(1, get_context("spawn"), os.nice, (10,))
            before = self._outdated
            work = self._process.submit(_made_apart, self._database.url, project_id, known.version)
            work.add_done_callback(lambda done: self._refreshed(project_id, known, before, done))
        return known

    def _refreshed(self, project_id: int, known: Snapshot, before: int, done: Future[Snapshot | None]) -> None:
        self._refreshing.discard(project_id)
        if done.cancelled() or before != self._outdated:
            return
        fresh = known
        if error := done.exception():
            # the next attempt follows in a minute; the old snapshot is still valid
            log.error("a snapshot could not be made", project=project_id, exc_info=error)
            self._process = None
        else:
            fresh = done.result() or known
        self._made[project_id] = replace(fresh, made_at=time.monotonic())

    def now(self, project_id: int) -> Snapshot:
        """Return a snapshot with every measurement."""
        with self._making, self._database.read() as session:
            version = _version(session, project_id)
            known = self._made.get(project_id)
            if known is None or known.version != version:
                self._made[project_id] = known = _snapshot(session, project_id, version)
            return known

    def expire(self) -> None:
        """Make the next request of any kind check the database again."""
        self._outdated += 1
        self._made.clear()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.shutdown(cancel_futures=True)


def _made_apart(url: str, project_id: int, version: tuple[Any, ...]) -> Snapshot | None:
    """Return a snapshot made in another process; None where nothing has changed."""
    database = Database(url, migrated=True)
    try:
        with database.read() as session:
            found = _version(session, project_id)
            return _snapshot(session, project_id, found) if found != version else None
    finally:
        database.close()


def _version(session: Session, project_id: int) -> tuple[Any, ...]:
    measured = session.execute(select(func.max(MeasurementRow.id), func.count(MeasurementRow.undone_at))).one()
    targets = session.execute(
        select(func.count(TargetRow.id), func.count(func.nullif(TargetRow.closed, ""))).where(
            TargetRow.project_id == project_id
        )
    ).one()
    quarantined = session.scalars(select(PersonRow.id).where(PersonRow.quarantined).order_by(PersonRow.id)).all()
    standards = session.scalar(select(func.count(StandardRow.id)))
    return (*measured, *targets, tuple(quarantined), standards)


def _snapshot(session: Session, project_id: int, version: tuple[Any, ...]) -> Snapshot:
    said = measurements(session, project_id)
    calibration = calibrate(said)
    quarantined = set(session.scalars(select(PersonRow.id).where(PersonRow.quarantined)))
    counted = frozenset(int(one) for one in calibration.person[calibration.counts]) - quarantined
    trusted = said.where(~np.isin(said.person, list(quarantined)))
    found = {label.galaxy: label for label in labels(trusted, calibration)}
    named = session.execute(
        select(TargetRow.id, TargetRow.pgc, TargetRow.name).where(TargetRow.project_id == project_id)
    )
    # the same split as in training, so that the test galaxies of networks were not chosen for the networks' failures
    test = frozenset(row.id for row in named if split_of(row.pgc or number_of(row.name)) == "test")
    candidates = _candidates(session, session.get_one(ProjectRow, project_id), found, test)
    places = {int(galaxy): place for place, galaxy in enumerate(candidates.galaxy)}
    return Snapshot(
        version, version[0] or 0, said, calibration, counted, found, candidates, test, places, time.monotonic()
    )


def measurements(session: Session, project_id: int) -> Measurements:
    """Return the measurements of a project's targets and of all hidden standards, in order of time."""
    standard = MeasurementRow.standard_id.is_not(None)
    rows = session.execute(
        select(
            MeasurementRow.id,
            MeasurementRow.target_id,
            MeasurementRow.standard_id,
            MeasurementRow.person_id,
            MeasurementRow.inclination_deg,
            StandardRow.truth_deg,
        )
        .outerjoin(StandardRow, StandardRow.id == MeasurementRow.standard_id)
        .where(MeasurementRow.undone_at.is_(None), MeasurementRow.purpose != PRACTICE)
        .where(standard | (MeasurementRow.project_id == project_id))
        .order_by(MeasurementRow.id)
    ).all()
    flags: dict[int, int] = {}
    for number, name in session.execute(select(FlagRow.measurement_id, FlagRow.flag)):
        # of several flags the most specific: face-on, then the others in their order, "not sure" last
        flags[number] = min(Flag[name.upper()], flags.get(number, Flag.NOT_SURE))
    return Measurements(
        galaxy=np.array([-row.standard_id if row.standard_id else row.target_id for row in rows], np.int64),
        person=np.array([row.person_id for row in rows], np.int64),
        inclination_deg=_floats([row.inclination_deg for row in rows]),
        flag=np.array([flags.get(row.id, Flag.NONE) for row in rows], np.int64),
        is_standard=np.array([row.standard_id is not None for row in rows], np.bool_),
        truth_deg=_floats([row.truth_deg for row in rows]),
    )


def _candidates(
    session: Session, project: ProjectRow, found: Mapping[int, GalaxyLabel], test: frozenset[int]
) -> Candidates:
    targets = session.execute(
        select(
            TargetRow.id, TargetRow.pgc, TargetRow.network_deg, TargetRow.network_spread_deg, TargetRow.hubble_stage
        ).where(TargetRow.project_id == project.id, TargetRow.closed == "")
    ).all()
    kept = [row for row in targets if row.id not in found or stage(found[row.id], is_test=row.id in test) is Stage.OPEN]
    hidden = session.scalars(
        select(StandardRow)
        .where(StandardRow.role == HIDDEN)
        .where(StandardRow.truth_deg.between(project.lowest_deg, project.highest_deg))
        .order_by(StandardRow.id)
    ).all()
    none: list[float | None] = [None] * len(hidden)
    known = [found.get(row.id) for row in kept]
    return Candidates(
        galaxy=np.array([row.id for row in kept] + [-row.id for row in hidden], np.int64),
        is_standard=np.array([False] * len(kept) + [True] * len(hidden), np.bool_),
        is_test=np.array([row.id in test for row in kept] + [False] * len(hidden), np.bool_),
        people=np.array([one.people if one else 0 for one in known] + [0] * len(hidden), np.int64),
        wanted=np.array(
            [wanted(one, is_test=row.id in test) for one, row in zip(known, kept, strict=True)] + [1] * len(hidden),
            np.int64,
        ),
        network_deg=_floats([row.network_deg for row in kept] + none),
        network_spread_deg=_floats([row.network_spread_deg for row in kept] + none),
        label_deg=_floats([one.mean_deg if one else None for one in known] + none),
        label_error_deg=_floats([one.error_deg if one else None for one in known] + none),
        hubble_stage=_floats([row.hubble_stage for row in kept] + none),
        seconds=np.full(len(kept) + len(hidden), _SECONDS),
    )


def _floats(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([math.nan if value is None else value for value in values], np.float64)
