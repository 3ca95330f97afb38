"""Processors and memory that this process may use, within the limits of its container."""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGE_BYTES, _KEPT_BYTES = 2 << 20, 8 << 20
_OWN = Path("/proc/self/cgroup")


def processors(root: Path = _CGROUP, own: Path = _OWN) -> int:
    """Return how many processors this process may use, at least 1.

    Both the affinity mask and the container's quota (cgroup version 2: ``cpu.max``; version 1: ``cpu.cfs_quota_us``)
    limit the number; a fraction of a processor counts as one.
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for folder in _folders(root, own, "cpu"):
        words = _words(folder / "cpu.max")
        quota, period = _number(words[:1]), _number(words[1:])
        if quota is None:
            quota, period = _number(_words(folder / "cpu.cfs_quota_us")), _number(_words(folder / "cpu.cfs_period_us"))
        if quota is not None and quota > 0 and period:
            count = min(count, math.ceil(quota / period))
    return max(1, count)


def memory_bytes(root: Path = _CGROUP, own: Path = _OWN) -> int | None:
    """Return the most memory this process may use, bytes; None where neither container nor machine has a known limit.

    It is the smaller of the container's limit (cgroup version 2: ``memory.max``; version 1:
    ``memory.limit_in_bytes``) and the machine's memory.
    """
    limits = []
    for folder in _folders(root, own, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limit = _number(_words(folder / name))
            if limit is not None:
                limits.append(limit)
    with contextlib.suppress(OSError, ValueError, AttributeError):  # a system without POSIX
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min((limit for limit in limits if limit > 0), default=None)


def give_large_memory_back() -> None:
    """Make the C library return every large block of memory to the system when it is freed (glibc only).

    By default glibc keeps large blocks after it has freed a few: four large pictures at once left 230 MB in the process
    for ever, and leave 45 MB with this. Setting only the threshold would also stop glibc from keeping small blocks; the
    system would then zero the pages of every ordinary picture anew: a fifth of all work for one of 512 pixels.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):  # another C library than glibc
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def _folders(root: Path, own: Path, controller: str) -> list[Path]:
    """Return folders that may hold limits of this process: its own cgroup and those above it, of either version."""
    found = [root, root / controller]
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return found
    for line in lines:
        _, controllers, path = ([*line.split(":", 2), "", ""])[:3]
        if controllers and controller not in controllers.split(","):
            continue
        base = root / controller if controllers else root
        parts = Path(path.lstrip("/")).parts
        # a container sees its own group as the root, while the path may be the one on its host
        found += [base.joinpath(*parts[: end + 1]) for end in range(len(parts)) if ".." not in parts]
    return found


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _number(words: list[str]) -> int | None:
    """Return the number that a file holds; None for an empty file and for ``max``."""
    return int(words[0]) if words and words[0].lstrip("-").isdigit() else None
