"""Gives people galaxies to measure, practice first; each is kept for a person."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import or_, select

from zoo.database.models import LeaseRow, MeasurementRow, StandardRow
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
) -> list[LeaseRow]:
    """Return the galaxies that a person has next: those kept from before, and new ones up to ``count``.

    Parameters
    ----------
    session : Session
        Of a transaction that writes.
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
    list of LeaseRow
        Fewer where nothing is left for this person.
    """
    leases = list(
        session.scalars(
            select(LeaseRow)
            .where(LeaseRow.person_id == person_id)
            # who is calibrated is so in every project
            .where(or_(LeaseRow.project_id == project.id, LeaseRow.standard_id.is_not(None)))
            .order_by(LeaseRow.id)
        )
    )
    kept = [lease for lease in leases if lease.state == "open" and lease.project_id == project.id][:count]
    for lease in kept:
        lease.expires_at = now + terms.lease_s
    candidates: Candidates | None = None
    while len(kept) < count:
        practice = _practice(session, project, leases, terms.practice, rng)
        if practice is not None:
            galaxy, purpose = -practice, PRACTICE
        elif snapshot is None:
            break
        else:
            candidates = candidates or _live(session, project.id, snapshot, now)
            choice = choose(candidates, _history(leases), rng)
            if choice is None:
                break
            galaxy, purpose = choice.galaxy, str(choice.reason)
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
        session.add(lease)
        session.flush()
        leases.append(lease)
        kept.append(lease)
    return kept


def _practice(
    session: Session, project: ProjectRow, leases: Sequence[LeaseRow], count: int, rng: np.random.Generator
) -> int | None:
    """Return the practice galaxy that comes next; None for a person who had enough of them, or all."""
    practised = {lease.standard_id for lease in leases if lease.purpose == PRACTICE}
    if len(practised) >= count:
        return None
    offered = session.scalars(
        select(StandardRow.id)
        .where(StandardRow.role == PRACTICE)
        .where(StandardRow.truth_deg.between(project.lowest_deg, project.highest_deg))
        .order_by(StandardRow.id)
    )
    fresh = [one for one in offered if one not in practised]
    return int(rng.choice(fresh)) if fresh else None


def _history(leases: Sequence[LeaseRow]) -> PersonHistory:
    numbers = [
        lease.target_id or -(lease.standard_id or 0)
        for lease in leases
        # a standard that was skipped told nothing of the person
        if lease.purpose != PRACTICE and (lease.target_id or lease.state != "skipped")
    ]
    galaxy = np.array(numbers, np.int64)
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
