"""Waits as the header writes them."""

from __future__ import annotations

import pytest

from inclinet.http import retry_after

NEW_YEAR = 1_767_225_600.0  # 2026-01-01 00:00:00 UTC


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Thu, 01 Jan 2026 00:01:30 GMT", 90.0),
        ("Wed, 31 Dec 2025 23:00:00 GMT", 0.0),
        ("", None),
        ("-5", None),
        ("\N{SUPERSCRIPT TWO}", None),
        ("soon", None),
    ],
)
def test_a_wait_is_read_in_seconds_or_as_a_date(value: str, seconds: float | None) -> None:
    assert retry_after.read(value, NEW_YEAR) == seconds


def test_a_wait_is_written_in_whole_seconds_and_never_too_short() -> None:
    assert [retry_after.write(one) for one in (0.2, 2.0, 4.5)] == ["1", "2", "5"]
