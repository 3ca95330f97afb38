"""People, known by the name of a key or by a browser's token; neither e-mail nor address is stored."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from zoo.database.models import PersonRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

TOKEN_PREFIX = "zoo_"  # noqa: S105 - the prefix of every token
_BYTES = 32


def new_anonymous(session: Session, now: float) -> str:
    """Add a person without a name and return the token that identifies the person from now on."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(_BYTES)
    session.add(PersonRow(key_name=None, token_hash=_digest(token), created_at=now))
    return token


def of_token(session: Session, token: str) -> PersonRow | None:
    """Return the person of a token; None for an unknown token, or one of a forgotten person."""
    return session.scalar(select(PersonRow).where(PersonRow.token_hash == _digest(token)))


def of_key(session: Session, name: str) -> PersonRow | None:
    """Return the person of a key's name; None for a new name."""
    return session.scalar(select(PersonRow).where(PersonRow.key_name == name))


def add_of_key(session: Session, name: str, now: float) -> PersonRow:
    """Add the person of a key's name, or return the person whom another request has just added."""
    try:
        with session.begin_nested():
            person = PersonRow(key_name=name, token_hash=None, created_at=now)
            session.add(person)
    except IntegrityError:
        found = of_key(session, name)
        if found is None:
            raise
        return found
    return person


def forget(session: Session, person_id: int) -> None:
    """Remove the link between a person and key or token; the measurements stay without any link."""
    person = session.get_one(PersonRow, person_id)
    person.key_name = person.token_hash = None


def _digest(token: str) -> str:
    # a token has 256 random bits, so no slow hash is needed
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
