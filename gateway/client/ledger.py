"""Which rows have a result already, and where it is kept."""

from __future__ import annotations

import hashlib
from collections import Counter
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gateway.client.journal import Lines, Result
    from gateway.client.source import Question

_TWIN_STEP = 0x9E3779B97F4A7C15  # odd: the twins of one row never share an identity
_WHOLE = 1 << 64


class State(IntEnum):
    """What is known of a row."""

    OPEN = 0
    ANSWERED = 1
    FAILED = 2


class Ledger:
    """The rows of a table and their results, some 40 bytes a row.

    A row is known by its key and what it asks, and by its place among rows where both are the same, so that a table may
    be sorted, cut or lengthened between runs.

    Parameters
    ----------
    questions : iterable of Question
        All of the table, in order.

    Attributes
    ----------
    releases : set of str
        Model releases of the answers.
    gone : dict
        Answers to rows that the table does not have: identity to key.
    """

    def __init__(self, questions: Iterable[Question]) -> None:
        digests = np.fromiter((_digest(one.key, one.asked) for one in questions), np.uint64)
        count = len(digests)
        order = np.argsort(digests, kind="stable")
        places = np.arange(count)
        begins_group = np.ones(count, bool)
        begins_group[1:] = np.diff(digests[order]) != 0
        self._twins = np.zeros(count, np.uint64)
        self._twins[order] = places - np.maximum.accumulate(np.where(begins_group, places, 0))
        ids = digests + self._twins * np.uint64(_TWIN_STEP)
        self._rows = np.argsort(ids, kind="stable")
        self._ids = ids[self._rows]
        self._states = np.zeros(count, np.uint8)
        self._asked_at = np.zeros(count)
        self._begins = np.zeros(count, np.int64)
        self._file = np.zeros(count, np.uint8)
        self._files: list[Lines] = []
        self.releases: set[str] = set()
        self.gone: dict[int, str] = {}

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._states)

    def count(self, state: State) -> int:
        """Return the number of rows in this state."""
        return int(np.count_nonzero(self._states == state))

    def state(self, number: int) -> State:
        """Return what is known of a row."""
        return State(int(self._states[number]))

    def asked_at(self, number: int) -> float:
        """Return when a row was asked, Unix time."""
        return float(self._asked_at[number])

    def twin(self, number: int) -> int:
        """Return how many rows of the same key and question stand before this one."""
        return int(self._twins[number])

    def reopen(self, number: int) -> None:
        """Forget a row's result."""
        self._states[number] = State.OPEN

    def note(self, number: int, result: Result, lines: Lines, begins: int) -> None:
        """Remember where a row's result is."""
        if lines not in self._files:
            self._files.append(lines)
        self._states[number] = State.FAILED if result.failed else State.ANSWERED
        self._asked_at[number] = result.at
        self._begins[number] = begins
        self._file[number] = self._files.index(lines)
        if release := result.row.get("release"):
            self.releases.add(release)

    def take(self, lines: Lines, *, retry_failed: bool) -> bool:
        """Take over results of earlier runs; where a row has several, the last one counts.

        Parameters
        ----------
        lines : Lines
        retry_failed : bool
            Whether rows that failed are open again. Those whose problem may have passed are in any case.

        Returns
        -------
        bool
            Whether these were the rows of the table, all of them and in its order.
        """
        expected, in_order = 0, True
        for begins, result in lines.results():
            digest = _digest(result.row["key"], result.row["asked"])
            number = self._find(digest, result.twin)
            in_order, expected = in_order and number == expected, expected + 1
            if number is None:
                if not result.failed:
                    self.gone[_identity(digest, result.twin)] = result.row["key"]
            elif result.passing or (result.failed and retry_failed):
                self.reopen(number)
            else:
                self.note(number, result, lines, begins)
        return in_order and expected == len(self)

    def counter(self) -> Callable[[str, str], int]:
        """Return what counts the twins of another table, given key and question of its rows one after the other."""
        seen: Counter[int] = Counter()

        def twin_of(key: str, asked: str) -> int:
            digest = _digest(key, asked)
            twin = seen[digest]
            # nearly all rows are the only ones of their kind, and need not be remembered
            if twin or self._find(digest, 1) is not None:
                seen[digest] += 1
            return twin

        return twin_of

    def result(self, number: int) -> Result:
        """Read a row's result."""
        lines = self._files[int(self._file[number])]
        return lines.at(int(self._begins[number]))

    def results(self) -> Iterator[Result]:
        """Read the results of all rows, in order."""
        return (self.result(number) for number in range(len(self)))

    def failures(self) -> Iterator[Result]:
        """Read the results of the rows that failed, in order."""
        return (self.result(int(number)) for number in np.flatnonzero(self._states == State.FAILED))

    def _find(self, digest: int, twin: int) -> int | None:
        wanted = np.uint64(_identity(digest, twin))
        place = int(np.searchsorted(self._ids, wanted))
        return int(self._rows[place]) if place < len(self) and self._ids[place] == wanted else None


def _digest(key: str, asked: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{key}\0{asked}".encode(), digest_size=8).digest())


def _identity(digest: int, twin: int) -> int:
    return (digest + twin * _TWIN_STEP) % _WHOLE
