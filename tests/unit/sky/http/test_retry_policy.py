"""When a failed call is tried again."""

from __future__ import annotations

import pytest

from gateway.sky.http.retry_policy import RetryPolicy, retry_after_s


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), (" 0 ", 0), ("", None), ("soon", None), ("Fri, 15 Jan 2027 08:01:00 GMT", 60), ("-5", None)],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after_s(value, 1_800_000_000.0) == seconds


def test_pauses_double_with_every_failure_and_half_of_them_is_random() -> None:
    policy = RetryPolicy(backoff_s=0.4)
    assert policy.pause_s(0) == 0
    for failures, longest in ((1, 0.4), (2, 0.8), (3, 1.6)):
        pauses = [policy.pause_s(failures) for _ in range(200)]
        assert longest / 2 <= min(pauses) < max(pauses) <= longest
