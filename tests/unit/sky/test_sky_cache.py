"""What may be kept, for how long, and how much of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.sky.http.cache import DiskCache, Entry, Validity, validity
from gateway.sky.http.service import Reply

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_800_000_000.0
DATE = "Fri, 15 Jan 2027 09:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds", "strict"),
    [
        ({}, 1000, False),
        ({"cache-control": "max-age=60"}, 60, False),
        ({"cache-control": 'private, Max-Age="60"'}, 60, False),
        ({"cache-control": "max-age=60", "age": "20"}, 40, False),
        ({"cache-control": "max-age=60, must-revalidate"}, 60, True),
        ({"cache-control": "max-age=60", "expires": "-1"}, 60, False),
        ({"expires": DATE}, 3600, False),
        ({"expires": "-1"}, 0, False),
        ({"cache-control": "no-cache", "etag": '"a"'}, 0, True),
        ({"age": "400"}, 600, False),
    ],
)
def test_validity_is_what_the_service_said(headers: dict[str, str], seconds: float, strict: bool) -> None:  # noqa: FBT001
    found = validity(headers, now=NOW, heuristic_s=1000)
    assert found is not None
    assert found.fresh_until - NOW == pytest.approx(seconds)
    assert found.strict is strict


@pytest.mark.parametrize(
    "headers",
    [{"cache-control": "no-store"}, {"vary": "*"}, {"cache-control": "no-cache"}, {"cache-control": "No-Store"}],
)
def test_what_must_not_be_kept_or_never_could_be_used_is_not(headers: dict[str, str]) -> None:
    assert validity(headers, now=NOW, heuristic_s=1000) is None


def entry(size: int) -> Entry:
    return Entry(Reply(200, "OK", "image/jpeg", bytes(size)), Validity(NOW))


async def test_an_entry_comes_back_as_it_was_put(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "new" / "folder", max_bytes=10_000)
    kept = Entry(
        Reply(404, "Gone", "text/plain", b"\x00\xff"), Validity(NOW + 5, strict=True, etag='"tag"', modified=DATE)
    )
    await cache.put("key", kept)
    assert await cache.get("key") == kept
    assert await cache.get("other") is None
    await cache.drop("key")
    assert await cache.get("key") is None
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
