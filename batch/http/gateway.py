"""What to do about a question that a gateway did not answer, or an answer that is a problem."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from inclinet import errors
from inclinet.queries import KEY_VARIABLE

if TYPE_CHECKING:
    from inclinet import InclinetError

_SERVER_ERRORS = 500
_TOO_MUCH = frozenset({408, 413})
_AWAY = frozenset({425, 429, 502, 503, 504})
_MAY_PASS = _AWAY | {408}
_NOT_THE_ROW = frozenset({"busy", "too-many-requests", "quorum-lost", "slow-client"})


class Kind(Enum):
    """What went wrong with a whole call."""

    AWAY = auto()
    """Nobody answers, or nobody takes work for now: wait."""
    BROKEN = auto()
    """It began, and broke: perhaps because of what was asked."""
    TOO_MUCH = auto()
    """Ask less at once."""
    REFUSED = auto()
    """Asking again is of no use."""


def kind_of(error: InclinetError) -> Kind:
    """Tell what went wrong with a call that brought not all results."""
    if isinstance(error, errors.Unreachable) or error.status in _AWAY:
        return Kind.AWAY
    if error.status in _TOO_MUCH:
        return Kind.TOO_MUCH
    if isinstance(error, errors.NotAGateway) or (error.status or _SERVER_ERRORS) < _SERVER_ERRORS:
        return Kind.REFUSED
    return Kind.BROKEN


def says_nothing_of_the_row(error: InclinetError) -> bool:
    """Tell whether the problem of a row is one of the gateway, whichever row is asked."""
    return error.slug in _NOT_THE_ROW


def may_pass(error: InclinetError) -> bool:
    """Tell whether the problem of a row may have passed when it is asked again."""
    return error.status in _MAY_PASS


def sentence_of(error: InclinetError) -> str:
    """Say what went wrong with a call, without a full stop."""
    said = error.detail.removesuffix(".")
    if error.status is None or error.slug.startswith("http-"):
        said = said[:1].lower() + said[1:]
    else:
        said = f"it answered {error.status}: {said}"
    return f"{said} (a key is taken from {KEY_VARIABLE})" if isinstance(error, errors.KeyRefused) else said
