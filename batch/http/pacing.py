"""The pace of calls to a gateway: the meaning of its failures, the pauses after them, and the end of patience."""

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


class FailureKind(Enum):
    """Kind of failure of a whole call."""

    AWAY = auto()
    """No gateway answers, or it accepts no work for now: wait."""
    BROKEN = auto()
    """The call broke off after it had begun, perhaps because of its content."""
    TOO_MUCH = auto()
    """The call was too large: send less at once."""
    REFUSED = auto()
    """The gateway refused the call, and would refuse it again."""


def kind_of(error: InclinetError) -> FailureKind:
    """Return the kind of failure of a call that did not bring all results."""
    if isinstance(error, errors.Unreachable) or error.status in _AWAY:
        return FailureKind.AWAY
    if error.status in _TOO_MUCH:
        return FailureKind.TOO_MUCH
    if isinstance(error, errors.NotAGateway) or (error.status or _SERVER_ERRORS) < _SERVER_ERRORS:
        return FailureKind.REFUSED
    return FailureKind.BROKEN


def is_gateway_problem(error: InclinetError) -> bool:
    """Return whether the problem of a row is one of the gateway, whatever the row."""
    return error.slug in _NOT_THE_ROW


def may_pass(error: InclinetError) -> bool:
    """Return whether the problem of a row may be gone when it is asked again."""
    return error.status in _MAY_PASS


def sentence_of(error: InclinetError) -> str:
    """Return the reason of a failed call as a sentence without a full stop."""
    said = error.detail.removesuffix(".")
    if error.status is None or error.slug.startswith("http-"):
        said = said[:1].lower() + said[1:]
    else:
        said = f"it answered {error.status}: {said}"
    return f"{said} (a key is taken from {KEY_VARIABLE})" if isinstance(error, errors.KeyRefused) else said


@dataclass(frozen=True, slots=True)
class Pace:
    """Limits of the calls to a gateway.

    Attributes
    ----------
    concurrency : int
        Calls at the same time, each about rows of another partition.
    call_bytes : int
        Most bytes of images in one call.
    patience_s : float
        Time without any result, only failures, after which the run ends, seconds.
    first_patience_s : float
        The same time for a gateway that has not answered yet and may not exist.
    backoff_s, longest_backoff_s : float
        First and longest wait after a failure, seconds; it doubles in between, and half of it is random.
    """

    concurrency: int = 4
    call_bytes: int = 8_000_000
    patience_s: float = 600.0
    first_patience_s: float = 60.0
    backoff_s: float = 1.0
    longest_backoff_s: float = 30.0


class Pacing:
    """The pauses of all calls in one run.

    Parameters
    ----------
    pace : Pace
    url : str
        URL of the gateway.
    progress : Progress, optional
        Shows the pauses.
    """

    def __init__(self, pace: Pace, url: str, progress: Progress | None = None) -> None:
        self.pace, self._url, self._progress = pace, url, progress
        self._failures = 0
        self._patience_s = min(pace.patience_s, pace.first_patience_s)
        self._paused_until = 0.0
        self._answered_at = time.monotonic()
        self._lot = random.Random()  # noqa: S311 - spreads clients in time, keeps no secret

    def record_contact(self) -> None:
        """Record that the gateway has answered: from now on the full patience holds."""
        self.answered()
        self._patience_s = self.pace.patience_s

    def answered(self) -> None:
        """Record that a row was answered."""
        self._answered_at, self._failures = time.monotonic(), 0

    async def wait(self) -> None:
        """Wait until the pause ends."""
        while (wait_s := self._paused_until - time.monotonic()) > 0:  # noqa: ASYNC110 - other calls may prolong the pause
            await asyncio.sleep(wait_s)

    def failed(self, error: InclinetError) -> None:
        """Pause all calls after a failure, at least as long as the gateway requested.

        Raises
        ------
        BatchStopped
            The pause would exceed the patience.
        """
        now, asked_s = time.monotonic(), error.retry_after
        if now >= self._paused_until:
            self._failures += 1
        elif asked_s is None:
            return  # another call has met the same failure
        longest = min(self.pace.longest_backoff_s, self.pace.backoff_s * 2.0 ** min(self._failures - 1, 30))
        wait_s = longest * self._lot.uniform(0.5, 1.0)
        if asked_s is not None and asked_s >= self.pace.backoff_s:
            # never earlier than requested, and not all clients at the same moment
            wait_s = asked_s + self._lot.uniform(0, min(self.pace.backoff_s, asked_s / 10))
        sentence = sentence_of(error)
        if now + wait_s > self._answered_at + self._patience_s:
            asked = f" and asks to wait {asked_s:.0f} s" if asked_s is not None else ""
            raise BatchStopped(f"No result from {self._url} for {now - self._answered_at:.0f} s: {sentence}{asked}.")
        self._paused_until = max(self._paused_until, now + wait_s)
        if self._progress is not None:
            self._progress.waiting(sentence, self._paused_until - now)
