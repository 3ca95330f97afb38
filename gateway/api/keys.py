"""API keys: made here, stored hashed in a file of the operator, compared in constant time.

A key is 256 random bits, so that one round of SHA-256 protects it enough: salts and slow hashes are for passwords that
people choose and that can be guessed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger(__name__)

PREFIX = "inclinet_"
"""Prefix of every key, by which people and scanners for leaked secrets recognise one."""

_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HASH = re.compile(r"[0-9a-f]{64}")


class KeysError(Exception):
    """A file of keys, or the name of a key, can't be used. The sentence never holds a line of the file."""


def make(name: str) -> tuple[str, str]:
    """Return a new key, and the line for the file of keys that admits it.

    Parameters
    ----------
    name : str
        Name of the holder, for logs and the rate limit. Letters, digits, dot, dash and underscore, at most 64.

    Raises
    ------
    KeysError
        The name does not fit.
    """
    if not _NAME.fullmatch(name):
        raise KeysError(
            "A key's name is 1 to 64 letters, digits, dots, dashes or underscores, the first a letter or a digit."
        )
    key = PREFIX + secrets.token_urlsafe(_BYTES)
    return key, f"{name}:{_digest(key).hex()}"


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


class Keys:
    """The keys that are admitted: lines ``name:sha256`` of a file, with comments after ``#``.

    One name may have several lines, so that a new key can be handed out before the old one goes. The file is read again
    when it has changed, so that deleting its line revokes a key. A changed file that can't be used is reported in the
    log and changes nothing; a file without keys admits nobody.

    Parameters
    ----------
    path : Path
        File of keys.

    Raises
    ------
    KeysError
        The file can't be read, holds something else, or holds no key.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._stamp()
        self._known = _read(path)
        if not self._known:
            raise KeysError(f"{path} holds no key; make one: inclinet key new NAME.")

    def name_of(self, key: str) -> str | None:
        """Return the name of a key, or None for a key that is not admitted.

        The key is compared with every key of the file, so that the time reveals neither how much matches nor which one.
        """
        self._refresh()
        digest = _digest(key)
        found = None
        for name, known in self._known:
            if hmac.compare_digest(digest, known):
                found = name
        return found

    def _stamp(self) -> tuple[int, int, int]:
        # a mounted secret is replaced by another file, which may have the same size and age
        try:
            stat = self._path.stat()
        except OSError:
            return 0, 0, 0
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _refresh(self) -> None:
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._known = _read(self._path)
        except KeysError as error:
            log.error("the keys stay as they were", reason=str(error))  # noqa: TRY400 - the sentence says it all
        else:
            log.info("keys read", names=sorted({name for name, _ in self._known}))


def _read(path: Path) -> list[tuple[str, bytes]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise KeysError(f"The file of keys {path} can't be read: {reason}.") from None
    known = []
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.partition("#")[0].strip()
        if not entry:
            continue
        name, _, digest = entry.partition(":")
        if not _NAME.fullmatch(name) or not _HASH.fullmatch(digest):
            raise KeysError(f"Line {number} of {path} is not name:sha256, as inclinet key new NAME writes it.")
        known.append((name, bytes.fromhex(digest)))
    return known
