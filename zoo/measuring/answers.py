"""Records people's answers, withdrawn answers, and skipped galaxies.

A browser sends its queue in order, as often as it needs to: answers that are known already change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from zoo.database.models import FlagRow, LeaseRow, MeasurementRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

UNDO_DEPTH = 20
"""Number of the last measurements that a person may take back."""

TAKEN, KNOWN, REFUSED = "taken", "known", "refused"


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """The measurement or rejection of a galaxy.

    Attributes
    ----------
    uuid : str
        Identifier made in the browser, one per answer.
    lease : str
        Code of the answered lease.
    inclination_deg : float, optional
        Inclination; None where flags replace it.
    flags : tuple of str
        Names of the flags.
    seconds : float, optional
        Time that the person took.
    """

    uuid: str
    lease: str
    inclination_deg: float | None
    flags: tuple[str, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class GivenUndo:
    """A withdrawn answer, identified by its UUID."""

    of: str


@dataclass(frozen=True, slots=True)
class GivenSkip:
    """A galaxy that the person does not want to judge, identified by its lease."""

    lease: str


Said = GivenAnswer | GivenUndo | GivenSkip


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome of an entry: ``taken``, ``known`` from before, or ``refused`` with the reason in a sentence."""

    status: str
    reason: str = ""


def record(session: Session, person_id: int, said: Sequence[Said], *, now: float, lease_s: float) -> list[Receipt]:
    """Record a person's entries, in order, and return the outcome of each.

    Parameters
    ----------
    session : Session
        Writing transaction; nothing is recorded before it is committed.
    person_id : int
    said : sequence of GivenAnswer, GivenUndo or GivenSkip
    now : float
        Time, seconds since 1970.
    lease_s : float
        Time for which a galaxy is leased again to a person who takes an answer back, seconds.
    """
    outcomes = []
    for one in said:
        if isinstance(one, GivenAnswer):
            outcomes.append(_answer(session, person_id, one, now))
        elif isinstance(one, GivenUndo):
            outcomes.append(_undo(session, person_id, one, now, lease_s))
        else:
            outcomes.append(_skip(session, person_id, one))
        session.flush()
    return outcomes


def _lease(session: Session, person_id: int, code: str) -> LeaseRow | None:
    return session.scalar(select(LeaseRow).where(LeaseRow.code == code, LeaseRow.person_id == person_id))


def _known(session: Session, person_id: int, uuid: str) -> Receipt | None:
    owner = session.scalar(select(MeasurementRow.person_id).where(MeasurementRow.uuid == uuid))
    if owner is None:
        return None
    return Receipt(KNOWN) if owner == person_id else Receipt(REFUSED, "Another person sent an answer of this UUID.")


def _answer(session: Session, person_id: int, one: GivenAnswer, now: float) -> Receipt:
    known = _known(session, person_id, one.uuid)
    if known is not None:
        return known
    lease = _lease(session, person_id, one.lease)
    if lease is None:
        return Receipt(REFUSED, "This galaxy was not given to this person.")
    row = MeasurementRow(
        uuid=one.uuid,
        lease_id=lease.id,
        project_id=lease.project_id,
        person_id=person_id,
        target_id=lease.target_id,
        standard_id=lease.standard_id,
        purpose=lease.purpose,
        inclination_deg=one.inclination_deg,
        seconds=one.seconds,
        measured_at=now,
        undone_at=None,
        flags=[FlagRow(flag=flag) for flag in dict.fromkeys(one.flags)],
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        # the same queue came over two connections at once, or the galaxy was answered in another window
        return _known(session, person_id, one.uuid) or Receipt(REFUSED, "This galaxy has been answered before.")
    lease.state = "answered"
    return Receipt(TAKEN)


def _undo(session: Session, person_id: int, one: GivenUndo, now: float, lease_s: float) -> Receipt:
    row = session.scalar(
        select(MeasurementRow).where(MeasurementRow.uuid == one.of, MeasurementRow.person_id == person_id)
    )
    if row is None:
        return Receipt(REFUSED, "There is no such answer of this person.")
    if row.undone_at is not None:
        return Receipt(KNOWN)
    standing = select(MeasurementRow.id).where(
        MeasurementRow.person_id == person_id, MeasurementRow.undone_at.is_(None), MeasurementRow.id > row.id
    )
    if len(session.scalars(standing.limit(UNDO_DEPTH)).all()) >= UNDO_DEPTH:
        return Receipt(REFUSED, f"Only the last {UNDO_DEPTH} answers can be taken back.")
    row.undone_at = now
    lease = session.get_one(LeaseRow, row.lease_id)
    lease.state, lease.expires_at = "open", now + lease_s
    return Receipt(TAKEN)


def _skip(session: Session, person_id: int, one: GivenSkip) -> Receipt:
    lease = _lease(session, person_id, one.lease)
    if lease is None:
        return Receipt(REFUSED, "This galaxy was not given to this person.")
    if lease.state != "open":
        return Receipt(KNOWN)
    lease.state = "skipped"
    return Receipt(TAKEN)
