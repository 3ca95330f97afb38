"""Assigns galaxies to people, practice first; each galaxy is leased to its person."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import func, select, update

from zoo.database.models import LeaseRow, MeasurementRow, PersonRow, StandardRow
from zoo.standards.archive import PRACTICE
from zoo.statistics.selection import PersonHistory, choose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from zoo.database.models import ProjectRow
    from zoo.measuring.records import Snapshot
    from zoo.statistics.selection import Candidates

_CODE_BYTES = 12


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """Parameters of the assignment.

    Attributes
    ----------
    practice : int
        Number of galaxies with feedback that come first.
    lease_s : float
        Time for which a galaxy is leased to a person, seconds.
    """

    practice: int
    lease_s: float


@dataclass(frozen=True, slots=True)
class GivenGalaxy:
    """A galaxy for a person: the code of its lease, the reason for the choice, and a practice galaxy's inclination."""

    code: str
    purpose: str
    truth_deg: float | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """The next galaxies of a person, to be recorded by :func:`give`.

    Attributes
    ----------
    given : tuple of GivenGalaxy
        The galaxies.
    kept : tuple of int
        Earlier leases that are continued.
    fresh : tuple of LeaseRow
        New leases.
    newest : int
        Newest lease of the person at the time of the choice.
    """

    given: tuple[GivenGalaxy, ...]
    kept: tuple[int, ...]
    fresh: tuple[LeaseRow, ...]
    newest: int


def next_galaxies(
    session: Session,
    project: ProjectRow,
    person_id: int,
    count: int,
    *,
    snapshot: Snapshot | None,
    terms: LeaseTerms,
    now: float,
    rng: np.random.Generator,
) -> Assignment:
    """Choose the next galaxies of a person: those still leased, and new ones up to ``count``.

    Parameters
    ----------
    session : Session
        Reading transaction is enough, so that the choice delays nobody's answers.
    project : ProjectRow
    person_id, count : int
    snapshot : Snapshot or None
        Snapshot of the project; may be a little old. Without one no targets are chosen.
    terms : LeaseTerms
    now : float
        Time, seconds since 1970.
    rng : numpy.random.Generator

    Returns
    -------
    Assignment
        Fewer galaxies than ``count`` where none are left for this person.
    """
    leases = session.execute(
        select(
            LeaseRow.id,
            LeaseRow.code,
            LeaseRow.project_id,
            LeaseRow.target_id,
            LeaseRow.standard_id,
            LeaseRow.purpose,
            LeaseRow.state,
        )
        .where(LeaseRow.person_id == person_id)
        .order_by(LeaseRow.id)
    ).all()
    practice = dict(
        session.execute(
            select(StandardRow.id, StandardRow.truth_deg)
            .where(StandardRow.role == PRACTICE)
            .where(StandardRow.truth_deg.between(project.lowest_deg, project.highest_deg))
            .order_by(StandardRow.id)
        ).all()
    )
    kept = [one for one in leases if one.state == "open" and one.project_id == project.id][:count]
    given = [GivenGalaxy(one.code, one.purpose, practice.get(one.standard_id)) for one in kept]
    practised = {one.standard_id for one in leases if one.purpose == PRACTICE}
    judged = [
        one.target_id or -one.standard_id
        for one in leases
        # the calibration holds in every project; a skipped standard gives no evidence about the person
        if one.purpose != PRACTICE and (one.project_id == project.id if one.target_id else one.state != "skipped")
    ]
    candidates = _live(session, project.id, snapshot, now) if snapshot is not None and len(kept) < count else None
    fresh: list[LeaseRow] = []
    while len(given) < count:
        untried = [one for one in practice if one not in practised]
        if untried and len(practised) < terms.practice:
            galaxy, purpose = -int(rng.choice(untried)), PRACTICE
            practised.add(-galaxy)
        elif candidates is None or (choice := choose(candidates, _history(judged), rng)) is None:
            break
        else:
            galaxy, purpose = choice.galaxy, str(choice.reason)
            judged.append(galaxy)
        lease = LeaseRow(
            code=secrets.token_urlsafe(_CODE_BYTES),
            project_id=project.id,
            person_id=person_id,
            target_id=galaxy if galaxy > 0 else None,
            standard_id=-galaxy if galaxy < 0 else None,
            purpose=purpose,
            given_at=now,
            expires_at=now + terms.lease_s,
            state="open",
        )
        fresh.append(lease)
        given.append(GivenGalaxy(lease.code, purpose, practice.get(-galaxy) if purpose == PRACTICE else None))
    return Assignment(tuple(given), tuple(one.id for one in kept), tuple(fresh), leases[-1].id if leases else 0)


def give(session: Session, person_id: int, assignment: Assignment, expires_at: float) -> bool:
    """Record the galaxies of a person; return False if the person got others meanwhile, in another window.

    Parameters
    ----------
    session : Session
        Writing transaction.
    person_id : int
    assignment : Assignment
    expires_at : float
        End of the leases, seconds since 1970.
    """
    # of two windows that ask at once, the second waits here; SQLite allows one writer anyway
    session.execute(select(PersonRow.id).where(PersonRow.id == person_id).with_for_update())
    newest = session.scalar(select(func.max(LeaseRow.id)).where(LeaseRow.person_id == person_id)) or 0
    if newest != assignment.newest:
        return False
    session.execute(update(LeaseRow).where(LeaseRow.id.in_(assignment.kept)).values(expires_at=expires_at))
    session.add_all(assignment.fresh)
    return True


def _history(judged: Sequence[int]) -> PersonHistory:
    galaxy = np.array(judged, np.int64)
    return PersonHistory(galaxy, galaxy < 0)


def _live(session: Session, project_id: int, snapshot: Snapshot, now: float) -> Candidates:
    """Return the candidates with current leases, and measurements since the snapshot, counted."""
    leased = select(LeaseRow.target_id).where(
        LeaseRow.project_id == project_id,
        LeaseRow.state == "open",
        LeaseRow.expires_at > now,
        LeaseRow.target_id.is_not(None),
    )
    measured = select(MeasurementRow.target_id).where(
        MeasurementRow.project_id == project_id,
        MeasurementRow.id > snapshot.last_measurement,
        MeasurementRow.undone_at.is_(None),
        MeasurementRow.target_id.is_not(None),
    )
    more = np.zeros(len(snapshot.candidates.galaxy), np.int64)
    for number in (*session.scalars(leased), *session.scalars(measured)):
        if number in snapshot.places:
            more[snapshot.places[number]] += 1
    return replace(
        snapshot.candidates,
        people=snapshot.candidates.people + more,
        wanted=snapshot.candidates.wanted - more,
    )
