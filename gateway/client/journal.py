"""Where results are kept until the table is complete: lines of JSON, only ever appended, one a row.

A journal outlives its writer at any moment: each line is handed to the operating system as soon as it is there, and
to the disk every few seconds. A line that a crash cut off is passed over when the journal is read, and its row is asked
again.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from gateway.client.stops import NoJournal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

_HEADER = b'{"inclinet-batch":1}\n'
_SYNC_S = 2.0
_LINE_BYTES = 4096
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Result:
    """What is known of a row.

    Attributes
    ----------
    row : dict
        The cells of the result table that are not empty, the key and what was asked among them.
    twin : int
        How many rows of the same key and question stand before this one in the table.
    at : float
        When it was asked, Unix time.
    passing : bool
        Whether its problem may have passed by the time that a later run asks.
    """

    row: dict[str, Any]
    twin: int
    at: float
    passing: bool = False

    @property
    def failed(self) -> bool:
        """Whether there is a problem instead of an answer."""
        return bool(self.row.get("problem_type"))

    def line(self) -> bytes:
        """Write it as a line of JSON."""
        said: dict[str, Any] = {"at": round(self.at, 3), "row": self.row}
        if self.twin:
            said["twin"] = self.twin
        if self.passing:
            said["passing"] = True
        return json.dumps(said, separators=(",", ":"), allow_nan=False).encode() + b"\n"

    @classmethod
    def of(cls, line: bytes) -> Result | None:
        """Read a line; None if it is damaged or holds none."""
        try:
            said = json.loads(line)
            row = said["row"]
            if not (isinstance(row["key"], str) and isinstance(row["asked"], str)):
                return None
            return cls(row, int(said.get("twin", 0)), float(said["at"]), bool(said.get("passing")))
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


class Lines:
    """Results in an open file, each found again by where it begins.

    Parameters
    ----------
    descriptor : int
        Of a file open for reading and appending; closed with this.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._end = os.lseek(descriptor, 0, os.SEEK_END)

    @classmethod
    def temporary(cls, folder: Path) -> Self:
        """Make a file on the disk of ``folder`` that nobody sees and that is gone with this process."""
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=".inclinet-")
        os.unlink(name)  # noqa: PTH108 - a name, not a path
        return cls(descriptor)

    def add(self, result: Result) -> int:
        """Append a result and return where it begins; an OSError says that the disk did not take it."""
        return self._append(result.line())

    def _append(self, line: bytes) -> int:
        begins = self._end
        while line:
            written = os.write(self._descriptor, line)
            line, self._end = line[written:], self._end + written
        return begins

    def at(self, begins: int) -> Result:
        """Return the result that begins there."""
        line = b""
        while b"\n" not in line:
            block = os.pread(self._descriptor, _LINE_BYTES, begins + len(line))
            if not block:
                break
            line += block
        result = Result.of(line.partition(b"\n")[0])
        if result is None:
            raise NoJournal("Results that this run had written have changed under its hands.")
        return result

    def results(self) -> Iterator[tuple[int, Result]]:
        """Go through the results and where each begins, from the first on; damaged lines are passed over."""
        begins, rest = 0, b""
        while block := os.pread(self._descriptor, _BLOCK_BYTES, begins + len(rest)):
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                result = Result.of(line)
                if result is not None:
                    yield begins, result
                begins += len(line) + 1

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Journal(Lines):
    """The journal of one run, and of those that it goes on from; no other process can open it at the same time.

    Parameters
    ----------
    path : Path
        Made if it is missing.

    Raises
    ------
    NoJournal
        Another process has it, or the file is something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        super().__init__(_locked(path))
        self._synced_at = time.monotonic()
        head = os.pread(self._descriptor, len(_HEADER), 0)
        if not _HEADER.startswith(head):
            self.close()
            raise NoJournal(f"{path} is not a journal of this version of inclinet batch. Move it away.")
        if len(head) < len(_HEADER):
            os.ftruncate(self._descriptor, 0)
            self._end = 0
            self._append(_HEADER)
        elif os.pread(self._descriptor, 1, self._end - 1) != b"\n":
            self._append(b"\n")  # ends the line that a crash cut off

    def add(self, result: Result) -> int:
        """Append a result and return where it begins; an OSError says that the disk did not take it."""
        begins = super().add(result)
        if time.monotonic() > self._synced_at + _SYNC_S:
            self.sync()
        return begins

    def sync(self) -> None:
        """Wait until all of it is on the disk."""
        os.fsync(self._descriptor)
        self._synced_at = time.monotonic()

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing."""
        return self._end <= len(_HEADER)

    def remove(self) -> None:
        """Delete the file."""
        self._path.unlink(missing_ok=True)


def _locked(path: Path) -> int:
    """Open the file for this process alone."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # the process that had it may have finished and removed it in between
            if _same(descriptor, path):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise NoJournal(f"Another run is writing {path}.") from None
        os.close(descriptor)


def _same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
