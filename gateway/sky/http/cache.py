"""Cache of the services' replies on disk, for a fixed time and within a size limit."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from gateway.sky.http.service import Reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

# auto_vacuum returns evicted space to the disk; WAL lets replicas on one machine share the file. Earlier releases kept
# a table of another shape in the same file.
_OPEN = """
PRAGMA auto_vacuum = FULL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
DROP TABLE IF EXISTS answers;
CREATE TABLE IF NOT EXISTS replies (
  key TEXT PRIMARY KEY, used REAL NOT NULL, size INTEGER NOT NULL, fresh_until REAL NOT NULL, status INTEGER NOT NULL,
  content_type TEXT NOT NULL, content BLOB NOT NULL
) WITHOUT ROWID
"""

# The most recently used rows that fit into the limit stay.
_EVICT = """
DELETE FROM replies WHERE key IN (
  SELECT key FROM (SELECT key, sum(size) OVER (ORDER BY used DESC, key) AS together FROM replies) WHERE together > ?
)
"""

_OVERHEAD = 512
"""Bytes counted for a row besides its content, so that many tiny replies also reach the limit."""


@dataclass(frozen=True, slots=True)
class CachedReply:
    """A cached reply; after ``fresh_until``, seconds since the epoch, it is used only if no newer one is available."""

    reply: Reply
    fresh_until: float


class DiskCache:
    """Cache of replies in one SQLite file; beyond ``max_bytes`` the least recently used are evicted.

    Its methods never fail a request: an unreadable or unwritable cache behaves like an empty one.

    Parameters
    ----------
    directory : Path
        Folder of the file, created when absent. Several processes may share it.
    max_bytes : int
        Size limit of all replies together, bytes.
    """

    def __init__(self, directory: Path, *, max_bytes: int) -> None:
        self._path = directory / "answers.sqlite"
        self._max_bytes = max_bytes
        self._connection: sqlite3.Connection | None = None
        # One thread owns the connection, so that the disk never blocks the event loop and no lock is needed.
        self._thread = ThreadPoolExecutor(1, "sky-cache")

    async def get(self, key: str) -> CachedReply | None:
        """Return the reply cached under ``key``, fresh or not."""

        def read(db: sqlite3.Connection) -> CachedReply | None:
            db.execute("UPDATE replies SET used = ? WHERE key = ?", (time.time(), key))
            row = "SELECT status, content_type, content, fresh_until FROM replies WHERE key = ?"
            found = db.execute(row, (key,)).fetchone()
            return CachedReply(Reply(*found[:3]), found[3]) if found else None

        return await self._run(read)

    async def put(self, key: str, kept: CachedReply) -> None:
        """Cache a reply, unless it alone exceeds a quarter of the limit."""
        reply = kept.reply
        row = (key, time.time(), len(reply.content) + _OVERHEAD, kept.fresh_until)

        def write(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*row, reply.status, reply.content_type, reply.content),
            )
            if _size(db) > self._max_bytes:
                db.execute(_EVICT, (self._max_bytes,))

        if len(reply.content) * 4 <= self._max_bytes:
            await self._run(write)

    async def size_bytes(self) -> int:
        """Return the size of all cached replies, bytes."""
        return await self._run(_size) or 0

    async def aclose(self) -> None:
        """Close the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, work)

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        try:
            if self._connection is None:
                with contextlib.suppress(OSError):
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                self._connection = sqlite3.connect(
                    self._path, timeout=1.0, isolation_level=None, check_same_thread=False
                )
                self._connection.executescript(_OPEN)
            return work(self._connection)
        except sqlite3.OperationalError:
            # The file is locked by another replica, or the disk is full or read-only: work without it this time.
            return None
        except sqlite3.DatabaseError:
            # The file is damaged. All of its content can be fetched again.
            self._close()
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            return None

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _size(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT coalesce(sum(size), 0) FROM replies").fetchone()[0])
