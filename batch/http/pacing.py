"""How hard a gateway is asked, what its failures mean, how they pause everything, and when patience ends."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from batch.errors import BatchStopped
from inclinet import errors
from inclinet.queries import KEY_VARIABLE

if TYPE_CHECKING:
    from batch.progress import Progress
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


@dataclass(frozen=True, slots=True)
class Pace:
    """How hard a gateway is asked.

    Attributes
    ----------
    concurrency : int
        Calls at the same time, each about rows of another partition.
    call_bytes : int
        Most bytes of images of one call.
    patience_s : float
        Without any result for so long, and failures only, the run is given up.
    first_patience_s : float
        As much of it as a gateway that has not answered yet is worth: there may be none.
    backoff_s, longest_backoff_s : float
        First and longest wait after a failure; it doubles in between, and half of it is drawn by lot.
    """

    concurrency: int = 4
    call_bytes: int = 8_000_000
    patience_s: float = 600.0
    first_patience_s: float = 60.0
    backoff_s: float = 1.0
    longest_backoff_s: float = 30.0


class Pacing:
    """The pauses of all calls of one run.

    Parameters
    ----------
    pace : Pace
    url : str
        Of the gateway.
    progress : Progress, optional
        Told of pauses.
    """

    def __init__(self, pace: Pace, url: str, progress: Progress | None = None) -> None:
        self.pace, self._url, self._progress = pace, url, progress
        self._failures = 0
        self._patience_s = min(pace.patience_s, pace.first_patience_s)
        self._paused_until = 0.0
        self._answered_at = time.monotonic()
        self._lot = random.Random()  # noqa: S311 - spreads clients in time, keeps no secret

    def met(self) -> None:
        """Note that the gateway is there: from now on it is worth all of the patience."""
        self.answered()
        self._patience_s = self.pace.patience_s

    def answered(self) -> None:
        """Note that a row was answered."""
        self._answered_at, self._failures = time.monotonic(), 0

    async def wait(self) -> None:
        """Wait while everything is paused."""
        while (wait_s := self._paused_until - time.monotonic()) > 0:  # noqa: ASYNC110 - others pause it longer
            await asyncio.sleep(wait_s)

    def failed(self, error: InclinetError) -> None:
        """Pause everything because of what failed, at least as long as it asks to be left alone.

        Raises
        ------
        BatchStopped
            That would try the patience.
        """
        now, asked_s = time.monotonic(), error.retry_after
        if now >= self._paused_until:
            self._failures += 1
        elif asked_s is None:
            return  # others have met the same
        longest = min(self.pace.longest_backoff_s, self.pace.backoff_s * 2.0 ** min(self._failures - 1, 30))
        wait_s = longest * self._lot.uniform(0.5, 1.0)
        if asked_s is not None and asked_s >= self.pace.backoff_s:
            # never earlier than asked for, and not all clients in the same moment
            wait_s = asked_s + self._lot.uniform(0, min(self.pace.backoff_s, asked_s / 10))
        sentence = sentence_of(error)
        if now + wait_s > self._answered_at + self._patience_s:
            asked = f" and asks to wait {asked_s:.0f} s" if asked_s is not None else ""
            raise BatchStopped(f"No result from {self._url} for {now - self._answered_at:.0f} s: {sentence}{asked}.")
        self._paused_until = max(self._paused_until, now + wait_s)
        if self._progress is not None:
            self._progress.waiting(sentence, self._paused_until - now)
