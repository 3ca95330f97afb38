"""Gives people galaxies to measure, practice first; each is kept for a person."""

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
    """How galaxies are given.

    Attributes
    ----------
    practice : int
        Galaxies with feedback that come before all others.
    lease_s : float
        How long a galaxy is kept for a person, seconds.
    """

    practice: int
    lease_s: float


@dataclass(frozen=True, slots=True)
class GivenGalaxy:
    """A galaxy for a person: the code of its lease, why it was chosen, and a practice galaxy's inclination."""

    code: str
    purpose: str
    truth_deg: float | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """The galaxies that a person has next, to be written down by :func:`give`.

    Attributes
    ----------
    given : tuple of GivenGalaxy
    kept : tuple of int
        Leases of before that are kept on.
    fresh : tuple of LeaseRow
        Those that are new.
    newest : int
        The newest lease that the person had when this was decided.
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
    """Choose the galaxies that a person has next: those kept from before, and new ones up to ``count``.

    Parameters
    ----------
    session : Session
        Reading is enough: nobody who answers waits for the choice.
    project : ProjectRow
    person_id, count : int
    snapshot : Snapshot or None
        Of the project; may be a little old. Without one no targets are chosen.
    terms : LeaseTerms
    now : float
        Seconds since 1970.
    rng : numpy.random.Generator

    Returns
    -------
    Assignment
        Fewer galaxies where nothing is left for this person.
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
        # who is calibrated is so in every project; a standard that was skipped told nothing of the person
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
    """Write down which galaxies a person has; false where the person got others meanwhile, in another window.

    Parameters
    ----------
    session : Session
        Of a transaction that writes.
    person_id : int
    assignment : Assignment
    expires_at : float
        Until when they are kept for the person, seconds since 1970.
    """
    # of two windows that ask at once, the second waits here; SQLite lets one write at a time anyway
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
    """Count in who has a galaxy at this moment, and who has measured one since the snapshot was made."""
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
