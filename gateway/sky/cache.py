"""What the services answered, kept on disk for as long as they said (RFC 9111), within a size limit.

The cache is a private one in the RFC's sense: the gateway asks on its own behalf and forwards nobody's credentials, so
``private`` answers may be kept, ``no-store`` ones may not. Where a service says nothing about validity, the caller's
heuristic lifetime holds (section 4.2.2). An answer past its validity is offered again when the service can't be reached
(section 4.2.4), unless the service forbade that.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

from gateway.sky.service import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
  key TEXT PRIMARY KEY, used REAL NOT NULL, size INTEGER NOT NULL, status INTEGER NOT NULL, reason TEXT NOT NULL,
  content_type TEXT NOT NULL, fresh_until REAL NOT NULL, strict INTEGER NOT NULL, etag TEXT, modified TEXT,
  content BLOB NOT NULL
) WITHOUT ROWID
"""

_OVERHEAD = 512
"""Bytes counted for a row besides its content, so that many tiny answers also meet the limit."""


@dataclass(frozen=True, slots=True)
class Validity:
    """For how long an answer may be used.

    Attributes
    ----------
    fresh_until : float
        Seconds since the epoch.
    strict : bool
        It must not be used past that, not even when the service is unreachable.
    etag, modified : str, optional
        Validators for a conditional request.
    """

    fresh_until: float
    strict: bool = False
    etag: str | None = None
    modified: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A kept answer."""

    reply: Reply
    validity: Validity

    def fresh(self, now: float) -> bool:
        """Whether it may be used without asking again."""
        return now < self.validity.fresh_until


def validity(headers: Mapping[str, str], *, now: float, heuristic_s: float) -> Validity | None:
    """Read an answer's validity from its headers (RFC 9111, sections 4.2 and 5.2.2).

    Parameters
    ----------
    headers : mapping
        Of the answer; keys are case-insensitive or lower case.
    now : float
        Seconds since the epoch.
    heuristic_s : float
        Lifetime in seconds of an answer that says nothing.

    Returns
    -------
    Validity or None
        None when the answer must not be kept.
    """
    directives = {}
    for part in headers.get("cache-control", "").lower().split(","):
        name, _, value = part.strip().partition("=")
        directives[name] = value.strip('" ')
    if "no-store" in directives or headers.get("vary", "").strip() == "*":
        return None
    strict = "no-cache" in directives or "must-revalidate" in directives
    age = _seconds(headers.get("age", "")) or 0.0
    max_age = _seconds(directives.get("max-age", ""))
    if "no-cache" in directives:
        lifetime = 0.0
    elif max_age is not None:
        lifetime = max_age - age
    elif "expires" in headers:
        lifetime = _expires_in(headers["expires"], now)
    else:
        lifetime = heuristic_s - age
    etag, modified = headers.get("etag"), headers.get("last-modified")
    if lifetime <= 0 and strict and not (etag or modified):
        return None
    return Validity(now + max(0.0, lifetime), strict, etag, modified)


def _seconds(text: str) -> float | None:
    return float(text) if text.isdigit() else None


def _expires_in(text: str, now: float) -> float:
    # An invalid date, such as the common "-1", means "already expired" (RFC 9111, section 5.3).
    try:
        return parsedate_to_datetime(text).timestamp() - now
    except ValueError:
        return 0.0


class DiskCache:
    """Answers in one SQLite file; the least recently used go first when it grows beyond ``max_bytes``.

    Nothing here ever fails a request: a cache that can't be read or written is as good as an empty one.

    Parameters
    ----------
    directory : Path
        Made when absent. Several processes may share it.
    max_bytes : int
        Of kept answers together.
    """

    def __init__(self, directory: Path, *, max_bytes: int) -> None:
        self._path = directory / "answers.sqlite"
        self._max_bytes = max_bytes
        self._connection: sqlite3.Connection | None = None
        # One thread owns the connection: disk latency never reaches the event loop, and no lock is needed.
        self._thread = ThreadPoolExecutor(1, "sky-cache")

    async def get(self, key: str) -> Entry | None:
        """Return what is kept under ``key``, fresh or not."""
        return await self._run(lambda db: self._get(db, key))

    async def put(self, key: str, entry: Entry) -> None:
        """Keep ``entry``, unless it alone is beyond a quarter of the limit."""
        if len(entry.reply.content) * 4 <= self._max_bytes:
            await self._run(lambda db: self._put(db, key, entry))

    async def drop(self, key: str) -> None:
        """Forget what is kept under ``key``."""
        await self._run(lambda db: db.execute("DELETE FROM answers WHERE key = ?", (key,)))

    async def size_bytes(self) -> int:
        """Bytes of all kept answers."""
        return await self._run(self._size) or 0

    async def aclose(self) -> None:
        """Close the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, work)

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        try:
            if self._connection is None:
                self._connection = self._open()
            return work(self._connection)
        except sqlite3.OperationalError:
            # Locked by another replica, a full or read-only disk: do without this time.
            return None
        except sqlite3.DatabaseError:
            # The file is damaged. It holds nothing that can't be asked again.
            self._close()
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            return None

    def _open(self) -> sqlite3.Connection:
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, timeout=1.0, isolation_level=None, check_same_thread=False)
        # auto_vacuum gives evicted space back to the disk; WAL lets replicas on one machine share the file.
        db.executescript(
            f"PRAGMA auto_vacuum = FULL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {_SCHEMA}"
        )
        return db

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @staticmethod
    def _get(db: sqlite3.Connection, key: str) -> Entry | None:
        row = db.execute(
            "SELECT status, reason, content_type, content, fresh_until, strict, etag, modified FROM answers"
            " WHERE key = ?",
            (key,),
        ).fetchone()
        if row is None:
            return None
        db.execute("UPDATE answers SET used = ? WHERE key = ?", (time.time(), key))
        return Entry(Reply(*row[:4]), Validity(row[4], bool(row[5]), row[6], row[7]))

    def _put(self, db: sqlite3.Connection, key: str, entry: Entry) -> None:
        reply, v = entry.reply, entry.validity
        row = (key, time.time(), len(reply.content) + _OVERHEAD, reply.status, reply.reason, reply.content_type)
        db.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*row, v.fresh_until, int(v.strict), v.etag, v.modified, reply.content),
        )
        excess = self._size(db) - self._max_bytes
        if excess > 0:
            self._evict(db, excess)

    @staticmethod
    def _evict(db: sqlite3.Connection, excess: int) -> None:
        gone = []
        for key, size in db.execute("SELECT key, size FROM answers ORDER BY used"):
            if excess <= 0:
                break
            gone.append((key,))
            excess -= size
        db.executemany("DELETE FROM answers WHERE key = ?", gone)

    @staticmethod
    def _size(db: sqlite3.Connection) -> int:
        return int(db.execute("SELECT coalesce(sum(size), 0) FROM answers").fetchone()[0])
