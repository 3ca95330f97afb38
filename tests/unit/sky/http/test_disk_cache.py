"""What is kept of replies, and how much of it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from gateway.sky.http.cache import CachedReply, DiskCache
from gateway.sky.http.service import Reply

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_800_000_000.0


def entry(size: int) -> CachedReply:
    return CachedReply(Reply(200, "image/jpeg", bytes(size)), NOW)


async def test_an_entry_comes_back_as_it_was_put(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "new" / "folder", max_bytes=10_000)
    kept = CachedReply(Reply(404, "text/plain", b"\x00\xff"), NOW + 5)
    await cache.put("key", kept)
    assert await cache.get("key") == kept
    assert await cache.get("other") is None
    await cache.aclose()


async def test_entries_survive_a_restart(tmp_path: Path) -> None:
    first = DiskCache(tmp_path, max_bytes=10_000)
    await first.put("key", entry(10))
    await first.aclose()
    second = DiskCache(tmp_path, max_bytes=10_000)
    assert await second.get("key") == entry(10)
    await second.aclose()


async def test_the_least_recently_used_go_when_it_is_full(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, max_bytes=10_000)
    for name in "abc":
        await cache.put(name, entry(2000))
    assert await cache.get("a") is not None
    for name in "de":
        await cache.put(name, entry(2000))
        assert await cache.size_bytes() <= 10_000
    assert [name for name in "abcde" if await cache.get(name)] == ["a", "d", "e"]
    await cache.aclose()


async def test_the_file_stays_within_its_limit_however_much_passes_through(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, max_bytes=400_000)
    for number in range(100):
        await cache.put(str(number), entry(50_000))
    await cache.aclose()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 800_000  # noqa: ASYNC240 - nothing else runs


async def test_an_answer_too_large_for_it_is_passed_over(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, max_bytes=10_000)
    await cache.put("small", entry(100))
    await cache.put("large", entry(3000))
    assert await cache.get("large") is None
    assert await cache.get("small") is not None
    await cache.aclose()


async def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "answers.sqlite").write_bytes(b"this is no database" * 500)
    cache = DiskCache(tmp_path, max_bytes=10_000)
    assert await cache.get("key") is None
    await cache.put("key", entry(10))
    assert await cache.get("key") == entry(10)
    await cache.aclose()


async def test_a_place_that_can_t_be_written_is_an_empty_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    cache = DiskCache(tmp_path / "file" / "cache", max_bytes=10_000)
    await cache.put("key", entry(10))
    assert await cache.get("key") is None
    await cache.aclose()


async def test_two_replicas_share_one_file(tmp_path: Path) -> None:
    one, other = DiskCache(tmp_path, max_bytes=10_000_000), DiskCache(tmp_path, max_bytes=10_000_000)
    await asyncio.gather(
        *(cache.put(f"{name}{i}", entry(100)) for i in range(20) for name, cache in (("a", one), ("b", other)))
    )
    assert await one.get("b19") == entry(100)
    assert await other.get("a19") == entry(100)
    await one.aclose()
    await other.aclose()


async def test_what_an_earlier_release_kept_makes_room(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "answers.sqlite")) as old:
        old.execute("CREATE TABLE answers (key TEXT PRIMARY KEY, content BLOB)")
        old.execute("INSERT INTO answers VALUES ('key', zeroblob(500000))")
        old.commit()
    cache = DiskCache(tmp_path, max_bytes=10_000)
    assert await cache.get("key") is None
    await cache.put("key", entry(10))
    assert await cache.get("key") == entry(10)
    await cache.aclose()
